// Made-up pipelines whose process dies, or is told to stop, at made-up commits: however often, they end as if
// nothing had happened, and nothing that was committed is done again.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "vitest";
import { openMillrace, type Millrace } from "../../src/exports/index.ts";
import type { Pipeline, RunHandle, RunResult } from "../../src/exports/index.ts";
import { isRunOver } from "../../src/model/run.ts";
import { makeDeadMachine } from "../support/durable/durable-world.ts";
import { makeRandomPipeline, plain, plans, type StagePlan } from "../support/random-pipeline.ts";

/** Made-up pipelines. More with CRASH_RUNS. */
const PIPELINES = Number(process.env["CRASH_RUNS"] ?? 60);

/** How a process ends, and at which of its commits. */
interface End {
  readonly how: "dies before" | "dies after" | "is stopped" | "drains";
  readonly commit: number;
}

const ends: fc.Arbitrary<readonly End[]> = fc.array(
  fc.record({
    how: fc.constantFrom("dies before", "dies after", "is stopped", "drains"),
    commit: fc.integer({ min: 1, max: 12 }),
  }),
  { maxLength: 4 },
);

/** A process that dies at a commit: what it sends from then on reaches nobody, and it hears nothing any more. */
function dieAt(mill: Millrace, end: End): Promise<void> {
  const died = Promise.withResolvers<void>();
  const { store } = mill;
  const apply = store.apply.bind(store);
  const never = new Promise<never>(() => {});
  let commits = 0;
  store.apply = async (writes) => {
    commits += 1;
    if (commits < end.commit) return await apply(writes);
    if (commits === end.commit && end.how === "dies after") await apply(writes);
    died.resolve();
    return await never;
  };
  store.beat = () => never;
  store.renewLeases = () => never;
  return died.promise;
}

/** Calls back with the commit of that number. */
function tellAt(mill: Millrace, commit: number, callback: () => void): void {
  const apply = mill.store.apply.bind(mill.store);
  let commits = 0;
  mill.store.apply = async (writes) => {
    const results = await apply(writes);
    commits += 1;
    if (commits === commit) callback();
    return results;
  };
}

type Begin = (mill: Millrace) => Promise<RunHandle>;

