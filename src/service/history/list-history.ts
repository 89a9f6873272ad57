// A page of summaries of finished runs, newest first. Each run costs two short reads besides its row (its stages without
// their outputs, and the counts of its items where it has any), so that a page of 100 is some 200 of them and no more.

import type { RunRecord, RunState } from "../../model/run.ts";
import type { Store } from "../../storage/store.ts";
import type { PageCursors } from "../queries/page-limit.ts";
import { readRunPage, type RunPlace } from "../queries/run/run-page.ts";
import {
  isEndedRun,
  toSummaryView,
  type EndedRun,
  type RunSummaryView,
} from "../views/summary-view.ts";

/** What history reads from a store. */
export type HistoryStore = Pick<Store, "listRuns" | "listStageEnds" | "countItems">;

/** Which finished runs. Absent: all. */
export interface HistoryQuery extends RunPlace {
  /** Default: all that end a run. */
  readonly states?: readonly RunSummaryView["state"][];
  readonly pipeline?: string;
  /** Queued at this UTC ms or later. */
  readonly sinceMs?: number;
  readonly tag?: readonly [key: string, value: string];
}

/** One page. */
export interface HistoryPage extends PageCursors {
  readonly summaries: readonly RunSummaryView[];
}

/** States that end a run. */
export const ENDED_STATES: readonly RunState[] = ["succeeded", "failed", "skipped", "cancelled"];

/** Lists summaries. RUN_NOT_FOUND for an unknown `around`, OPTION_INVALID for a bad limit or cursor. */
export async function listHistory(store: Store, query: HistoryQuery = {}): Promise<HistoryPage> {
  const { states = ENDED_STATES, pipeline, sinceMs, tag, ...place } = query;
  const filter = {
    states,
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(tag === undefined ? {} : { tag }),
  };
  const { runs, cursors } = await readRunPage(store, filter, place);
  return { summaries: await summarize(store, runs), ...cursors };
}

/** Summaries of those that have ended, in the order of the runs. */
export async function summarize(
  store: HistoryStore,
  runs: readonly RunRecord[],
): Promise<readonly RunSummaryView[]> {
  const views: RunSummaryView[] = [];
  for (const run of runs.filter(isEndedRun)) views.push(await summarizeRun(store, run));
  return views;
}

async function summarizeRun(store: HistoryStore, run: EndedRun): Promise<RunSummaryView> {
  const stages = await store.listStageEnds(run.id);
  const hasItems = stages.some(({ itemCount }) => itemCount !== null);
  return toSummaryView(run, stages, hasItems ? await store.countItems(run.id) : new Map());
}
