// The API of an older system: every row of its table, driven as its dashboard and its scripts do, each answer held
// against what its route says it answers.

import assert from "node:assert/strict";
import { expect, onTestFinished, test } from "vitest";
import { map, pipeline, stage } from "../../../src/exports/index.ts";
import { ALL_ROUTES } from "../../../src/http/all-routes.ts";
import { makeCompatibleApi } from "../../../src/http/compatible/compatible-api.ts";
import { errorAnswer } from "../../../src/http/contract/document.ts";
import { makeRouteTable } from "../../../src/http/route-table.ts";
import { makeGate, type Gate } from "../../support/durable/durable-world.ts";
import { makeHttpWorld, type HttpWorld } from "../../support/http-world.ts";
import { LiveClient } from "../../support/live/live-client.ts";
import { startServed } from "../../support/served.ts";

const NAMES = { pipeline: "market-data", schedule: "quarter" };
const ROUTES = [...ALL_ROUTES, ...makeCompatibleApi(NAMES)];
const TABLE = makeRouteTable(ROUTES);

interface OldWorld extends HttpWorld {
  /** What the stages do next. */
  readonly fate: { fails: number; isHeld: boolean };
  readonly gate: Gate;
  readonly get: (path: string) => Promise<Document>;
  readonly post: (path: string, body?: unknown) => Promise<Document>;
  /** Status and code of a refusal. */
  readonly refused: (path: string, body?: unknown) => Promise<readonly [number, string]>;
  /** Works until nothing is left. */
  readonly work: () => Promise<unknown>;
  /** Waits until the status is that. */
  readonly until: (state: string) => Promise<Document>;
}

// Documents are looked into by tests alone, which know what they asked for.
// oxlint-disable-next-line typescript/no-explicit-any
type Document = any;

async function makeOldWorld(
  options: { readonly gate?: "health"; readonly retry?: number } = {},
): Promise<OldWorld> {
  const fate = { fails: 0, isHeld: false };
  const gate = makeGate();
  const files = stage("files", {}, () => ["a.csv", "b.csv"]);
  const translator = map("translator", { over: files, key: (file) => file }, (file) => file.length);
  const analyzer = stage(
    "analyzer",
    {
      needs: { translator },
      retry: { attempts: options.retry ?? 1, initialDelay: "1ms", jitter: "none" },
    },
    async (_needs, ctx) => {
      if (fate.isHeld) await Promise.race([gate.opened, aborted(ctx.signal)]);
      fate.fails -= 1;
      if (fate.fails >= 0) throw new Error("bad bars");
      return 7;
    },
  );
  const merger = stage("merger", { needs: { analyzer } }, ({ analyzer: bars }) => bars + 1);
  const marketData = pipeline("market-data", {
    output: { merger },
    ...(options.gate === undefined ? {} : { gate: options.gate }),
  });
  const quarter = { pipeline: "market-data", cron: "*/15 * * * *", timezone: "America/Chicago" };
  const world = await makeHttpWorld(ROUTES, {
    pipelines: [marketData],
    open: { schedules: { quarter: { ...quarter, tags: { desk: "rates" } } } },
  });
  const ask = async (method: string, path: string, body?: unknown): Promise<Document> => {
    const answer = await world.ask(method, path, body === undefined ? {} : { body });
    assert.equal(answer.status, 200, `${method} ${path}: ${answer.text}`);
    const [address = ""] = path.split("?");
    const route = TABLE.find(address.slice(1).split("/"))?.routes.get(method);
    assert.deepEqual(route?.result?.parse(answer.json), answer.json, `${path} ${answer.text}`);
    return answer.json;
  };
  const work = async (): Promise<unknown> => await world.mill.work({ drain: true });
  const until = async (state: string): Promise<Document> => {
    const look = async (): Promise<Document> => await ask("GET", "/api/pipeline/status");
    // What a process works on it says once a second.
    await expect
      .poll(async () => (await look()).state, { timeout: 4_000, interval: 20 })
      .toBe(state);
    return await look();
  };
  return {
    ...world,
    fate,
    gate,
    get: async (path) => await ask("GET", path),
    post: async (path, body) => await ask("POST", path, body),
    refused: async (path, body) => {
      const answer = await world.ask("POST", path, body === undefined ? {} : { body });
      return [answer.status, errorAnswer.parse(answer.json).error.code];
    },
    work,
    until,
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
  });
}

