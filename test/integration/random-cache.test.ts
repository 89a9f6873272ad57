// Random pipelines with a cache on everything that can have one: a later run gives what the first one gave, and what
// a run without a cache gives, and nothing is made again that was found.

import fc from "fast-check";
import { expect, test } from "vitest";
import { openMillrace, type RunResult } from "millrace";
import type { Context } from "../../src/model/context.ts";
import { makeRandomPipeline, plain, plans, type StagePlan } from "../support/random-pipeline.ts";

/** What a run gave, without what the cache adds and without times. */
function gist({ state, outputs, stages, metrics, warnings }: RunResult): unknown {
  const counted = Object.entries(metrics).filter(([name]) => !name.startsWith("cache."));
  const ends = Object.entries(stages).map(([name, { state: end, items }]) => [name, end, items]);
  return { state, warnings, outputs: plain(outputs), ends, counted: Object.fromEntries(counted) };
}

let hits = 0;

async function play(stagePlans: readonly StagePlan[]): Promise<void> {
  const calls: string[] = [];
  const onCall = (ctx: Context): void => void calls.push(`${ctx.stage}/${ctx.item?.key ?? ""}`);
  const expected = await makeRandomPipeline(stagePlans).run(undefined);
  const made = makeRandomPipeline(stagePlans, { onCall, isCached: true });
  await using mill = await openMillrace({ store: "memory:", pipelines: [made] });
  const run = async (): Promise<RunResult> => await (await mill.start(made, undefined)).result();

  const first = await run();
  expect(gist(first)).toEqual(gist(expected));
  const before = new Set(calls.splice(0));
  const second = await run();
  expect(gist(second)).toEqual(gist(expected));
  hits += second.metrics["cache.hit"] ?? 0;
  for (const call of calls) expect(before).toContain(call);
  const { runs } = await mill.runs({ limit: 1 });
  for (const record of await mill.store.listStages(runs[0]?.id ?? "")) {
    // What was found was not called, in whole or item by item.
    if (record.via === "cache")
      expect(calls.some((call) => call.startsWith(`${record.stage}/`))).toBe(false);
  }
  // A stage that was made from nothing else, and succeeded, is always found.
  for (const [index, plan] of stagePlans.entries()) {
    const of = second.stages[`s${index}`];
    const isAlone = plan.kind === "plain" && index === 0 && plan.persist;
    if (isAlone && of?.state === "succeeded") expect(of.via).toBe("cache");
  }
}

test("200 random pipelines give the same from the cache as without one", async () => {
  await fc.assert(fc.asyncProperty(plans, play), { numRuns: 200, seed: 27 });
  expect(hits).toBeGreaterThan(300);
});
