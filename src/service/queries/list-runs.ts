// A page of runs, newest first.

import { RUN_STATES, type RunRecord, type RunState } from "../../model/run.ts";
import type { Store } from "../../storage/store.ts";
import type { RunView } from "../views/run-view.ts";
import { findRun } from "./find-run.ts";
import type { PageCursors } from "./page-limit.ts";
import { readRunPage, type RunFilter, type RunPlace } from "./run/run-page.ts";
import { viewRuns } from "./run/view-run.ts";

/** Which runs. Absent: all. */
export interface RunListQuery extends RunPlace {
  readonly states?: readonly RunState[];
  readonly pipeline?: string;
  /** Runs made from or started by this one, by any of its names. */
  readonly parent?: string;
  /** Queued at this UTC ms or later. */
  readonly sinceMs?: number;
  readonly tag?: readonly [key: string, value: string];
  /** True: with how many there are on all pages, where that is known without reading them. Default false. */
  readonly total?: boolean;
}

/** One page. */
export interface RunPage extends PageCursors {
  readonly runs: readonly RunView[];
  /** Runs on all pages. Absent: it was not asked for, or a parent, time or tag was, by which runs are not counted. */
  readonly total?: number;
}

/** Lists runs. RUN_NOT_FOUND for an unknown parent or `around`, OPTION_INVALID for a bad limit or cursor. */
export async function listRuns(store: Store, query: RunListQuery = {}): Promise<RunPage> {
  const { limit, cursor, around, total, ...rest } = query;
  const filter = await toFilter(store, rest);
  const page = await readRunPage(store, filter, {
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(around === undefined ? {} : { around }),
  });
  const count = total === true ? await countRuns(store, filter) : undefined;
  return {
    runs: await viewRuns(store, page.runs),
    ...(count === undefined ? {} : { total: count }),
    ...page.cursors,
  };
}

async function toFilter(
  store: Store,
  { parent, ...rest }: Pick<RunListQuery, "states" | "pipeline" | "parent" | "sinceMs" | "tag">,
): Promise<RunFilter> {
  return parent === undefined ? rest : { ...rest, parent: (await findRun(store, parent)).id };
}

/** By maintained counters alone, however many runs there are. */
async function countRuns(
  store: Store,
  { states, pipeline, parent, sinceMs, tag }: RunFilter,
): Promise<number | undefined> {
  if (parent !== undefined || sinceMs !== undefined || tag !== undefined) return undefined;
  const counts = await store.countRuns();
  const asked = pipeline === undefined ? [...counts.values()] : [counts.get(pipeline) ?? {}];
  const wanted = new Set<RunState>(states ?? RUN_STATES);
  return asked
    .flatMap((ofPipeline) => [...wanted].map((state) => ofPipeline[state] ?? 0))
    .reduce((sum, count) => sum + count, 0);
}

/** The newest run that `resume` would take: failed, or interrupted. Undefined: there is none. */
export async function findResumable(store: Store): Promise<RunRecord | undefined> {
  const [newest] = await store.listRuns({ limit: 1, states: ["failed", "waiting"] });
  return newest;
}
