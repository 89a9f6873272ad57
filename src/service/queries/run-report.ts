// What a run did and where its time went, read from its store: for a report that outlives the terminal.

import type { Store } from "../../storage/store.ts";
import type { FailureView } from "../views/failure-view.ts";
import type { RunView } from "../views/run-view.ts";
import type { StageView } from "../views/stage-view.ts";
import { measureTimes, type Percentiles } from "../report/percentiles.ts";
import { listItems } from "./list-items.ts";
import { showRun } from "./show-run.ts";
import { PAGE_ROWS_MAX } from "../../model/limits.ts";

/** How long the items of a map stage took that succeeded by being worked on, ms. */
export interface ItemTimes extends Percentiles {
  readonly stage: string;
}

/** A report of one run. Fields are only added within a version. */
export interface RunReport {
  readonly schema: "millrace.report/1";
  readonly run: RunView;
  /** In the order of their needs. */
  readonly stages: readonly StageView[];
  /** Of map stages. */
  readonly percentiles: readonly ItemTimes[];
  /** Time that stages and items spent waiting, by cause. */
  readonly waitedMs: Readonly<Record<string, number>>;
  /** By kind, the most frequent first. */
  readonly failures: readonly FailureView[];
  /** Items that failed in further kinds. */
  readonly otherFailures: number;
}

/** Reads a report. RUN_NOT_FOUND. */
export async function readRunReport(store: Store, reference: string): Promise<RunReport> {
  const { run, stages, failures, unread } = await showRun(store, reference);
  const percentiles: ItemTimes[] = [];
  for (const { stage, items } of stages) {
    if (items === undefined || items.total === 0) continue;
    const times = measureTimes(await readTimes(store, run.id, stage));
    if (times !== undefined) percentiles.push({ stage, ...times });
  }
  return {
    schema: "millrace.report/1",
    run,
    stages,
    percentiles,
    waitedMs: run.waitedMs,
    failures: failures.toSorted((one, other) => other.count - one.count),
    otherFailures: unread,
  };
}

async function readTimes(store: Store, run: string, stage: string): Promise<readonly number[]> {
  const times: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await listItems(store, {
      run,
      stage,
      states: ["succeeded"],
      limit: PAGE_ROWS_MAX,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { via, durationMs } of page.items) {
      if (via === "run" && durationMs !== undefined) times.push(durationMs);
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return times;
}
