// A page of runs, newest first.

import type { RunRecord, RunState } from "../../model/run.ts";
import { parseCrockford } from "../../std/crockford.ts";
import type { RunQuery, Store } from "../../storage/store.ts";
import type { RunView } from "../views/run-view.ts";
import { findRun, runName } from "./find-run.ts";
import { checkPageLimit, cursorInvalid } from "./page-limit.ts";
import { viewRuns } from "./run/view-run.ts";

/** Which runs. Absent: all. */
export interface RunListQuery {
  readonly states?: readonly RunState[];
  readonly pipeline?: string;
  /** Runs made from or started by this one, by any of its names. */
  readonly parent?: string;
  /** Queued at this UTC ms or later. */
  readonly sinceMs?: number;
  readonly tag?: readonly [key: string, value: string];
  /** 1 to 500. Default 20. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** One page. */
export interface RunPage {
  readonly runs: readonly RunView[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** Lists runs. RUN_NOT_FOUND for an unknown parent, OPTION_INVALID for a bad limit or cursor. */
export async function listRuns(store: Store, query: RunListQuery = {}): Promise<RunPage> {
  const limit = checkPageLimit(query.limit);
  const found = await store.listRuns(await toStoreQuery(store, query, limit));
  const runs = await viewRuns(store, found);
  const last = found.at(-1);
  return {
    runs,
    ...(last === undefined || found.length < limit || last.number === 1
      ? {}
      : { nextCursor: runName(last) }),
  };
}

async function toStoreQuery(store: Store, query: RunListQuery, limit: number): Promise<RunQuery> {
  const { states, pipeline, sinceMs, tag, cursor } = query;
  const beforeNumber = cursor === undefined ? undefined : parseCrockford(cursor);
  if (cursor !== undefined && beforeNumber === undefined) throw cursorInvalid(cursor);
  const parent = query.parent === undefined ? undefined : await findRun(store, query.parent);
  return {
    limit,
    ...(states === undefined ? {} : { states }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(tag === undefined ? {} : { tag }),
    ...(parent === undefined ? {} : { parent: parent.id }),
    ...(beforeNumber === undefined ? {} : { beforeNumber }),
  };
}

/** The newest run that `resume` would take: failed, or interrupted. Undefined: there is none. */
export async function findResumable(store: Store): Promise<RunRecord | undefined> {
  const [newest] = await store.listRuns({ limit: 1, states: ["failed", "waiting"] });
  return newest;
}
