// The rest of the API: queue, resources, schedules, health, events from outside, operations, tokens.

import assert from "node:assert/strict";
import { test } from "vitest";
import { input, pipeline, resource, stage } from "../../../src/exports/index.ts";
import { importAnswer } from "../../../src/http/contract/queue.ts";
import { makeApiWorld, type ApiWorld } from "../../support/api-world.ts";

const source = input<{ readonly ok: boolean }>();
const api = resource("api", { limit: 8, breaker: { threshold: 3 } });
const work = stage("work", { needs: { source }, uses: [api] }, ({ source: { ok } }) => {
  if (!ok) throw new Error("not ok");
  return 1;
});
const job = pipeline("job", { input: source, output: { work } });

async function runSome(world: ApiWorld, inputs: readonly boolean[]): Promise<void> {
  for (const ok of inputs) await world.post("/pipelines/job/runs", { input: { ok } }, 201);
  await world.mill.work({ drain: true });
}

test("R293: executed, succeeded, failed and the rate, which is 0 when nothing ran, over any time", async () => {
  const world = await makeApiWorld({ pipelines: [job] });
  const before = await world.get("/stats");
  assert.deepEqual([before.executed, before.successRate], [0, 0]);
  await runSome(world, [true, true, true, false]);
  for (const query of ["", "?since=1h", "?since=1h&pipeline=job"]) {
    const { executed, succeeded, failed, successRate } = await world.get(`/stats${query}`);
    assert.deepEqual([executed, succeeded, failed, successRate], [4, 3, 1, 0.75]);
  }
  assert.equal((await world.get("/stats?since=0ms")).executed, 0);
  assert.equal((await world.get("/stats?pipeline=other")).counts.total, 0);
});

test("lines are imported as a batch, each key once, and a bad line spares the others", async () => {
  const world = await makeApiWorld({ pipelines: [job] });
  const lines = ['{"ok":true,"id":"a"}', "no json", '{"ok":true,"id":"a"}', '{"ok":true,"id":"b"}'];
  const response = await world.app.request("/api/v1/queue/import?pipeline=job&name=some", {
    method: "POST",
    headers: { authorization: `Bearer ${world.token}`, "content-type": "application/jsonl" },
    body: lines.join("\n"),
  });
  const outcome = importAnswer.parse(await response.json());
  assert.deepEqual([outcome.created, outcome.duplicates, outcome.badLines], [2, 1, 1]);
  const batch = await world.get(`/batches/${outcome.batch}?limit=1`);
  assert.deepEqual([batch.counts.queued, batch.source, batch.runs[0].key], [2, "some", "a"]);
  const rest = await world.get(`/batches/${outcome.batch}?limit=1&cursor=${batch.nextCursor}`);
  assert.equal(rest.runs[0].key, "b");
  const queue = await world.get("/queue?pipeline=job");
  assert.deepEqual(
    queue.queued.map((each: { ahead: number }) => each.ahead),
    [0, 1],
  );
  assert.equal(queue.counts.queued, 2);
  assert.equal((await world.get("/queue?pipeline=other")).counts.total, 0);
});

test("a resource is shown, set for all, tripped and reset, each order with its actor", async () => {
  const world = await makeApiWorld({ pipelines: [job] });
  assert.equal((await world.get("/resources")).resources[0].limit, 8);
  const put = await world.ask("PUT", "/resources/api/override", {
    body: { limit: 2, reason: "slow today", for: "1h" },
  });
  assert.equal(put.status, 200);
  const [set] = (await world.get("/resources/api")).resources;
  assert.deepEqual([set.limit, set.declaredLimit, set.override.actor], [2, 8, "token:default"]);
  const [tripped] = (await world.post("/resources/api/trip", { for: "5m" })).resources;
  assert.equal(tripped.breaker.state, "open");
  const [back] = (await world.post("/resources/api/reset", {})).resources;
  assert.deepEqual([back.limit, back.breaker.state, back.override], [8, "closed", undefined]);
  const quota = { quota: [{ rate: 0, per: "1m" }] };
  assert.equal(
    await world.refused("PUT", "/resources/api/override", { status: 422, body: quota }),
    "BODY_INVALID",
  );
});

test("R287: a schedule is read, changed in one field, switched, asked for its next ticks, triggered and backfilled", async () => {
  const world = await makeApiWorld({
    pipelines: [job],
    open: {
      schedules: {
        nightly: {
          pipeline: "job",
          dailyAt: "02:30",
          timezone: "Europe/Berlin",
          input: { ok: true },
        },
      },
    },
  });
  const [listed] = (await world.get("/schedules")).schedules;
  assert.deepEqual([listed.name, listed.enabled, listed.zone], ["nightly", true, "Europe/Berlin"]);
  assert.equal((await world.get("/schedules/nightly/next?count=3")).ticks.length, 3);
  const patched = await world.ask("PATCH", "/schedules/nightly", { body: { dailyAt: "03:00" } });
  assert.equal(patched.status, 200);
  const changed = (await world.get("/schedules/nightly")).schedule;
  assert.deepEqual([changed.when, changed.zone], ["daily 03:00", "Europe/Berlin"]);
  assert.equal(changed.override.actor, "token:default");
  const off = (await world.post("/schedules/nightly/disable", { reason: "holiday" })).schedule;
  assert.deepEqual([off.enabled, off.changedBy.reason], [false, "holiday"]);
  assert.equal((await world.post("/schedules/nightly/enable", {})).schedule.enabled, true);
  assert.equal((await world.post("/schedules/nightly/reset", {})).schedule.when, "daily 02:30");
  const triggered = await world.post("/schedules/nightly/trigger", {}, 201);
  assert.equal(triggered.run.state, "queued");
  assert.equal(
    await world.refused("POST", "/schedules/nightly/trigger", { status: 409, body: {} }),
    "RUN_BUSY",
  );
  const range = { from: "3d", until: "1h", preview: true };
  const backfill = await world.post("/schedules/nightly/backfill", range);
  assert.equal(backfill.started, false);
  assert.ok(backfill.ticks.length >= 2);
  assert.deepEqual((await world.get("/schedules/nightly/ticks")).ticks, []);
  const body = { cron: "61 * * * *" };
  assert.equal(
    await world.refused("PATCH", "/schedules/nightly", { status: 422, body }),
    "SCHEDULE_INVALID",
  );
});

