// Operations over many runs: previewed, begun with the count that was shown, followed, and ended early.

import assert from "node:assert/strict";
import { test } from "vitest";
import { input, pipeline, stage } from "../../../src/exports/index.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import {
  cancelOperation,
  getOperation,
  startOperation,
} from "../../../src/service/operations/operations.ts";
import type { Json } from "../../../src/std/json.ts";
import { makeApiWorld, type ApiWorld, type Document } from "../../support/api-world.ts";

const source = input<{ readonly ok: boolean }>();
let isMended = false;
const work = stage("work", { needs: { source } }, ({ source: { ok } }) => {
  if (!ok && !isMended) throw new Error("not ok");
  return 1;
});
const job = pipeline("job", { input: source, output: { work } });

async function setup(inputs: readonly boolean[]): Promise<ApiWorld> {
  isMended = false;
  const world = await makeApiWorld({ pipelines: [job] });
  for (const ok of inputs) await world.post("/pipelines/job/runs", { input: { ok } }, 201);
  return world;
}

/** Waits for its last word, which is an event. */
async function ended(world: ApiWorld, id: string): Promise<Document> {
  for await (const event of world.mill.events({ after: 0, types: ["operation.ended"] })) {
    if (event.data?.["operation"] === id) break;
  }
  return (await world.get(`/operations/${id}`)).operation;
}

test("a preview counts what the filter finds, shows five, says what is left and why, and changes nothing", async () => {
  const world = await setup([true, false, false, false, false, false, false]);
  await world.mill.work({ drain: true });
  await world.post("/pipelines/job/runs", { input: { ok: true } }, 201);
  const { preview } = await world.post("/operations", {
    action: "resume",
    filter: { pipeline: "job" },
    preview: true,
  });
  assert.equal(preview.matching, 6);
  assert.deepEqual(
    preview.examples.map((each: { run: string }) => each.run),
    ["7", "6", "5", "4", "3"],
  );
  assert.deepEqual(
    preview.leftOut.map((each: { reason: string; count: number }) => [
      each.reason.split(":")[0],
      each.count,
    ]),
    [
      ["queued", 1],
      ["succeeded", 1],
    ],
  );
  assert.deepEqual((await world.get("/operations")).operations, []);
});

test("an operation resumes what failed, is told with its actor at both ends, and keeps its count", async () => {
  const world = await setup([true, false, false]);
  await world.mill.work({ drain: true });
  const filter = { state: ["failed"], since: "1h" };
  const body = { action: "resume", filter, matching: 2 };
  const begun = (await world.post("/operations", body, 202)).operation;
  const done = await ended(world, begun.id);
  assert.deepEqual([done.state, done.done, done.changed, done.refused], ["succeeded", 2, 2, 0]);
  isMended = true;
  await world.mill.work({ drain: true });
  assert.equal((await world.get("/stats")).counts.succeeded, 3);
  const { events } = await world.get("/events?types=operation.*");
  assert.deepEqual(
    events.map((each: Document) => [each.type, each.data.actor, each.data.matching]),
    [
      ["operation.started", "token:default", 2],
      ["operation.ended", "token:default", 2],
    ],
  );
  assert.equal((await world.get("/operations?limit=1")).operations[0].id, begun.id);
});

test("a count that is off by more than a tenth is refused with the true one, and nothing happens", async () => {
  const world = await setup(Array.from({ length: 20 }, () => true));
  const body = { action: "cancel", filter: { state: ["queued"] } };
  for (const matching of [17, 23, 0]) {
    const asked = { status: 409, body: { ...body, matching } };
    assert.equal(await world.refused("POST", "/operations", asked), "OPERATION_CHANGED");
  }
  const missing = { status: 422, body };
  assert.equal(await world.refused("POST", "/operations", missing), "BODY_INVALID");
  assert.equal((await world.get("/stats")).counts.queued, 20);
  const begun = await world.post("/operations", { ...body, matching: 19, reason: "spring" }, 202);
  const done = await ended(world, begun.operation.id);
  assert.equal(done.changed, 20);
  assert.equal((await world.get("/runs/1")).run.reason, "spring");
});

test("runs of a batch are requeued and purged by their filter alone; others stay", async () => {
  const world = await setup([true]);
  const batch = { batch: { id: "b1", source: "some" } };
  await world.mill.enqueue(job, [{ input: { ok: true } }, { input: { ok: false } }], batch);
  await world.mill.work({ drain: true });
  const operate = async (action: string, filter: object, matching: number): Promise<Document> => {
    const begun = await world.post("/operations", { action, filter, matching }, 202);
    return await ended(world, begun.operation.id);
  };
  assert.equal((await operate("requeue", { batch: "b1" }, 2)).changed, 2);
  assert.equal((await world.get("/stats")).counts.queued, 2);
  assert.equal((await operate("purge", { batch: "b1", state: ["failed"] }, 1)).changed, 1);
  assert.equal(await world.refused("GET", "/runs/3", { status: 404 }), "RUN_NOT_FOUND");
  assert.equal((await world.get("/stats")).counts.total, 4);
});

test("what one run refuses is listed and spares the others; an operation that is over stays so when it is ended", async () => {
  const world = await setup([true, true]);
  const other = await makeApiWorld({ pipelines: [] });
  assert.equal(
    await other.refused("DELETE", "/operations/none", { status: 404 }),
    "OPERATION_UNKNOWN",
  );
  await world.mill.work({ drain: true });
  const body = { action: "requeue", filter: { state: ["succeeded"] }, matching: 2 };
  const begun = (await world.post("/operations", body, 202)).operation;
  const done = await ended(world, begun.id);
  const again = await world.ask("DELETE", `/operations/${begun.id}`);
  assert.equal(again.status, 202);
  assert.deepEqual((await world.get(`/operations/${begun.id}`)).operation, done);
});

test("an operation is ended before its time by who asks for it; what is left stays as it was", async () => {
  const world = await setup(Array.from({ length: 120 }, () => true));
  const context = contextOf(world.mill);
  const begun = await startOperation(world.mill, {
    action: "cancel",
    filter: { state: ["queued"] },
    matching: 120,
    actor: "test",
  });
  await cancelOperation(world.mill, begun.id);
  await Promise.all(context.starting);
  const stopped = await getOperation(world.mill, begun.id);
  assert.equal(stopped.state, "cancelled");
  assert.ok(stopped.done < 120, `${stopped.done} were done`);
  assert.equal((await world.get("/stats")).counts.queued, 120 - stopped.changed);
});

test("an operation whose process is gone is interrupted, and a damaged record is passed over", async () => {
  const world = await setup([]);
  const { store, committer } = contextOf(world.mill);
  const value = { action: "cancel", filter: {}, state: "running", actor: "a", startedAtMs: 1 };
  const put = async (key: string, kept: Json, dueAtMs: number): Promise<unknown> =>
    await committer.write({
      kind: "put-records",
      puts: [{ collection: "operations", key, expected: 0, value: kept, dueAtMs }],
      events: [],
    });
  await put("gone", value, store.nowMs() - 1);
  await put("alive", value, store.nowMs() + 60_000);
  await put("damaged", { action: "explode" }, store.nowMs());
  const { operations } = await world.get("/operations");
  const states = operations.map((each: Document) => [each.id, each.state]);
  assert.deepEqual(states, [
    ["gone", "interrupted"],
    ["alive", "running"],
  ]);
  assert.equal(
    await world.refused("GET", "/operations/damaged", { status: 404 }),
    "OPERATION_UNKNOWN",
  );
});
