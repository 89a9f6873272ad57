// A page of summaries of finished runs, newest first. Each run costs two short reads besides its row (its stages without
// their outputs, and the counts of its items where it has any), so that a page of 100 is some 200 of them and no more.

import type { RunRecord, RunState } from "../../model/run.ts";
import { parseCrockford } from "../../std/crockford.ts";
import type { Store } from "../../storage/store.ts";
import { runName } from "../queries/find-run.ts";
import { checkPageLimit, cursorInvalid } from "../queries/page-limit.ts";
import {
  isEndedRun,
  toSummaryView,
  type EndedRun,
  type RunSummaryView,
} from "../views/summary-view.ts";

/** What history reads from a store. */
export type HistoryStore = Pick<Store, "listRuns" | "listStageEnds" | "countItems">;

/** Which finished runs. Absent: all. */
export interface HistoryQuery {
  /** Default: all that end a run. */
  readonly states?: readonly RunSummaryView["state"][];
  readonly pipeline?: string;
  /** Queued at this UTC ms or later. */
  readonly sinceMs?: number;
  readonly tag?: readonly [key: string, value: string];
  /** 1 to 500. Default 20. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** One page. */
export interface HistoryPage {
  readonly summaries: readonly RunSummaryView[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** States that end a run. */
export const ENDED_STATES: readonly RunState[] = ["succeeded", "failed", "skipped", "cancelled"];

/** Lists summaries. OPTION_INVALID for a bad limit or cursor. */
export async function listHistory(
  store: HistoryStore,
  query: HistoryQuery = {},
): Promise<HistoryPage> {
  const limit = checkPageLimit(query.limit);
  const { states = ENDED_STATES, pipeline, sinceMs, tag, cursor } = query;
  const beforeNumber = cursor === undefined ? undefined : parseCrockford(cursor);
  if (cursor !== undefined && beforeNumber === undefined) throw cursorInvalid(cursor);
  const found = await store.listRuns({
    states,
    limit,
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(tag === undefined ? {} : { tag }),
    ...(beforeNumber === undefined ? {} : { beforeNumber }),
  });
  const summaries = await summarize(store, found);
  const last = found.at(-1);
  const isLast = last === undefined || found.length < limit || last.number === 1;
  return { summaries, ...(isLast ? {} : { nextCursor: runName(last) }) };
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
