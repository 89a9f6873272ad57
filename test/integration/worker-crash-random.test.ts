// Made-up pipelines in a queue, whose workers die or are told to stop at made-up commits: however often, they end as
// if nothing had happened, and nothing that was committed is done again.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "vitest";
import { MillraceError, openMillrace, type Millrace } from "../../src/exports/index.ts";
import type { Pipeline, RunResult } from "../../src/exports/index.ts";
import { isRunOver } from "../../src/model/run.ts";
import { makeDeadMachine } from "../support/durable/durable-world.ts";
import { checkCounts, checkNoLease, readEvents } from "../support/queue-world.ts";
import { makeRandomPipeline, plain, plans, type StagePlan } from "../support/random-pipeline.ts";

/** Made-up pipelines. More with CRASH_RUNS. */
const PIPELINES = Number(process.env["CRASH_RUNS"] ?? 40);
/** The same pipelines each time; CRASH_SEED draws others. */
const SEED = Number(process.env["CRASH_SEED"] ?? 20_261_121);

/** How a worker ends, and at which of its commits. */
interface End {
  readonly how: "dies before" | "dies after" | "is stopped" | "drains";
  readonly commit: number;
}

const ends: fc.Arbitrary<readonly End[]> = fc
  .array(
    fc.record({
      how: fc.constantFrom("dies before", "dies after", "is stopped", "drains"),
      commit: fc.integer({ min: 1, max: 12 }),
    }),
    { maxLength: 4 },
  )
  // A third death in a row would fail the run.
  .filter((all) => all.filter(({ how }) => how.startsWith("dies")).length < 3);

/** A process that dies at a commit: what it sends from then on reaches nobody, and it hears nothing any more. */
function dieAt(mill: Millrace, end: End): Promise<void> {
  const died = Promise.withResolvers<void>();
  const { store } = mill;
  const apply = store.apply.bind(store);
  const isDead = (): Promise<never> =>
    Promise.reject(new MillraceError("STORE_CLOSED", "This process is dead."));
  let commits = 0;
  store.apply = async (writes) => {
    // A look for runs that wake changes nothing here.
    if (writes.every(({ kind }) => kind === "wake-runs")) return await apply(writes);
    commits += 1;
    if (commits < end.commit) return await apply(writes);
    if (commits === end.commit && end.how === "dies after") await apply(writes);
    died.resolve();
    return await isDead();
  };
  store.beat = isDead;
  store.renewLeases = isDead;
  return died.promise;
}

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

/** One process works until its end, or until the queue is drained. */
async function workUntil(end: End, open: (isDoomed: boolean) => Promise<Millrace>): Promise<void> {
  if (end.how === "dies before" || end.how === "dies after") {
    const mill = await open(true);
    const died = dieAt(mill, end);
    const working = mill.work({ drain: true }).catch(() => undefined);
    await Promise.race([died, working]);
    await mill.close({ drainMs: 0 });
    await working;
    return;
  }
  const mill = await open(false);
  const control = new AbortController();
  tellAt(mill, end.commit, () => control.abort());
  const stopAfterMs = end.how === "drains" ? 1_000 : 0;
  await mill.work({ drain: true, signal: control.signal, stopAfterMs });
  await mill.close();
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

/** What the store has of the run that must not be done again. */
async function readDone(mill: Millrace, run: string, stagePlans: readonly StagePlan[]) {
  const { stages, items } = await mill.store.loadCheckpoints(run);
  const isStored = (stage: string): boolean => stagePlans[Number(stage.slice(1))]?.persist === true;
  const isDone = ({ state }: { readonly state: string }): boolean => state === "succeeded";
  const ofStages = stages.flatMap((one) =>
    isDone(one) && one.itemCount === null && isStored(one.stage) ? [`${one.stage} `] : [],
  );
  const ofItems = [...items].flatMap(([stage, list]) =>
    list.flatMap((one) => (isDone(one) && isStored(stage) ? [`${stage} ${one.key}`] : [])),
  );
  return new Set([...ofStages, ...ofItems]);
}

async function check(stagePlans: readonly StagePlan[], processes: readonly End[]): Promise<void> {
  const wanted = summarize(await makeRandomPipeline(stagePlans).run(undefined));
  const folder = mkdtempSync(join(tmpdir(), "millrace-worker-"));
  const store = `sqlite:${join(folder, "store.db")}`;
  let done: ReadonlySet<string> = new Set<string>();
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
    const { runs } = await looker.enqueue(made, [{ input: undefined }]);
    const id = runs[0]?.run.id ?? "";
    for (const end of [...processes, { how: "drains", commit: Infinity } as const]) {
      done = await readDone(looker, id, stagePlans);
      await workUntil(end, open);
      if (isRunOver((await looker.run(id)).state)) break;
    }
    assert.deepEqual(summarize(await looker.result(id)), wanted);
    assert.deepEqual(repeated, [], "was committed and was done again");
    await checkCounts(looker, made.definition.name);
    await checkNoLease(looker);
    const events = await readEvents(looker, id);
    const { crashes } = await looker.run(id);
    assert.equal(events.filter(({ type }) => type === "run.reclaimed").length, crashes);
  } finally {
    await looker.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

test("G4: a run of a queue ends the same, whenever and however its workers end", async () => {
  await fc.assert(fc.asyncProperty(plans, ends, check), { numRuns: PIPELINES, seed: SEED });
}, 3_600_000);
