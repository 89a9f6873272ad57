// Series over the API: rates of runs, how a resource stood, and durations in the view of a pipeline.

import assert from "node:assert/strict";
import { test } from "vitest";
import { input, pipeline, resource, stage } from "../../../src/exports/index.ts";
import { startRollUps } from "../../../src/service/rollups/start-roll-ups.ts";
import { makeApiWorld, type ApiWorld } from "../../support/api-world.ts";

const source = input<{ readonly ok: boolean }>();
const api = resource("api", { limit: 8, quota: { rate: 100, per: "1h" }, breaker: {} });
const work = stage("work", { needs: { source }, uses: [api] }, ({ source: { ok } }) => {
  if (!ok) throw new Error("not ok");
  return 1;
});
const job = pipeline("job", { input: source, output: { work } });

async function makeRolledWorld(inputs: readonly boolean[]): Promise<ApiWorld> {
  const world = await makeApiWorld({ pipelines: [job] });
  for (const ok of inputs) await world.mill.enqueue(job, [{ input: { ok } }]);
  await world.mill.work({ drain: true });
  // Two more, for which nobody is there.
  for (const ok of [true, true]) await world.mill.enqueue(job, [{ input: { ok } }]);
  const rollUps = startRollUps(world.mill);
  while (await rollUps.look());
  await rollUps.stop();
  return world;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

test("rates of all and of one pipeline come by minute and by day, bounded, with an ETag", async () => {
  const world = await makeRolledWorld([true, true, false]);
  for (const query of ["", "?pipeline=job", "?unit=day", "?unit=day&since=90d", "?since=24h"]) {
    const { counts, levels } = await world.get(`/stats/history${query}`);
    assert.deepEqual(
      [counts.created, counts.started, counts.succeeded, counts.failed].map(sum),
      [5, 3, 2, 1],
      query,
    );
    // Two were queued when it was looked, and nobody had looked before.
    assert.deepEqual(
      levels.queued.max.filter((each: unknown) => each !== null),
      [2],
      query,
    );
  }
  assert.equal((await world.get("/stats/history")).counts.failed.length, 60);
  assert.equal((await world.get("/stats/history?since=700h")).counts.failed.length, 1_440);
  assert.equal((await world.get("/stats/history?unit=day&since=9000d")).counts.failed.length, 731);
  assert.equal(sum((await world.get("/stats/history?pipeline=other")).counts.created), 0);

  const first = await world.ask("GET", "/stats/history?unit=day");
  const headers = {
    authorization: `Bearer ${world.token}`,
    "if-none-match": first.headers.get("etag") ?? "",
  };
  assert.equal((await world.ask("GET", "/stats/history?unit=day", { headers })).status, 304);
  assert.equal(
    await world.refused("GET", "/stats/history?unit=hour", { status: 422 }),
    "BODY_INVALID",
  );
});

test("how a resource stood is told, and one that nobody knows is refused with those that are known", async () => {
  const world = await makeRolledWorld([true]);
  const { levels, resource: name } = await world.get("/resources/api/history");
  const last = (series: { readonly max: readonly (number | null)[] }): number | null | undefined =>
    series.max.at(-1) ?? series.max.at(-2);
  assert.deepEqual(
    [name, last(levels.held), last(levels.waiting), last(levels.quotaLeft)],
    ["api", 0, 0, 0.99],
  );
  assert.equal(last(levels.breakersOpen), 0);
  assert.equal(
    await world.refused("GET", "/resources/apj/history", { status: 404 }),
    "RESOURCE_UNKNOWN",
  );
});

test("a pipeline is shown with how long its runs and stages take", async () => {
  const world = await makeRolledWorld([true, true, false]);
  const { durations } = await world.get("/pipelines/job");
  assert.deepEqual(
    [durations.run.count, durations.stages.work.count, durations.stages.work.total],
    [2, 2, 2],
  );
  const { medianMs, p95Ms, maxMs } = durations.stages.work;
  assert.ok(0 <= medianMs && medianMs <= p95Ms && p95Ms === maxMs);
});
