// The gate of a pipeline: who may start it when, what a refused start leaves behind, and how it is unblocked.

import { describe, expect, test } from "vitest";
import type { MillraceEvent } from "../../../src/model/event.ts";
import { ThrottledError } from "../../../src/model/errors.ts";
import type { Failure } from "../../../src/model/outcome.ts";
import { mayStart } from "../../../src/service/health/may-start.ts";
import { listOperations, startOperation } from "../../../src/service/operations/operations.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import type { Millrace } from "../../../src/service/millrace.ts";
import { definePipeline, type Pipeline } from "../../../src/service/pipeline.ts";
import { makeDurableWorld, STORES } from "../../support/durable/durable-world.ts";

/** Fails with what its input names: a message at a stage, or a class. */
function makeGated(gate: "off" | "health" = "health"): Pipeline {
  const fail = (input: unknown): void => {
    const { message, failureClass } = input as {
      message?: string;
      failureClass?: Failure["class"];
    };
    if (message === undefined && failureClass === undefined) return;
    const error = new Error(message ?? "no");
    throw failureClass === undefined
      ? error
      : Object.assign(error, { millraceClass: failureClass });
  };
  return definePipeline({ name: "gated", gate, stages: [{ id: "score", run: fail }] });
}

async function endRuns(
  mill: Millrace,
  pipeline: Pipeline,
  inputs: readonly unknown[],
): Promise<void> {
  for (const input of inputs) {
    const run = await mill.start(pipeline, input, { override: true });
    await run.result();
  }
}

async function listEvents(mill: Millrace, types: readonly string[]): Promise<MillraceEvent[]> {
  return [...(await mill.store.listEvents({ after: 0, types, limit: 1_000 }))];
}

const BAD = { message: "bad" };

