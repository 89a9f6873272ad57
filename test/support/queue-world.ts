// What tests of the queue ask of a mill: runs are enqueued by name, their events are read whole, and a doomed
// worker is one that claimed and never answers again.

import assert from "node:assert/strict";
import type { Millrace } from "../../src/exports/index.ts";
import type { MillraceEvent } from "../../src/model/event.ts";
import type { RunRecord } from "../../src/model/run.ts";

/** All stored events of a run, after a check that their numbers have no gap. */
export async function readEvents(mill: Millrace, run: string): Promise<readonly MillraceEvent[]> {
  const events = await mill.store.listEvents({ runId: run, after: 0, limit: 1_000 });
  assert.deepEqual(
    events.map(({ runSeq }) => runSeq),
    events.map((_, index) => index + 1),
    `the events of ${run} have a gap`,
  );
  return events;
}

export async function readTypes(mill: Millrace, run: string): Promise<readonly string[]> {
  return (await readEvents(mill, run)).map(({ type }) => type);
}

/** Everything the store has of a run. */
export async function readAll(mill: Millrace, run: string): Promise<unknown> {
  return {
    run: await mill.run(run),
    checkpoints: await mill.store.loadCheckpoints(run),
    events: await readEvents(mill, run),
  };
}

/** Maintained counts, compared with what the rows say. */
export async function checkCounts(
  mill: Millrace,
  pipeline: string,
): Promise<Readonly<Record<string, number>>> {
  const counted = (await mill.store.countRuns()).get(pipeline) ?? {};
  const found: Record<string, number> = {};
  let before: number | undefined;
  for (;;) {
    const page: readonly RunRecord[] = await mill.store.listRuns({
      pipeline,
      limit: 500,
      ...(before === undefined ? {} : { beforeNumber: before }),
    });
    for (const { state } of page) found[state] = (found[state] ?? 0) + 1;
    before = page.at(-1)?.number;
    if (page.length < 500) break;
  }
  const kept = Object.fromEntries(Object.entries(counted).filter(([, count]) => count !== 0));
  assert.deepEqual(kept, found, "the counters differ from the rows");
  return found;
}

/** Nothing is left in the hands of anybody. */
export async function checkNoLease(mill: Millrace): Promise<void> {
  const runs = await mill.store.listRuns({ limit: 500 });
  const held = runs.filter(({ lease }) => lease !== null).map(({ id }) => id);
  assert.deepEqual(held, [], "these runs still have a lease");
}
