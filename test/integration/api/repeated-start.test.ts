// A start whose answer is lost: whoever sends it again with the same key gets the run that was made, and no second one.

import { expect, test } from "vitest";
import { pipeline, stage, type Pipeline } from "../../../src/exports/index.ts";
import { RUN_ACTION_ROUTES } from "../../../src/http/routes/run-action-routes.ts";
import { PIPELINE_ROUTES } from "../../../src/http/routes/pipeline-routes.ts";
import type { Route } from "../../../src/http/route.ts";
import { makeVirtualClock } from "../../../src/std/virtual-clock.ts";
import { makeHttpWorld, type HttpWorld } from "../../support/http-world.ts";

const only = stage("only", {}, () => 1);
const copy: Pipeline<undefined, unknown> = pipeline("copy", { output: { only } });

/** The same route, but the answer of its first call is lost after its work is done. */
function losingFirstAnswer(route: Route): Route {
  let isLost = false;
  const handle: Route["handle"] = async (request) => {
    const answer = await route.handle(request);
    if (isLost) return answer;
    isLost = true;
    throw new Error("the answer is lost");
  };
  return { ...route, handle };
}

async function post(world: HttpWorld, path: string): Promise<readonly [number, string]> {
  const headers = { "idempotency-key": "night-1" };
  const { status, text } = await world.ask("POST", path, { body: {}, headers });
  const answer: { run?: { id: string } } = JSON.parse(text);
  return [status, answer.run?.id ?? ""];
}

test("S38: a start that is sent again after its answer was lost gives the run that it made", async () => {
  const clock = makeVirtualClock();
  const world = await makeHttpWorld(PIPELINE_ROUTES.map(losingFirstAnswer), {
    pipelines: [copy],
    clock,
  });
  const start = "/api/v1/pipelines/copy/runs";

  expect(await post(world, start)).toEqual([500, ""]);
  const again = await post(world, start);
  const { runs } = await world.mill.runs();

  expect(again).toEqual([201, runs[0]?.id]);
  expect(runs).toHaveLength(1);
  expect(await post(world, start)).toEqual(again);
  await clock.advance(24 * 3_600_000);
  expect((await post(world, start))[1]).not.toBe(again[1]);
});

test("S38: so does a rerun", async () => {
  const world = await makeHttpWorld(RUN_ACTION_ROUTES.map(losingFirstAnswer), {
    pipelines: [copy],
  });
  const old = await world.mill.start(copy, undefined);
  await old.result();
  const rerun = `/api/v1/runs/${old.id}/rerun`;

  expect(await post(world, rerun)).toEqual([500, ""]);
  const [status, id] = await post(world, rerun);
  const { runs } = await world.mill.runs();

  expect([status, runs.map((run) => run.id)]).toEqual([201, [id, old.id]]);
});
