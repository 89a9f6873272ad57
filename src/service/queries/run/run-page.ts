// A page of runs by number, both ways: what follows it, what stands before it, or what stands around one run. Places are
// numbers, so that runs that come or go meanwhile neither repeat a run nor leave one out.

import type { RunRecord } from "../../../model/run.ts";
import { parseCrockford, toCrockford } from "../../../std/crockford.ts";
import type { RunQuery, Store } from "../../../storage/store.ts";
import { findRun } from "../find-run.ts";
import {
  checkPageLimit,
  cursorInvalid,
  cutAround,
  placeInvalid,
  type PageCursors,
} from "../page-limit.ts";

/** Which page. Absent: the first, which begins with the newest run. */
export interface RunPlace {
  /** 1 to 500. Default 20. */
  readonly limit?: number;
  /** `nextCursor` or `previousCursor` of another page. */
  readonly cursor?: string;
  /** Any name of a run, instead of a cursor: the page that holds it, in the midst where there are runs enough. One that
   *  the filters leave out is not in it; its neighbours are. */
  readonly around?: string;
}

/** One page, newest first. */
export interface RunRecordPage {
  readonly runs: readonly RunRecord[];
  readonly cursors: PageCursors;
}

/** Which runs, wherever they stand. */
export type RunFilter = Omit<RunQuery, "limit" | "beforeNumber" | "afterNumber">;

/** Reads a page. RUN_NOT_FOUND for an unknown run in its midst, OPTION_INVALID for a bad limit or cursor. */
export async function readRunPage(
  store: Store,
  filter: RunFilter,
  { cursor, around, limit: asked }: RunPlace,
): Promise<RunRecordPage> {
  const limit = checkPageLimit(asked);
  if (around !== undefined) {
    if (cursor !== undefined) throw placeInvalid();
    return await readAround(store, { ...filter, limit }, (await findRun(store, around)).number);
  }
  const { isUpwards, number } = parseCursor(cursor);
  const place = isUpwards ? { afterNumber: number } : { beforeNumber: number };
  const runs = await store.listRuns({ ...filter, limit, ...(cursor === undefined ? {} : place) });
  const isFull = runs.length === limit;
  // Behind the place where it was looked for, where nothing was found there.
  const newest = runs[0]?.number ?? number - 1;
  const oldest = runs.at(-1)?.number ?? number + 1;
  return {
    runs,
    cursors: toCursors({
      next: isUpwards || isFull ? oldest : null,
      previous: cursor !== undefined && (!isUpwards || isFull) ? newest : null,
    }),
  };
}

async function readAround(
  store: Store,
  query: RunFilter & { readonly limit: number },
  number: number,
): Promise<RunRecordPage> {
  const older = await store.listRuns({ ...query, beforeNumber: number + 1 });
  const newer = await store.listRuns({ ...query, afterNumber: number });
  const { rows: runs, hasAbove, hasBelow } = cutAround(newer, older, query.limit);
  const next = hasBelow ? runs.at(-1)?.number : undefined;
  const previous = hasAbove ? runs[0]?.number : undefined;
  return { runs, cursors: toCursors({ next: next ?? null, previous: previous ?? null }) };
}

const UPWARDS = ".newer";

interface Place {
  readonly isUpwards: boolean;
  readonly number: number;
}

function parseCursor(cursor: string | undefined): Place {
  if (cursor === undefined) return { isUpwards: false, number: 0 };
  const isUpwards = cursor.endsWith(UPWARDS);
  const name = isUpwards ? cursor.slice(0, -UPWARDS.length) : cursor;
  const number = parseCrockford(name);
  if (number === undefined || !isGiven({ isUpwards, number }, name)) throw cursorInvalid(cursor);
  return { isUpwards, number };
}

/** Letter by letter as it was given, and with numbers on both sides: cursors of other lists may be read as numbers too. */
function isGiven({ isUpwards, number }: Place, name: string): boolean {
  const isInside = number >= (isUpwards ? 0 : 1) && number < Number.MAX_SAFE_INTEGER;
  return isInside && toCrockford(number) === name;
}

function toCursors(from: {
  readonly next: number | null;
  readonly previous: number | null;
}): PageCursors {
  const { next, previous } = from;
  return {
    ...(next === null || next <= 1 ? {} : { nextCursor: toCrockford(next) }),
    ...(previous === null ? {} : { previousCursor: `${toCrockford(previous)}${UPWARDS}` }),
  };
}
