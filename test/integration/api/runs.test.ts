// Runs over the API: started, read in every part, and acted upon.

import assert from "node:assert/strict";
import { inflateRawSync } from "node:zlib";
import * as z from "zod";
import { test } from "vitest";
import { input, map, pipeline, skip, stage } from "../../../src/exports/index.ts";
import { makeApiWorld } from "../../support/api-world.ts";

const source = input(z.object({ rows: z.array(z.string()).min(1) }));
const list = stage("list", { needs: { source } }, ({ source: { rows } }, ctx) => {
  ctx.log.info("list begins", { rows: rows.length });
  ctx.log.warn("100% (sure)");
  return rows;
});
const score = map("score", { over: list, key: (row) => row, onItemFailure: "continue" }, (row) => {
  if (row.startsWith("bad")) throw new Error(`no score for ${row}`);
  return row === "none" ? skip("nothing to do") : row.length;
});
const save = stage("save", { needs: { score } }, ({ score: rows }) => rows.length);
const crawl = pipeline("crawl", { input: source, output: { save } });
let isBroken = true;
const fail = pipeline("fail", {
  stages: [
    stage("break", {}, () => {
      if (isBroken) throw new Error("broken");
      return 1;
    }),
  ],
});

const INPUT = { rows: ["a/b", "bad one", "none"] };

test("R202 R286: a start queues the run and answers at once with its address; nothing runs before a worker", async () => {
  const { ask, get, post } = await makeApiWorld({ pipelines: [crawl] });
  const answer = await ask("POST", "/pipelines/crawl/runs", {
    body: { input: INPUT, key: "k1", tags: { team: "a" }, priority: 5 },
  });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get("location"), "/api/v1/runs/1");
  const { run } = await get("/runs/1");
  assert.equal(run.state, "queued");
  assert.equal(run.source, "http:token:default");
  const again = await post("/pipelines/crawl/runs", { input: INPUT, key: "k1" });
  assert.equal(again.created, false);
  assert.equal(again.run.id, run.id);
  assert.equal((await get("/queue")).queued[0].ahead, 0);
});

test("R286: a run is read in every part: list, run, stage, items, item, why, graph, events, logs, report", async () => {
  const { mill, get, post } = await makeApiWorld({ pipelines: [crawl] });
  await post("/pipelines/crawl/runs", { input: INPUT }, 201);
  await mill.work({ drain: true });
  assert.equal((await get("/runs?state=succeeded&pipeline=crawl")).runs.length, 1);
  assert.deepEqual(
    (await get("/runs/last")).stages.map((each: { stage: string }) => each.stage),
    ["list", "score", "save"],
  );
  assert.equal((await get("/runs/1/stages/list")).stage.output.value.length, 3);
  const items = await get("/runs/1/stages/score/items?outputs=true&state=succeeded");
  assert.deepEqual(
    items.items.map((each: { output: number }) => each.output),
    [3],
  );
  const item = await get(`/runs/1/stages/score/items/${encodeURIComponent("a/b")}`);
  assert.equal(item.item.output.value, 3);
  assert.match(
    (await get("/runs/1/why?stage=score&item=bad%20one&history=true")).summary,
    /no score/,
  );
  assert.equal((await get("/runs/1/graph")).stages[1].state, "succeeded");
  assert.equal((await get("/runs/1/report")).failures[0].count, 1);
  const events = await get("/runs/1/events?types=run.*&limit=2");
  assert.equal(events.events.length, 2);
  const rest = await get(`/runs/1/events?types=run.*&after=${events.next}`);
  assert.equal(rest.events.at(-1).type, "run.succeeded");
  const newest = await get("/runs/1/events?before=0&limit=1");
  assert.equal(newest.events[0].seq, rest.events.at(-1).seq);
});