/** One process works until its end; what it heard of the run's, if anything. */
async function workUntil(
  end: End,
  open: (isDoomed: boolean) => Promise<Millrace>,
  begin: Begin,
): Promise<RunResult | null> {
  if (end.how === "dies before" || end.how === "dies after") {
    const mill = await open(true);
    const died = dieAt(mill, end);
    const result = await Promise.race([
      died.then(() => null),
      begin(mill).then((run) => run.result()),
    ]);
    await mill.store.close();
    return result;
  }
  const mill = await open(false);
  const begun: RunHandle[] = [];
  tellAt(mill, end.commit, () => void begun[0]?.interrupt(end.how === "drains" ? 1_000 : 0));
  const run = await begin(mill);
  begun.push(run);
  const result = await run.result();
  await mill.close();
  return result.state === "waiting" ? null : result;
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

/** What the store has of the newest run that must not be done again. */
async function readDone(mill: Millrace, stagePlans: readonly StagePlan[]) {
  const [run] = await mill.store.listRuns({ limit: 1 });
  if (run === undefined) return { run, done: new Set<string>() };
  const { stages, items } = await mill.store.loadCheckpoints(run.id);
  const isStored = (stage: string): boolean => stagePlans[Number(stage.slice(1))]?.persist === true;
  const ofStages = stages.flatMap(({ stage, state, itemCount }) =>
    state === "succeeded" && itemCount === null && isStored(stage) ? [`${stage} `] : [],
  );
  const ofItems = [...items].flatMap(([stage, list]) =>
    list.flatMap(({ key, state }) =>
      state === "succeeded" && isStored(stage) ? [`${stage} ${key}`] : [],
    ),
  );
  return { run, done: new Set([...ofStages, ...ofItems]) };
}

async function check(stagePlans: readonly StagePlan[], processes: readonly End[]): Promise<void> {
  const wanted = summarize(await makeRandomPipeline(stagePlans).run(undefined));
  const folder = mkdtempSync(join(tmpdir(), "millrace-crash-"));
  const store = `sqlite:${join(folder, "store.db")}`;
  let done = new Set<string>();
  const repeated: string[] = [];
  const made: Pipeline = makeRandomPipeline(stagePlans, {
    onCall: (ctx) => {
      const name = `${ctx.stage} ${ctx.item?.key ?? ""}`;
      if (done.has(name)) repeated.push(name);
    },
  });
  const open = (isDoomed: boolean): Promise<Millrace> =>
    openMillrace({
      store,
      pipelines: [made],
      graceMs: 50,
      ...(isDoomed ? { machine: makeDeadMachine() } : {}),
    });
  const looker = await open(false);
  try {
    let result: RunResult | null = null;
    const forEver: End = { how: "drains", commit: Infinity };
    for (const end of [...processes, forEver]) {
      const found = await readDone(looker, stagePlans);
      done = found.done;
      const id = found.run?.id;
      // Its last process died after the end, and before it could hear of it.
      const isOver = id !== undefined && isRunOver((await looker.run(id)).state);
      result = isOver
        ? await looker.result(id)
        : await workUntil(end, open, async (mill) =>
            id === undefined
              ? await mill.start(made, undefined)
              : await mill.resume(id, { here: true }),
          );
      if (result !== null) break;
    }
    assert.ok(result !== null);
    assert.deepEqual(summarize(result), wanted);
    assert.deepEqual(summarize(await looker.result("last")), wanted);
    assert.deepEqual(repeated, [], "was committed and was done again");
  } finally {
    await looker.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run of which some things fail, then everything works: what is made of it must be as if it always had. */
async function heal(stagePlans: readonly StagePlan[], how: Healing): Promise<void> {
  const isHealed = (): boolean => true;
  const wanted = summarize(await makeRandomPipeline(stagePlans, { isHealed }).run(undefined));
  let healed = false;
  const made = makeRandomPipeline(stagePlans, { isHealed: () => healed });
  const mill = await openMillrace({ store: "memory:", pipelines: [made] });
  try {
    const first = await mill.start(made, undefined);
    const { state } = await first.result();
    healed = true;
    const from = { from: `s${how.from % stagePlans.length}` };
    const isFinal = state === "succeeded" || state === "skipped";
    const run =
      how.verb === "resume" && !isFinal
        ? await mill.resume(first.id, { here: true, ...(how.isFrom ? from : {}) })
        : await mill.rerun(first.id, how.isFrom && !isFinal ? from : { onlyFailed: true });
    // What lies beside the stage that is done again from stays as it was, failures and all.
    if (how.isFrom && run.id !== first.id) return;
    assert.deepEqual(summarize(await run.result()), wanted);
    assert.deepEqual(summarize(await mill.result(run.id)), wanted);
  } finally {
    await mill.close();
  }
}

/** How a failed run is mended. */
interface Healing {
  readonly verb: "resume" | "rerun";
  readonly isFrom: boolean;
  readonly from: number;
}

const healings: fc.Arbitrary<Healing> = fc.record({
  verb: fc.constantFrom("resume", "rerun"),
  isFrom: fc.boolean(),
  from: fc.nat(10),
});

/** The same pipelines each time; CRASH_SEED draws others. */
const SEED = Number(process.env["CRASH_SEED"] ?? 20_261_120);

test("a failed run that is resumed or made again ends as one of which nothing ever failed", async () => {
  await fc.assert(fc.asyncProperty(plans, healings, heal), { numRuns: 5 * PIPELINES, seed: SEED });
}, 3_600_000);

test("G4: a run ends the same, whenever and however its processes end", async () => {
  await fc.assert(fc.asyncProperty(plans, ends, check), { numRuns: PIPELINES, seed: SEED });
}, 3_600_000);