test("R286 R287: every row of the older system's table has its route, with a role", () => {
  const rows = makeCompatibleApi(NAMES).map(({ method, path, access }) => [method, path, access]);
  assert.deepEqual(
    rows.map((row) => row.join(" ")).toSorted(),
    [
      "POST /api/pipeline/start operate",
      "POST /api/pipeline/stop operate",
      "GET /api/pipeline/status read",
      "GET /api/pipeline/snapshot read",
      "GET /api/pipeline/runs read",
      "GET /api/pipeline/runs/{run} read",
      "POST /api/pipeline/stage/{name} operate",
      "POST /api/pipeline/reset operate",
      "POST /api/pipeline/clear-lock operate",
      "POST /api/pipeline/notify-scheduled-run operate",
      "POST /api/pipeline/publish-event operate",
      "GET /api/schedule read",
      "POST /api/schedule operate",
      "GET /api/schedule/next read",
      "POST /api/scheduler/enable operate",
      "POST /api/scheduler/disable operate",
      "GET /api/scheduler/status read",
      "GET /api/metrics/files read",
    ].toSorted(),
  );
  const without = makeCompatibleApi({ pipeline: "market-data" });
  assert.deepEqual(
    without.filter(({ path }) => path.startsWith("/api/schedule")),
    [],
  );
});

test("R286 R190 R191: a run is started, seen at work in the old words, and is a success", async () => {
  const world = await makeOldWorld();
  const idle = await world.get("/api/pipeline/status");
  assert.deepEqual(
    [idle.state, idle.status, idle.run_id, idle.current_stage, idle.retry_count],
    ["idle", "idle", null, null, 0],
  );
  const started = await world.post("/api/pipeline/start", { manual: true });
  assert.deepEqual(
    [started.state, /^Run \w+ is queued\.$/.test(started.message)],
    ["starting", true],
  );
  assert.equal((await world.get("/api/pipeline/status")).state, "starting");
  world.fate.isHeld = true;
  const working = world.work();
  const running = await world.until("running_analyzer");
  assert.deepEqual(
    [running.status, running.run_id, running.current_stage, running.error],
    ["running", started.run_id, "analyzer", null],
  );
  assert.match(running.started_at, /^\d{4}-.*Z$/);
  const { lock_info: lock } = await world.get("/api/pipeline/snapshot");
  assert.deepEqual([lock.run_id, /^process \d+ on /.test(lock.holder)], [started.run_id, true]);
  world.gate.open();
  await working;
  const done = await world.get("/api/pipeline/status");
  assert.deepEqual([done.state, done.status, done.metadata.tags], ["success", "idle", {}]);
  const snapshot = await world.get("/api/pipeline/snapshot");
  assert.deepEqual([snapshot.lock_info, snapshot.status], [null, done]);
  assert.ok(snapshot.run_events.every((each: Document) => each.run_id === started.run_id));
  assert.deepEqual(
    [snapshot.run_events.at(0).event, snapshot.run_events.at(-1).event],
    ["state_change", "success"],
  );
  assert.equal(snapshot.next_scheduled_run.timezone, "America/Chicago");
  const figures = await world.get("/api/metrics/files");
  assert.deepEqual([figures.run_id, figures.stages.translator.succeeded], [started.run_id, 2]);
});

test("R288: a start is refused while a run is queued or runs; of ten at once one starts", async () => {
  const world = await makeOldWorld();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => world.ask("POST", "/api/pipeline/start", { body: {} })),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((left, right) => left - right),
    [200, ...Array(9).fill(409)],
  );
  assert.deepEqual(await world.refused("/api/pipeline/start", {}), [409, "RUN_BUSY"]);
  assert.deepEqual(await world.refused("/api/pipeline/stage/analyzer"), [409, "RUN_BUSY"]);
  world.fate.isHeld = true;
  const working = world.work();
  await world.until("running_analyzer");
  assert.deepEqual(await world.refused("/api/pipeline/start", {}), [409, "RUN_BUSY"]);
  world.gate.open();
  await working;
  await world.post("/api/pipeline/start", {});
});

test("R196 in the old form: stop ends the run once; then there is nothing to stop", async () => {
  const world = await makeOldWorld();
  assert.deepEqual(await world.refused("/api/pipeline/stop"), [409, "RUN_STATE_CONFLICT"]);
  const { run_id: run } = await world.post("/api/pipeline/start", {});
  world.fate.isHeld = true;
  const working = world.work();
  await world.until("running_analyzer");
  const stopped = await world.post("/api/pipeline/stop");
  await working;
  assert.deepEqual([stopped.run_id, stopped.state], [run, "stopped"]);
  const { state, status, metadata } = await world.get("/api/pipeline/status");
  assert.deepEqual(
    [state, status, metadata.reason],
    ["stopped", "stopped", "stopped by token:default"],
  );
  assert.deepEqual(await world.refused("/api/pipeline/stop"), [409, "RUN_STATE_CONFLICT"]);
  const { runs } = await world.get("/api/pipeline/runs");
  assert.deepEqual(
    runs.map((each: Document) => [each.run_id, each.result]),
    [[run, "stopped"]],
  );
});

