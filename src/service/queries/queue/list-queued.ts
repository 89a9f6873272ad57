// Runs in the queue in the order of claims, each with how many of its pipeline are claimed before it. Between queues
// nothing is promised of who claims first: there it is the order of the same times.

import { QUEUE_AHEAD_MAX } from "../../../model/limits.ts";
import { parseCrockford } from "../../../std/crockford.ts";
import type { RunRecord } from "../../../model/run.ts";
import { claimOrder, isBehind } from "../../../storage/run-rules.ts";
import type { QueuedQuery, Store } from "../../../storage/store.ts";
import { toRunView, type RunView } from "../../views/run-view.ts";
import { toIso } from "../../views/time-view.ts";
import { findPlaceBlocker } from "../find-place-blocker.ts";
import { runName } from "../find-run.ts";
import { KeptAnswers } from "../kept-answer.ts";
import { checkPageLimit, cursorInvalid } from "../page-limit.ts";
import { readRunFacts } from "../run-facts.ts";
import { toBlockerView } from "../../views/blocker-view.ts";

/** Which. */
export interface QueuedListQuery {
  readonly pipeline?: string;
  /** 1 to 500. Default 20. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** A run in the queue. */
export interface QueuedRunView {
  readonly run: RunView;
  /** Runs of its pipeline that are claimed before it; QUEUE_AHEAD_MAX stands for so many or more. */
  readonly ahead: number;
  readonly dueAt: string;
}

/** A page. */
export interface QueuedPage {
  readonly queued: readonly QueuedRunView[];
  readonly nextCursor?: string;
}

const kept = new KeptAnswers<QueuedPage>();

/** Lists them. The page is kept while nothing changes, for a second at most. OPTION_INVALID. */
export async function listQueued(store: Store, query: QueuedListQuery): Promise<QueuedPage> {
  const { pipeline = null, limit = null, cursor = null } = query;
  const key = JSON.stringify([pipeline, limit, cursor]);
  return await kept.get(store, key, () => readPage(store, query));
}

async function readPage(store: Store, query: QueuedListQuery): Promise<QueuedPage> {
  const limit = checkPageLimit(query.limit);
  const after = query.cursor === undefined ? undefined : parsePlace(query.cursor);
  const pipelines = query.pipeline === undefined ? await listQueues(store) : [query.pipeline];
  const found: RunRecord[] = [];
  for await (const run of mergeQueues(store, pipelines, { after, limit })) {
    found.push(run);
    if (found.length === limit) break;
  }
  const ahead = new Map<string, number>();
  const queued: QueuedRunView[] = [];
  for (const run of found) {
    // Counted for the first of each queue: those that follow it here have it and one another ahead.
    const own = ahead.get(run.pipeline) ?? (await store.countAhead(run, QUEUE_AHEAD_MAX));
    ahead.set(run.pipeline, Math.min(QUEUE_AHEAD_MAX, own + 1));
    queued.push(await toView(store, run, own));
  }
  const last = found.at(-1);
  const hasMore = last !== undefined && found.length === limit;
  return { queued, ...(hasMore ? { nextCursor: toCursor(last) } : {}) };
}

async function toView(store: Store, run: RunRecord, ahead: number): Promise<QueuedRunView> {
  const facts = await readRunFacts(store, run);
  const full = await findPlaceBlocker(store, facts);
  const view = toRunView(facts);
  return {
    run: full === undefined ? view : { ...view, blocker: toBlockerView(full) },
    ahead,
    dueAt: toIso(run.dueAtMs),
  };
}

async function listQueues(store: Store): Promise<readonly string[]> {
  const counts = await store.countRuns();
  return [...counts].flatMap(([pipeline, { queued = 0 }]) => (queued > 0 ? [pipeline] : []));
}

type Place = NonNullable<QueuedQuery["after"]>;

interface Terms {
  readonly after: Place | undefined;
  readonly limit: number;
}

/** The heads of all queues, the first of them each time. Of each queue its first run is read, and the others only once
 *  that one was taken, so that many queues cost one look each. */
async function* mergeQueues(
  store: Store,
  pipelines: readonly string[],
  { after, limit }: Terms,
): AsyncGenerator<RunRecord> {
  const heads: RunRecord[][] = [];
  for (const pipeline of pipelines) {
    const size = pipelines.length === 1 ? limit : 1;
    const page = await readQueue(store, pipeline, { after, limit: size });
    if (page.length > 0) heads.push(page);
  }
  for (;;) {
    let first: RunRecord[] | undefined;
    for (const head of heads) if (isBefore(head[0], first?.[0])) first = head;
    const run = first?.shift();
    if (first === undefined || run === undefined) return;
    yield run;
    if (first.length > 0) continue;
    first.push(...(await readQueue(store, run.pipeline, { after: placeOf(run), limit })));
  }
}

async function readQueue(
  store: Store,
  pipeline: string,
  { after, limit }: Terms,
): Promise<RunRecord[]> {
  return [
    ...(await store.listQueued({ pipeline, limit, ...(after === undefined ? {} : { after }) })),
  ];
}

function isBefore(run: RunRecord | undefined, other: RunRecord | undefined): boolean {
  if (run === undefined) return false;
  return other === undefined || isBehind(other, placeOf(run));
}

function placeOf(run: RunRecord): Place {
  return { order: claimOrder(run), number: run.number };
}

function toCursor(run: RunRecord): string {
  return `${claimOrder(run)}_${runName(run)}`;
}

function parsePlace(cursor: string): Place {
  const [, order = "", name = ""] = /^(-?\d{1,16})_(\w+)$/.exec(cursor) ?? [];
  const number = parseCrockford(name);
  if (order === "" || number === undefined) throw cursorInvalid(cursor);
  return { order: Number(order), number };
}