test("log lines are searched as text, filtered, and read from the end", async () => {
  const { mill, get, post } = await makeApiWorld({ pipelines: [crawl] });
  await post("/pipelines/crawl/runs", { input: INPUT }, 201);
  await mill.work({ drain: true });
  const texts = async (query: string): Promise<readonly string[]> =>
    (await get(`/runs/1/logs${query}`)).lines.map((line: { text: string }) => line.text);
  assert.deepEqual(await texts(""), ["list begins", "100% (sure)"]);
  assert.deepEqual(await texts(`?grep=${encodeURIComponent("0% (s")}`), ["100% (sure)"]);
  assert.deepEqual(await texts("?grep=.*"), []);
  assert.deepEqual(await texts("?level=info,error&stage=list&attempt=1"), ["list begins"]);
  assert.deepEqual(await texts("?tail=1"), ["100% (sure)"]);
  const first = await get("/runs/1/logs?limit=1");
  assert.deepEqual(await texts(`?after=${first.next}`), ["100% (sure)"]);
});

test("the states of items are one byte each: mark and attempts, with the keys on wish, by window", async () => {
  const { mill, get, post } = await makeApiWorld({ pipelines: [crawl] });
  await post("/pipelines/crawl/runs", { input: INPUT }, 201);
  await mill.work({ drain: true });
  const whole = await get("/runs/1/item-states?keys=true");
  assert.deepEqual(whole.stages[0].keys, ["a/b", "bad one", "none"]);
  assert.equal(whole.stages[0].total, 3);
  const bytes = [...inflateRawSync(Buffer.from(whole.stages[0].states, "base64"))];
  assert.deepEqual(
    bytes.map((byte) => [byte & 15, byte >> 4]),
    [
      [4, 1],
      [6, 1],
      [5, 1],
    ],
  );
  const one = await get("/runs/1/item-states?stage=score&from=1&count=1");
  assert.deepEqual([...inflateRawSync(Buffer.from(one.stages[0].states, "base64"))], [0x16]);
  assert.equal((await get("/runs/1/events?before=0&limit=1")).events[0].seq, whole.seq);
});

test("R286: a run is cancelled, also by force; it is resumed, rerun and requeued, each by its verb", async () => {
  isBroken = true;
  const { mill, get, post, refused } = await makeApiWorld({ pipelines: [fail, crawl] });
  await post("/pipelines/crawl/runs", { input: INPUT }, 201);
  const cancelled = await post("/runs/1/cancel", { reason: "not now", force: true });
  assert.deepEqual(cancelled.results, [{ run: "1", before: "queued", after: "cancelled" }]);
  assert.equal((await get("/runs/1")).run.reason, "not now");
  await post("/pipelines/fail/runs", {}, 201);
  await mill.work({ drain: true });
  assert.equal(
    await refused("POST", "/runs/2/cancel", { status: 409, body: {} }),
    "RUN_STATE_CONFLICT",
  );
  isBroken = false;
  assert.equal((await post("/runs/2/resume", {}, 202)).run.state, "queued");
  await mill.work({ drain: true });
  assert.equal((await get("/runs/2")).run.state, "succeeded");
  assert.equal((await post("/runs/2/requeue", {}, 201)).run.parent, (await get("/runs/2")).run.id);
  await post("/runs/1/rerun", {}, 201);
  await mill.work({ drain: true });
  assert.equal((await get("/runs/last")).run.state, "succeeded");
});

test("R286: a single stage is started over the results of the newest run; a rerun takes over what succeeded", async () => {
  const { mill, get, post, refused } = await makeApiWorld({ pipelines: [crawl] });
  const good = { rows: ["a", "none"] };
  const body = { input: good, only: ["save"] };
  assert.equal(
    await refused("POST", "/pipelines/crawl/runs", { status: 409, body }),
    "CHECKPOINT_MISSING",
  );
  await post("/pipelines/crawl/runs", { input: good }, 201);
  await mill.work({ drain: true });
  await post("/pipelines/crawl/runs", body, 201);
  await post("/runs/1/rerun", { from: "save" }, 201);
  await mill.work({ drain: true });
  for (const run of ["2", "3"]) {
    const { stages } = await get(`/runs/${run}`);
    const vias = stages.map((each: { via?: string }) => each.via);
    assert.deepEqual(vias, ["checkpoint", "checkpoint", "run"], `run ${run}`);
  }
});