test("R286: status, snapshot and history say where pipelines stand and what became of their runs", async () => {
  const world = await makeApiWorld({ pipelines: [job] });
  assert.equal((await world.get("/pipelines/job/status")).pipelines[0].status, "idle");
  await runSome(world, [true, false]);
  assert.equal((await world.get("/status")).pipelines[0].status, "error");
  const snapshot = await world.get("/snapshot");
  assert.equal(snapshot.recent.length, 2);
  const [newest] = (await world.get("/events?before=0&limit=1")).events;
  assert.equal(snapshot.seq, newest.seq);
  const { summaries } = await world.get("/history?state=failed");
  assert.deepEqual(summaries[0].stages.failedNames, ["work"]);
  assert.equal(
    await world.refused("GET", "/pipelines/none/status", { status: 404 }),
    "PIPELINE_UNKNOWN",
  );
});

test("R292: health says how every pipeline, stage and resource is doing; what blocks a pipeline is acknowledged", async () => {
  const gone = new Error("refused");
  const probed = pipeline("probed", {
    stages: [
      stage("good", { health: () => undefined }, () => 1),
      stage("bad", { health: () => Promise.reject(gone) }, () => 1),
    ],
  });
  const world = await makeApiWorld({ pipelines: [job, probed] });
  await runSome(world, [true]);
  const health = await world.get("/health");
  assert.equal(health.healthy, false);
  const statuses = Object.fromEntries(
    health.stages.map((each: { stage: string; status: string }) => [each.stage, each.status]),
  );
  assert.deepEqual(statuses, { good: "ok", bad: "fail" });
  assert.deepEqual(health.resources, [{ resource: "api", status: "ok" }]);
  assert.equal((await world.get("/health/job")).pipelines[0].verdict, "healthy");
  assert.equal((await world.get("/health?probes=false")).healthy, true);
  assert.equal((await world.post("/health/job/ack", { reason: "seen" })).changed, false);
  assert.equal(await world.refused("GET", "/health/none", { status: 404 }), "PIPELINE_UNKNOWN");
});

test("R227: programs outside report events, checked and authorised; they are listed with a limit", async () => {
  const world = await makeApiWorld({ pipelines: [job] });
  const good = { name: "import.finished", source: "loader", data: { rows: 3 }, key: "r1" };
  const told = await world.post("/events", good, 201);
  assert.equal((await world.post("/events", good)).created, false);
  const { events } = await world.get("/events?limit=1&types=external.*");
  assert.deepEqual(
    [events[0].seq, events[0].run, events[0].data.data],
    [told.seq, null, { rows: 3 }],
  );
  const bad = { ...good, key: "r2", name: "Import Finished", at: "soon" };
  assert.equal(await world.refused("POST", "/events", { status: 422, body: bad }), "EVENT_INVALID");
  const path = { ...good, run: "../etc" };
  assert.equal(await world.refused("POST", "/events", { status: 422, body: path }), "BODY_INVALID");
  const none = { status: 401, body: good, token: null };
  assert.equal(await world.refused("POST", "/events", none), "UNAUTHENTICATED");
  const reader = { status: 403, body: good, token: await world.tokenOf("read") };
  assert.equal(await world.refused("POST", "/events", reader), "FORBIDDEN");
});

test("a run that something outside started is told once, and a wrong report is an answer", async () => {
  const world = await makeApiWorld();
  const body = { source: "external", by: "cron", pipeline: "job", run: "77" };
  assert.equal((await world.post("/runs", body, 201)).created, true);
  assert.equal((await world.post("/runs", body)).created, false);
  const wrong = await world.post("/runs", { ...body, run: "78", at: "never" });
  assert.equal(wrong.created, false);
  assert.ok(wrong.problem.length > 0);
});

test("workers are shown while they work, and tokens are made once, listed without their text and revoked", async () => {
  const world = await makeApiWorld({ pipelines: [job] });
  await runSome(world, [true]);
  const { workers } = await world.get("/workers");
  for (const worker of workers) await world.get(`/workers/${worker.id}`);
  assert.equal(await world.refused("GET", "/workers/none", { status: 404 }), "WORKER_UNKNOWN");
  const { token } = await world.post("/tokens", { name: "ci", role: "operate" }, 201);
  assert.equal((await world.ask("GET", "/runs", { token: token.token })).status, 200);
  const forbidden = { status: 403, token: token.token };
  assert.equal(await world.refused("GET", "/tokens", forbidden), "FORBIDDEN");
  const { tokens } = await world.get("/tokens");
  assert.deepEqual(
    tokens.map((each: object) => "token" in each),
    [false],
  );
  assert.equal((await world.ask("DELETE", "/tokens/ci")).status, 200);
  assert.equal((await world.ask("GET", "/runs", { token: token.token })).status, 401);
  assert.equal(await world.refused("DELETE", "/tokens/none", { status: 404 }), "TOKEN_UNKNOWN");
});
