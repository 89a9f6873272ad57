// Where the runs of a store stand: maintained counts by pipeline and state, what is due the longest, and from a
// bounded look at the newest runs how fast they end and what they wait for. Its cost does not grow with the store.

import { PAGE_ROWS_MAX } from "../../../model/limits.ts";
import { RUN_STATES, type RunRecord, type RunState } from "../../../model/run.ts";
import type { Store } from "../../../storage/store.ts";
import { findGate } from "../../views/gate-blocker.ts";
import { findRunBlocker, isGateReason } from "../../views/run-view.ts";
import { KeptAnswers } from "../kept-answer.ts";
import { readRunFacts } from "../run-facts.ts";

/** How many runs are in each state; `total` is their sum. */
export type RunCounts = { readonly total: number } & Readonly<Record<RunState, number>>;

/** The queue of one pipeline. */
export interface PipelineStats {
  readonly pipeline: string;
  readonly counts: RunCounts;
  /** How long the next run to be claimed has been due, ms; null: none is queued. */
  readonly oldestDueMs: number | null;
  /** Runs that ended in the last minute; an estimate from the newest where there were many. */
  readonly perMinute: number;
  /** Until what is queued has ended at this rate, ms. Absent: nothing ends, or nothing is queued. */
  readonly drainMs?: number;
}

/** What runs wait for. */
export interface WaitingStats {
  /** A kind of blocker, such as `due` or `retry`. */
  readonly kind: string;
  /** The resource, without its key; the kind where there is none, and of runs beyond the newest 100 that wait for one. */
  readonly name: string;
  /** Among the newest 500 runs that wait. */
  readonly count: number;
}

/** All queues of a store. */
export interface QueueStats extends RunCounts {
  /** In order of name. */
  readonly pipelines: readonly PipelineStats[];
  /** Most frequent first. */
  readonly waitsFor: readonly WaitingStats[];
}

const MINUTE_MS = 60_000;
/** Ended runs of one state that are looked at for the rate. */
const RATE_RUNS_MAX = 50;

const kept = new KeptAnswers<QueueStats>();

/** Counts runs. The answer is kept while nothing changes, for a second at most. */
export async function readQueueStats(store: Store): Promise<QueueStats> {
  return await kept.get(store, "", () => readStats(store));
}

async function readStats(store: Store): Promise<QueueStats> {
  const counts = await store.countRuns();
  const pipelines: PipelineStats[] = [];
  for (const [pipeline, stored] of counts) {
    const known = toRunCounts([stored]);
    if (known.total > 0) pipelines.push(await readPipeline(store, pipeline, known));
  }
  pipelines.sort((left, right) => (left.pipeline < right.pipeline ? -1 : 1));
  const all = toRunCounts([...counts.values()]);
  return { ...all, pipelines, waitsFor: all.waiting === 0 ? [] : await readWaiting(store) };
}

async function readPipeline(
  store: Store,
  pipeline: string,
  counts: RunCounts,
): Promise<PipelineStats> {
  const next = counts.queued === 0 ? undefined : await store.findNextQueued(pipeline);
  const perMinute = await readRate(store, pipeline);
  const oldestDueMs = next === undefined ? null : Math.max(0, store.nowMs() - next.dueAtMs);
  const drainMs = Math.round((counts.queued / perMinute) * MINUTE_MS);
  const hasDrain = counts.queued > 0 && perMinute > 0;
  return { pipeline, counts, oldestDueMs, perMinute, ...(hasDrain ? { drainMs } : {}) };
}

async function readRate(store: Store, pipeline: string): Promise<number> {
  const nowMs = store.nowMs();
  let perMinute = 0;
  for (const state of ["succeeded", "failed", "skipped"] as const) {
    const ends = await store.listRunEnds({ pipeline, state, limit: RATE_RUNS_MAX });
    const ages = ends.map(({ endedAtMs }) => nowMs - endedAtMs).filter((age) => age < MINUTE_MS);
    // There may be more of them than were looked at: then they tell the rate of a shorter time.
    const spanMs = ages.length < RATE_RUNS_MAX ? MINUTE_MS : Math.max(1, ...ages);
    perMinute += Math.round((ages.length / spanMs) * MINUTE_MS);
  }
  return perMinute;
}

async function readWaiting(store: Store): Promise<readonly WaitingStats[]> {
  const runs = await store.listRuns({ states: ["waiting"], limit: PAGE_ROWS_MAX });
  const found = new Map<string, { kind: string; name: string; count: number }>();
  let looked = 0;
  for (const run of runs) {
    const kind = run.reason ?? "interrupted";
    const isNamed = isGateReason(run.reason) && looked < NAMED_RUNS_MAX;
    if (isNamed) looked += 1;
    const name = isNamed ? await readResourceName(store, run) : kind;
    const known = found.get(`${kind}/${name}`);
    if (known === undefined) found.set(`${kind}/${name}`, { kind, name, count: 1 });
    else known.count += 1;
  }
  return [...found.values()].sort((left, right) => right.count - left.count);
}

/** Runs of which it is read for which resource they wait. */
const NAMED_RUNS_MAX = 100;

async function readResourceName(store: Store, run: RunRecord): Promise<string> {
  const blocker = findRunBlocker(await readRunFacts(store, run));
  return (blocker === undefined ? undefined : findGate(blocker)?.resource) ?? run.reason ?? "";
}

/** The counts of several places, added up. */
export function toRunCounts(
  stored: readonly Readonly<Partial<Record<RunState, number>>>[],
): RunCounts {
  const sum = (state: RunState): number =>
    stored.reduce((count, states) => count + (states[state] ?? 0), 0);
  return {
    total: RUN_STATES.reduce((count, state) => count + sum(state), 0),
    queued: sum("queued"),
    running: sum("running"),
    waiting: sum("waiting"),
    succeeded: sum("succeeded"),
    failed: sum("failed"),
    skipped: sum("skipped"),
    cancelled: sum("cancelled"),
  };
}