const nameOf = ({ name }: { readonly name: string }): string => name;

test("lists page by opaque cursors in a stable order, filter, and find a run by its key", async () => {
  const { get, post, refused } = await makeApiWorld({ pipelines: [crawl] });
  for (let number = 1; number <= 5; number++) {
    const tags = { odd: String(number % 2) };
    await post("/pipelines/crawl/runs", { input: INPUT, key: `k${number}`, tags }, 201);
  }
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await get(`/runs?limit=2${cursor === undefined ? "" : `&cursor=${cursor}`}`);
    names.push(...page.runs.map(nameOf));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  assert.deepEqual(names, ["5", "4", "3", "2", "1"]);
  const middle = await get("/runs?around=3&limit=3&total=true&pipeline=crawl&state=queued");
  assert.deepEqual(middle.runs.map(nameOf), ["4", "3", "2"]);
  assert.equal(middle.total, 5);
  const newer = await get(`/runs?limit=2&cursor=${middle.previousCursor}`);
  assert.deepEqual([newer.runs.map(nameOf), newer.previousCursor], [["5"], undefined]);
  assert.equal((await get("/runs?total=true&tag=odd=1")).total, undefined);
  assert.equal(await refused("GET", "/runs?around=9", { status: 404 }), "RUN_NOT_FOUND");
  assert.equal(await refused("GET", "/runs?around=1&cursor=2", { status: 422 }), "OPTION_INVALID");
  assert.equal((await get("/runs?tag=odd=1&since=1h")).runs.length, 3);
  assert.equal((await get("/runs?pipeline=crawl&key=k2")).runs[0].name, "2");
  assert.deepEqual((await get("/runs?pipeline=crawl&key=k9")).runs, []);
  for (const query of ["cursor=%21", "limit=501", "limit=0", "colour=red", "state=done", "key=k1"])
    assert.match(
      await refused("GET", `/runs?${query}`, { status: 422 }),
      /BODY_INVALID|OPTION_INVALID/,
    );
});

test("what is polled is answered with 304 while it stays the same", async () => {
  const { ask, post } = await makeApiWorld({ pipelines: [crawl] });
  await post("/pipelines/crawl/runs", { input: INPUT }, 201);
  const first = await ask("GET", "/runs/1");
  const headers = { "if-none-match": first.headers.get("etag") ?? "" };
  const bearer = { authorization: `Bearer ${"t".repeat(43)}` };
  const second = await ask("GET", "/runs/1", { headers: { ...headers, ...bearer } });
  assert.equal(second.status, 304);
  assert.equal(second.text, "");
});

test("a pipeline is shown with settings, their origin and the JSON Schema of its input; a plan says what a start would do", async () => {
  const { get, post, refused } = await makeApiWorld({ pipelines: [crawl, fail] });
  assert.deepEqual(
    (await get("/pipelines")).pipelines.map((each: { pipeline: string }) => each.pipeline),
    ["crawl", "fail"],
  );
  const shown = await get("/pipelines/crawl");
  assert.deepEqual(shown.inputSchema.required, ["rows"]);
  assert.equal(shown.stages[1].settings.onItemFailure.origin, "stage");
  assert.equal((await get("/pipelines/fail")).inputSchema, null);
  const plan = await post("/pipelines/crawl/plan", { input: INPUT, skip: ["save"] });
  assert.deepEqual(
    plan.stages.map((each: { will: string }) => each.will),
    ["run", "run", "skip"],
  );
  assert.deepEqual((await get("/runs")).runs, []);
  const body = { input: { rows: [] } };
  for (const verb of ["plan", "runs"])
    assert.equal(
      await refused("POST", `/pipelines/crawl/${verb}`, { status: 422, body }),
      "INPUT_INVALID",
    );
  await post("/pipelines/crawl/runs", { input: INPUT }, 201);
  const { definition } = (await get("/runs/1")).run;
  assert.equal((await get(`/definitions/${definition}`)).value.name, "crawl");
});