describe.each(STORES)("on %s", (kind) => {
  test("R248 R249: a degraded pipeline starts by hand with an override alone, and a refusal is one event", async () => {
    const pipeline = makeGated();
    const mill = await makeDurableWorld(kind).open([pipeline]);
    await endRuns(mill, pipeline, [{}, BAD, BAD]);
    const before = await mill.stats();

    await expect(mill.start(pipeline, {}, { source: "test" })).rejects.toMatchObject({
      code: "HEALTH_REFUSED",
      details: { pipeline: "gated", verdict: "degraded" },
    });
    await expect(mill.enqueue(pipeline, [{ input: {} }])).rejects.toMatchObject({
      code: "HEALTH_REFUSED",
      message:
        'Pipeline "gated" is degraded, so that no run of it was started: score failed in the last 2 runs.',
    });

    expect(await mill.stats()).toEqual(before);
    expect((await mill.history()).summaries).toHaveLength(3);
    expect(await listEvents(mill, ["run.refused"])).toMatchObject([
      {
        run: "",
        data: {
          pipeline: "gated",
          source: "test",
          verdict: "degraded",
          reasons: ["score failed in the last 2 runs"],
        },
      },
      { run: "", data: { source: "library" } },
    ]);
    const run = await mill.start(pipeline, {}, { override: true });
    expect((await run.result()).state).toBe("succeeded");
    expect((await mill.history()).summaries[0]).toMatchObject({ override: "degraded" });
    const created = await listEvents(mill, ["run.created"]);
    expect(created.at(-1)?.data).toMatchObject({ override: "degraded" });
    const queued = await mill.enqueue(pipeline, [{ input: {} }]);
    expect(queued.runs[0]?.run.settings).toEqual({});
  });

  test("R248: a blocked pipeline is refused whoever insists, until somebody acknowledges it", async () => {
    const pipeline = makeGated();
    const mill = await makeDurableWorld(kind).open([pipeline]);
    await endRuns(mill, pipeline, [{}, { failureClass: "data-loss" }]);

    await expect(mill.start(pipeline, {}, { override: true })).rejects.toMatchObject({
      code: "HEALTH_REFUSED",
      next: "npx millrace health ack gated --reason 'looked at it'",
    });
    const outcome = await mill.healthAck("gated", { reason: "made room", actor: "ada" });
    expect(outcome).toMatchObject({
      changed: true,
      health: { verdict: "healthy", ack: { actor: "ada", reason: "made room" } },
    });
    expect(await mill.healthAck("gated", { reason: "again" })).toMatchObject({ changed: false });
    const acknowledged = await listEvents(mill, ["health.acknowledged"]);
    expect(acknowledged.map(({ data }) => data)).toEqual([
      { pipeline: "gated", actor: "ada", reason: "made room" },
    ]);
    await endRuns(mill, pipeline, [{ failureClass: "data-loss" }]);
    await expect(mill.start(pipeline, {})).rejects.toMatchObject({ code: "HEALTH_REFUSED" });
    expect((await mill.health()).pipelines[0]).not.toHaveProperty("ack");
  });

  test("R247: a schedule starts healthy pipelines alone, and no override helps it", async () => {
    const pipeline = makeGated();
    const mill = await makeDurableWorld(kind).open([pipeline]);
    const context = contextOf(mill);
    const ask = { kind: "scheduled", source: "schedule nightly" } as const;

    expect(await mayStart(context, "gated", ask)).toEqual({ kind: "start", overridden: null });
    await endRuns(mill, pipeline, [BAD, BAD]);
    const answer = await mayStart(context, "gated", { ...ask, override: true });

    expect(answer).toMatchObject({
      kind: "refused",
      event: {
        type: "run.refused",
        data: { pipeline: "gated", source: "schedule nightly", verdict: "degraded" },
      },
    });
    expect(await mayStart(context, "unknown", ask)).toMatchObject({ kind: "start" });
  });

  test("R246: a message that speaks of clock skew, locks or memory blocks nothing", async () => {
    const pipeline = makeGated();
    const mill = await makeDurableWorld(kind).open([pipeline]);
    await endRuns(mill, pipeline, [
      { message: "clock skew, lock timeout, out of memory, disk full" },
    ]);

    expect((await mill.health()).pipelines).toEqual([
      { pipeline: "gated", verdict: "healthy", gate: "health", reasons: [] },
    ]);
    await endRuns(mill, pipeline, [{}]);
  });

  test("a gate that is off lets everything start, whatever its health", async () => {
    const pipeline = makeGated("off");
    const mill = await makeDurableWorld(kind).open([pipeline]);
    await endRuns(mill, pipeline, [BAD, BAD, { failureClass: "data-loss" }]);

    const run = await mill.start(pipeline, {});
    expect((await run.result()).state).toBe("succeeded");
    expect(await listEvents(mill, ["run.refused"])).toEqual([]);
  });

  test("R248 R249: a rerun and a requeue are starts like any other, and a resume goes on", async () => {
    const pipeline = makeGated();
    const mill = await makeDurableWorld(kind).open([pipeline]);
    await endRuns(mill, pipeline, [{}, BAD, BAD]);
    const [last] = await mill.store.listRuns({ pipeline: "gated", limit: 1 });
    const id = last?.id ?? "";
    const before = await mill.stats();
    const refusal = { code: "HEALTH_REFUSED", details: { verdict: "degraded" } };

    await expect(mill.rerun(id, { source: "cli" })).rejects.toMatchObject(refusal);
    await expect(mill.requeue(id)).rejects.toMatchObject(refusal);
    expect(await mill.stats()).toEqual(before);
    expect(await listEvents(mill, ["run.refused"])).toMatchObject([
      { data: { source: "cli" } },
      { data: { source: "requeue" } },
    ]);

    const rerun = await mill.rerun(id, { input: {}, override: true });
    expect((await rerun.result()).state).toBe("succeeded");
    expect((await mill.history()).summaries[0]).toMatchObject({ override: "degraded" });
    await endRuns(mill, pipeline, [BAD, BAD]);
    const requeued = await mill.requeue(id, { override: true });
    expect(requeued.settings).toMatchObject({ override: "unstable" });
    const created = await listEvents(mill, ["run.created"]);
    expect(created.at(-1)?.data).toMatchObject({ override: "unstable", parent: id });

    const resumed = await mill.resume(id, { here: true });
    expect((await resumed.result()).state).toBe("failed");
    expect(await listEvents(mill, ["run.refused"])).toHaveLength(2);
  });

  test("R249: a batch that is refused is one event, however many runs it has", async () => {
    const pipeline = makeGated();
    const mill = await makeDurableWorld(kind).open([pipeline]);
    const entries = [BAD, BAD, BAD].map((input) => ({ input }));
    const { batch = "" } = await mill.enqueue(pipeline, entries, {
      batch: { id: "b", source: "test" },
    });
    await mill.work({ drain: true });

    await expect(mill.requeue({ batch })).rejects.toMatchObject({ code: "HEALTH_REFUSED" });
    expect(await mill.requeue({ batch, dryRun: true })).toMatchObject({ matching: 3 });
    expect(await listEvents(mill, ["run.refused"])).toHaveLength(1);
    expect(await mill.requeue({ batch, override: true })).toMatchObject({ changed: 3 });
  });

  test("R249: an operation that queues runs again asks once for each pipeline", async () => {
    const pipeline = makeGated();
    const mill = await makeDurableWorld(kind).open([pipeline]);
    await endRuns(mill, pipeline, [BAD, BAD]);

    const { id } = await startOperation(mill, {
      action: "requeue",
      filter: { state: ["failed"] },
      matching: 2,
      actor: "token:ci",
    });
    for await (const { type } of mill.events({ after: 0, types: ["operation.ended"] }))
      if (type === "operation.ended") break;

    const why = 'Pipeline "gated" is degraded, so that no run of it was started';
    expect(await listOperations(mill, {})).toMatchObject({
      operations: [
        { id, changed: 0, refused: 2, refusals: [{ reason: expect.stringContaining(why) }, {}] },
      ],
    });
    expect(await listEvents(mill, ["run.refused"])).toHaveLength(1);
  });

  test("a key that is known is answered as ever, since nothing starts", async () => {
    const pipeline = makeGated();
    const mill = await makeDurableWorld(kind).open([pipeline]);
    const first = await mill.start(pipeline, BAD, { key: "one" });
    await first.result();
    await endRuns(mill, pipeline, [BAD]);

    expect((await mill.start(pipeline, BAD, { key: "one" })).id).toBe(first.id);
    expect(await mill.enqueue(pipeline, [{ key: "one", input: BAD }])).toMatchObject({
      created: 0,
      duplicates: 1,
    });
    expect(await listEvents(mill, ["run.refused"])).toEqual([]);
  });

  test("of several that acknowledge at once one is recorded", async () => {
    const pipeline = makeGated();
    const mill = await makeDurableWorld(kind).open([pipeline]);
    await endRuns(mill, pipeline, [{ failureClass: "data-loss" }]);

    const outcomes = await Promise.all(
      ["a", "b", "c"].map((actor) => mill.healthAck("gated", { reason: "seen", actor })),
    );

    expect(outcomes.filter(({ changed }) => changed)).toHaveLength(1);
    expect(await listEvents(mill, ["health.acknowledged"])).toHaveLength(1);
  });
});

test("acknowledging needs a pipeline that is known and a reason", async () => {
  const pipeline = makeGated();
  const mill = await makeDurableWorld("memory").open([pipeline]);

  await expect(mill.healthAck("gatd", { reason: "x" })).rejects.toMatchObject({
    code: "PIPELINE_UNKNOWN",
    hint: 'did you mean "gated"?',
  });
  await expect(mill.healthAck("gated", { reason: " " })).rejects.toMatchObject({
    code: "OPTION_INVALID",
  });
  expect(await mill.healthAck("gated", { reason: "x" })).toMatchObject({ changed: false });
});

test("what the other side asks for is no fault of the ground", async () => {
  const pipeline = definePipeline({
    name: "gated",
    gate: "health",
    stages: [
      {
        id: "call",
        deadline: 20,
        run: () => {
          throw new ThrottledError("no memory", { retryAfter: "10m" });
        },
      },
    ],
  });
  const mill = await makeDurableWorld("memory").open([pipeline]);
  await endRuns(mill, pipeline, [undefined]);

  expect((await mill.health()).pipelines[0]?.verdict).toBe("healthy");
});
