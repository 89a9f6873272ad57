// How long a pipeline and its stages take: half, 95 % and the longest of the last successes, exactly. Kept while a
// service runs; what was taken from a cache or a checkpoint is not in it.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import { parseDurations } from "../../policy/rollup/duration-window.ts";
import { durationPrefix } from "../../policy/rollup/roll-up-entry.ts";
import type { Store } from "../../storage/store.ts";
import { measureTimes } from "../report/percentiles.ts";

/** How long something took. */
export interface DurationView {
  /** Of the last so many, 1 to 200. */
  readonly count: number;
  /** Successes since it is kept. */
  readonly total: number;
  /** Half of them took no longer, ms. */
  readonly medianMs: number;
  /** 95 % of them took no longer, ms. */
  readonly p95Ms: number;
  readonly maxMs: number;
}

/** Durations of a pipeline. */
export interface PipelineDurations {
  /** Absent: no run of it has succeeded since durations are kept. */
  readonly run?: DurationView;
  /** By name; without stages of which there are none. Also stages that it had once. */
  readonly stages: Readonly<Record<string, DurationView>>;
}

/** Reads them; empty for a pipeline that nobody knows. */
export async function readDurations(
  store: Pick<Store, "listRecords">,
  pipeline: string,
): Promise<PipelineDurations> {
  const prefix = durationPrefix(pipeline);
  const stages = new Map<string, DurationView>();
  let after: string | undefined;
  for (;;) {
    const page = await store.listRecords({
      collection: "rollups",
      prefix,
      limit: PAGE_ROWS_MAX,
      ...(after === undefined ? {} : { after }),
    });
    for (const { key, value } of page) {
      const view = toView(value);
      if (view !== undefined) stages.set(key.slice(prefix.length), view);
    }
    after = page.at(-1)?.key;
    if (page.length < PAGE_ROWS_MAX) break;
  }
  const run = stages.get("");
  stages.delete("");
  return { ...(run === undefined ? {} : { run }), stages: Object.fromEntries(stages) };
}

function toView(value: unknown): DurationView | undefined {
  const { total, recentMs } = parseDurations(value);
  const measured = measureTimes(recentMs);
  if (measured === undefined) return undefined;
  const { count, p50Ms, p95Ms, maxMs } = measured;
  return { count, total, medianMs: round(p50Ms), p95Ms: round(p95Ms), maxMs: round(maxMs) };
}

/** Thousandths of a millisecond are noise, and many digits. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