test("R192: a failed run says why and where, its retries are real, and runs are found by their result", async () => {
  const world = await makeOldWorld({ retry: 3 });
  const good = await world.post("/api/pipeline/start", {});
  await world.work();
  world.fate.fails = 3;
  const bad = await world.post("/api/pipeline/start", {});
  await world.work();
  const status = await world.get("/api/pipeline/status");
  assert.deepEqual(
    [status.state, status.status, status.error, status.retry_count],
    ["failed", "error", "bad bars", 2],
  );
  const failed = await world.get("/api/pipeline/runs?result=failed");
  assert.deepEqual(failed.runs.length, 1);
  const [row] = failed.runs;
  assert.deepEqual(
    [row.run_id, row.result, row.failure_reason, row.stages_failed, row.retry_count],
    [bad.run_id, "failed", "bad bars", ["analyzer"], 2],
  );
  assert.deepEqual(row.stages_executed.toSorted(), ["analyzer", "files", "translator"]);
  const one = await world.get(`/api/pipeline/runs/${bad.run_id}`);
  const sorted = (summary: Document): Document => ({
    ...summary,
    stages_executed: summary.stages_executed.toSorted(),
  });
  assert.deepEqual(sorted(one), sorted(row));
  const { runs } = await world.get("/api/pipeline/runs?result=success&limit=1");
  assert.deepEqual(
    runs.map((each: Document) => each.run_id),
    [good.run_id],
  );
  const unknown = await world.ask("GET", "/api/pipeline/runs/ZZZZ");
  assert.equal(unknown.status, 404);
  const beyond = await world.ask("GET", "/api/pipeline/runs?result=skipped");
  assert.equal(beyond.status, 422);
});

test("R198 R199 in the old form: one stage runs over what is stored; without it, or by a wrong name, it is refused", async () => {
  const world = await makeOldWorld();
  assert.deepEqual(await world.refused("/api/pipeline/stage/analyzer"), [
    409,
    "CHECKPOINT_MISSING",
  ]);
  await world.post("/api/pipeline/start", {});
  await world.work();
  const { run_id: run } = await world.post("/api/pipeline/stage/analyzer");
  await world.work();
  const summary = await world.get(`/api/pipeline/runs/${run}`);
  assert.deepEqual([summary.result, summary.stages_executed], ["success", ["analyzer"]]);
  const wrong = await world.ask("POST", "/api/pipeline/stage/analyser");
  const { error } = errorAnswer.parse(wrong.json);
  assert.deepEqual([wrong.status, error.code], [404, "STAGE_UNKNOWN"]);
  assert.match(JSON.stringify(error.details), /"analyzer"/);
});

test.each(["reset", "clear-lock"])(
  "R286: %s frees everything and answers idle, whether or not there is something",
  async (verb) => {
    const world = await makeOldWorld();
    const nothing = await world.post(`/api/pipeline/${verb}`);
    assert.deepEqual(nothing, { run_id: null, state: "idle", message: "Nothing was under way." });
    const { run_id: run } = await world.post("/api/pipeline/start", {});
    await world.mill.enqueue(
      pipeline("market-data", { output: { one: stage("one", {}, () => 1) } }),
      [{ input: undefined }],
    );
    world.fate.isHeld = true;
    const stopping = new AbortController();
    const working = world.mill.work({ concurrency: 1, signal: stopping.signal, maxRuns: 1 });
    await world.until("running_analyzer");
    const freed = await world.post(`/api/pipeline/${verb}`);
    assert.deepEqual([freed.run_id, freed.state], [run, "idle"]);
    assert.deepEqual((await world.mill.runs({ states: ["running", "queued"] })).runs, []);
    world.gate.open();
    stopping.abort();
    await working;
    assert.equal((await world.post("/api/pipeline/start", {})).state, "starting");
  },
);

test("R227 R217: runs and events from outside are told, a run once, and events go out as they came", async () => {
  const world = await makeOldWorld();
  const report = { run_id: "2025-01-15_0730", timestamp: "2025-01-15T13:30:00" };
  const told = await world.post("/api/pipeline/notify-scheduled-run", report);
  assert.deepEqual(told, { run_id: "2025-01-15_0730", event_published: true });
  const again = await world.post("/api/pipeline/notify-scheduled-run", report);
  assert.deepEqual(again, { run_id: "2025-01-15_0730", event_published: false });
  const event = {
    run_id: "2025-01-15_0730",
    stage: "translator",
    event: "progress",
    timestamp: "2025-01-15T13:31:00",
    msg: "12 of 60 files",
    data: { done: 12 },
  };
  await world.post("/api/pipeline/publish-event", event);
  const { recent_events: events } = await world.get("/api/pipeline/snapshot");
  assert.deepEqual(events.at(-1), { ...event, timestamp: "2025-01-15T13:31:00.000Z" });
  assert.deepEqual(events.filter((each: Document) => each.event === "log").length, 1);
  const bad = [
    { ...event, run_id: "../../etc" },
    { ...event, timestamp: "yesterday" },
    { ...event, more: 1 },
  ];
  for (const body of bad)
    assert.equal((await world.refused("/api/pipeline/publish-event", body))[0], 422);
  const { run_id: run } = await world.post("/api/pipeline/start", {});
  await world.post("/api/pipeline/publish-event", { run_id: run, stage: "analyzer", event: "log" });
  const { run_events: ofRun } = await world.get("/api/pipeline/snapshot");
  assert.deepEqual([ofRun.at(-1).stage, ofRun.at(-1).event], ["analyzer", "log"]);
});

