// Made-up pipelines whose process dies at made-up commits: however often, they end as if nothing had happened, and
// nothing that was committed is done again.

import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import type { Pipeline, RunHandle, RunResult } from "../../src/exports/index.ts";
import { openMillrace, type Millrace } from "../../src/exports/index.ts";
import { isRunOver } from "../../src/model/run.ts";
import { makeDeadMachine, makeDurableWorld } from "../support/durable-world.ts";
import { makeRandomPipeline, plain, plans } from "../support/random-pipeline.ts";

const CRASHES = fc.array(
  fc.record({ commit: fc.integer({ min: 1, max: 12 }), isAfter: fc.boolean() }),
  { maxLength: 4 },
);
const RUNS = Number(process.env["CRASH_RUNS"] ?? 60);

/** A process that dies at a commit: what it sends from then on reaches nobody, and it hears nothing any more. */
function dieAt(mill: Millrace, at: { readonly commit: number; readonly isAfter: boolean }) {
  const died = Promise.withResolvers<void>();
  const { store } = mill;
  const apply = store.apply.bind(store);
  const never = new Promise<never>(() => {});
  let commits = 0;
  store.apply = async (writes) => {
    commits += 1;
    if (commits < at.commit) return await apply(writes);
    if (commits === at.commit && at.isAfter) await apply(writes);
    died.resolve();
    return await never;
  };
  store.beat = () => never;
  store.renewLeases = () => never;
  return died.promise;
}

/** Works until the run has ended or the process died; the run's result, if it has one. */
async function workUntilDeath(
  url: string,
  made: Pipeline,
  options: {
    readonly crash: { readonly commit: number; readonly isAfter: boolean };
    readonly begin: (mill: Millrace) => Promise<RunHandle>;
  },
): Promise<RunResult | null> {
  const mill = await openMillrace({ store: url, pipelines: [made], machine: makeDeadMachine() });
  const died = dieAt(mill, options.crash);
  const result = await Promise.race([
    died.then(() => null),
    options.begin(mill).then((run) => run.result()),
  ]);
  await mill.store.close();
  return result;
}

function summarize(result: RunResult): unknown {
  const stages = Object.values(result.stages).map(({ stage, state, reason, error, items }) => ({
    stage,
    state,
    reason,
    class: error?.class,
    // A map may learn that there is nothing to do before or after it has its list.
    items: state === "skipped" ? undefined : items,
  }));
  const { state, warnings, metrics, outputs } = result;
  return { state, warnings, metrics, outputs: plain(outputs), stages };
}

test("G4: a run ends the same, whenever its processes die", { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(plans, CRASHES, async (stagePlans, crashes) => {
      const wanted = await makeRandomPipeline(stagePlans).run(undefined);
      const world = makeDurableWorld();
      const calls: string[] = [];
      const done = new Set<string>();
      const made = makeRandomPipeline(stagePlans, (ctx) => {
        const name = `${ctx.runId} ${ctx.stage} ${ctx.item?.key ?? ""}`;
        calls.push(`${name} ${ctx.attempt}`);
        assert.ok(!done.has(name), `${name} was committed and is done again`);
      });
      const looker = await world.open([made]);
      const remember = async (): Promise<string | undefined> => {
        const [run] = await looker.store.listRuns({ limit: 1 });
        if (run === undefined) return undefined;
        const { stages, items } = await looker.store.loadCheckpoints(run.id);
        const unstored = new Set(stagePlans.flatMap((plan, n) => (plan.persist ? [] : [`s${n}`])));
        for (const { stage, state, itemCount } of stages)
          if (state === "succeeded" && itemCount === null && !unstored.has(stage))
            done.add(`${run.id} ${stage} `);
        for (const [stage, list] of items)
          for (const { key, state } of list)
            if (state === "succeeded" && !unstored.has(stage))
              done.add(`${run.id} ${stage} ${key}`);
        return run.id;
      };
      let result: RunResult | null = null;
      for (const crash of crashes) {
        const id = await remember();
        // Its last process died after the end, and before it could hear of it.
        if (id !== undefined && isRunOver((await looker.run(id)).state)) break;
        result = await workUntilDeath(world.url, made, {
          crash,
          begin: (mill) =>
            id === undefined ? mill.start(made, undefined) : mill.resume(id, { here: true }),
        });
        if (result !== null) break;
      }
      if (result === null) result = await finish(looker, made, await remember());
      assert.deepEqual(summarize(result), summarize(wanted));
      const stored = await looker.result("last");
      assert.deepEqual(summarize(stored), summarize(wanted));
    }),
    { numRuns: RUNS },
  );
});

async function finish(mill: Millrace, made: Pipeline, id: string | undefined): Promise<RunResult> {
  if (id === undefined) return await (await mill.start(made, undefined)).result();
  if (isRunOver((await mill.run(id)).state)) return await mill.result(id);
  return await (await mill.resume(id, { here: true })).result();
}
