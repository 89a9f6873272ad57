// What failed lately over all runs, by kind: read from the events that told it, newest first and up to bounds that the
// answer tells. Nothing is kept for it, so that it costs writers nothing.

import {
  EVENT_SCAN_MAX,
  FAILURE_EVENTS_MAX,
  FAILURE_SPAN_MAX,
  PAGE_ROWS_MAX,
} from "../../model/limits.ts";
import { MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { RunRecord } from "../../model/run.ts";
import type { Store } from "../../storage/store.ts";
import { checkPageLimit } from "../queries/page-limit.ts";
import { toIso } from "../views/time-view.ts";
import { FAILED_TYPES, fingerprintOf, type FailedEvent } from "./failed-event.ts";
import { listMutes } from "./failure-mute.ts";
import {
  groupFailed,
  listSights,
  type FailureFacts,
  type FailureGroupView,
  type FailureSightView,
} from "./group-failed.ts";
import { readKnownFailures } from "./known-failures.ts";

/** Which failures. Absent: all. */
export interface FailuresQuery {
  readonly pipeline?: string;
  /** Told at this UTC ms or later. */
  readonly sinceMs?: number;
  /** Groups, or single failures of one; 1 to 500. Default 20. */
  readonly limit?: number;
}

/** How far back was looked. */
export interface FailuresReach {
  /** False: there may be more, all older. */
  readonly complete: boolean;
  /** Everything after this was looked at. Absent: it is complete. */
  readonly from?: string;
}

/** Kinds of failures. */
export interface FailuresView extends FailuresReach {
  /** Groups there are, of which `groups` holds the first. */
  readonly total: number;
  /** Seen last first. */
  readonly groups: readonly FailureGroupView[];
}

/** One kind of failure. */
export interface FailureKindView extends FailuresReach {
  readonly group: FailureGroupView;
  /** Newest first, as many as were asked for. */
  readonly failures: readonly FailureSightView[];
}

type FailureStore = Pick<Store, "listEvents" | "findRun" | "findRecord" | "listRecords" | "nowMs">;

/** Groups failures by fingerprint. OPTION_INVALID for a bad limit. */
export async function listFailureGroups(
  store: FailureStore,
  query: FailuresQuery = {},
): Promise<FailuresView> {
  const limit = checkPageLimit(query.limit);
  const { told, reach } = await readFailed(store, query);
  const groups = groupFailed(told, await readFacts(store));
  return { ...reach, total: groups.length, groups: groups.slice(0, limit) };
}

/** One group with its failures. RUN_NOT_FOUND if nothing failed so. */
export async function showFailureGroup(
  store: FailureStore,
  fingerprint: string,
  query: FailuresQuery = {},
): Promise<FailureKindView> {
  const limit = checkPageLimit(query.limit);
  const { told, reach, group } = await readFailureKind(store, fingerprint, query);
  if (group === undefined) throw unknownFailure(fingerprint, reach);
  return { ...reach, group, failures: listSights(told).slice(0, limit) };
}

/** One kind as it was told, newest first. */
export interface FailureKind {
  readonly told: readonly FailedEvent[];
  readonly reach: FailuresReach;
  /** Undefined: nothing failed so. */
  readonly group: FailureGroupView | undefined;
}

/** Reads one kind. */
export async function readFailureKind(
  store: FailureStore,
  fingerprint: string,
  query: FailuresQuery = {},
): Promise<FailureKind> {
  const { told, reach } = await readFailed(store, query);
  const own = told.filter(({ event }) => fingerprintOf(event) === fingerprint);
  const [group] = groupFailed(own, await readFacts(store));
  return { told: own, reach, group };
}

async function readFacts(store: FailureStore): Promise<FailureFacts> {
  const [known, mutes] = await Promise.all([readKnownFailures(store), listMutes(store)]);
  return { nowMs: store.nowMs(), known, mutes };
}

/** The fault of a kind as which nothing failed. */
export function unknownFailure(fingerprint: string, { from }: FailuresReach): MillraceError {
  const when = from === undefined ? "" : ` since ${from}`;
  return new MillraceError("RUN_NOT_FOUND", `No run failed with "${fingerprint}"${when}.`, {
    hint: "a fingerprint stands with each failure of a run, and in the list of failures",
    next: "npx millrace runs --state failed",
    details: { given: fingerprint },
  });
}

/** Events that tell failures, newest first, each with its run. */
async function readFailed(
  store: FailureStore,
  { pipeline, sinceMs }: FailuresQuery,
): Promise<{ readonly told: readonly FailedEvent[]; readonly reach: FailuresReach }> {
  const { events, reach } = await scan(store, sinceMs);
  const runs = new Map<string, RunRecord | undefined>();
  const told: FailedEvent[] = [];
  for (const event of events) {
    if (!runs.has(event.run)) runs.set(event.run, await store.findRun(event.run));
    const run = runs.get(event.run);
    if (run === undefined || (pipeline !== undefined && run.pipeline !== pipeline)) continue;
    told.push({ event, run });
  }
  return { told, reach };
}

/** There is no index on types: a long list without failures is passed over in pieces, and not to its end. */
async function scan(
  store: FailureStore,
  sinceMs: number | undefined,
): Promise<{ readonly events: readonly MillraceEvent[]; readonly reach: FailuresReach }> {
  const events: MillraceEvent[] = [];
  const since = sinceMs === undefined ? {} : { sinceMs };
  const [newest] = await store.listEvents({ after: 0, newestFirst: true, limit: 1 });
  let before = (newest?.seq ?? 0) + 1;
  const floor = Math.max(0, before - 1 - FAILURE_SPAN_MAX);
  while (before > floor + 1 && events.length < FAILURE_EVENTS_MAX) {
    const after = Math.max(floor, before - 1 - EVENT_SCAN_MAX);
    const limit = Math.min(PAGE_ROWS_MAX, FAILURE_EVENTS_MAX - events.length);
    const place = { after, before, limit };
    const page = await store.listEvents({
      ...place,
      ...since,
      types: FAILED_TYPES,
      newestFirst: true,
    });
    events.push(...page);
    before = page.length < limit ? after + 1 : (page.at(-1)?.seq ?? after + 1);
  }
  return { events, reach: await findReach(store, before, sinceMs) };
}

/** What stands before the last number that was looked at says whether there is more. */
async function findReach(
  store: FailureStore,
  before: number,
  sinceMs: number | undefined,
): Promise<FailuresReach> {
  const [next] = await store.listEvents({ after: 0, before, newestFirst: true, limit: 1 });
  const isDone = next === undefined || (sinceMs !== undefined && next.atMs < sinceMs);
  return isDone ? { complete: true } : { complete: false, from: toIso(next.atMs) };
}