test("R287 in the old form: the schedule is read, set to a time of day, switched, and says when it fires", async () => {
  const world = await makeOldWorld();
  const before = await world.get("/api/schedule");
  assert.deepEqual(
    [before.schedule_time, before.when, before.enabled],
    [null, "cron */15 * * * *", true],
  );
  const { next_run_time: next } = await world.get("/api/schedule/next");
  assert.match(next, /T\d\d:(?:00|15|30|45):00\.000Z$/);
  const set = await world.post("/api/schedule", { schedule_time: "07:30" });
  assert.deepEqual([set.schedule_time, set.timezone], ["07:30", "America/Chicago"]);
  assert.match((await world.get("/api/schedule/next")).next_run_time, /T1[23]:30:00\.000Z$/);
  // Everything else of it is as it was.
  const whole = await world.ask("GET", "/api/v1/schedules/quarter");
  assert.match(whole.text, /"tags":\{"desk":"rates"\}/);
  const off = await world.post("/api/scheduler/disable");
  assert.deepEqual(
    [off.enabled, off.next_run_time, off.last_changed_by],
    [false, null, "token:default"],
  );
  assert.deepEqual(await world.get("/api/scheduler/status"), off);
  assert.equal((await world.post("/api/scheduler/enable")).enabled, true);
  assert.deepEqual(await world.refused("/api/schedule", { schedule_time: "25:00" }), [
    422,
    "SCHEDULE_INVALID",
  ]);
  assert.deepEqual(await world.refused("/api/schedule", { time: "07:30" }), [422, "BODY_INVALID"]);
});

test("R288: a degraded pipeline starts by hand with an override, never as if a schedule asked", async () => {
  const world = await makeOldWorld({ gate: "health" });
  world.fate.fails = 2;
  for (let run = 0; run < 2; run += 1) {
    await world.post("/api/pipeline/start", { manual: true });
    await world.work();
  }
  const refusal = [403, "HEALTH_REFUSED"];
  assert.deepEqual(await world.refused("/api/pipeline/start", { manual: true }), refusal);
  const automatic = { manual: false, manual_override: true };
  assert.deepEqual(await world.refused("/api/pipeline/start", automatic), refusal);
  const { recent_events: events } = await world.get("/api/pipeline/snapshot");
  assert.equal(events.at(-1).event, "run_blocked");
  await world.post("/api/pipeline/start", { manual: true, manual_override: true });
});

test("R289 in the old form: served where it is asked for, with its socket; nowhere else, and never over names that mean nothing", async () => {
  const one = pipeline("market-data", { output: { said: stage("said", {}, () => 1) } });
  const open = { pipelines: [one] };
  const old = await startServed({ open, serve: { compatible: { pipeline: "market-data" } } });
  onTestFinished(() => old.close());
  const plain = await startServed({ open });
  onTestFinished(() => plain.close());
  const statusOf = async ({ server, tokens }: typeof old, token = tokens.read): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${server.url}/api/pipeline/status`, { headers });
    await answer.body?.cancel();
    return answer.status;
  };
  assert.deepEqual([await statusOf(old), await statusOf(old, "wrong")], [200, 401]);
  assert.equal(await statusOf(plain), 404);
  const client = new LiveClient(`ws://${old.host}/ws/events`, {
    headers: { authorization: `Bearer ${old.tokens.read}` },
  });
  await client.until(({ type }) => type === "done", "the mark");
  const run = await old.mill.start(one, undefined);
  await run.result();
  await client.until(
    (frame) =>
      frame.type === "events" &&
      frame.events.some((event: Document) => event.run_id === run.id && event.event === "success"),
    "its end in the old words",
  );
  const unknown = startServed({ open, serve: { compatible: { pipeline: "market" } } });
  await assert.rejects(unknown, { code: "PIPELINE_UNKNOWN" });
  const names = { pipeline: "market-data", schedule: "daily" };
  await assert.rejects(startServed({ open, serve: { compatible: names } }), {
    code: "SCHEDULE_UNKNOWN",
  });
});
