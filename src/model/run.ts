// The run: one passage of a pipeline over one input, the unit that is queued, leased and resumed.
// States are words of the vocabulary; which may follow which stands in `transition.ts`.

import type { EncodedValue } from "../std/value.ts";
import type { Failure } from "./outcome.ts";
import type { Lease } from "./lease.ts";
import type { ScheduledFor } from "./schedule/schedule.ts";

/** Every state a run can have. The last four are final; only `resume` reopens `failed` and `cancelled`. */
export const RUN_STATES = [
  "queued",
  "running",
  "waiting",
  "succeeded",
  "failed",
  "skipped",
  "cancelled",
] as const;

/** State of a run. */
export type RunState = (typeof RUN_STATES)[number];

/** Where a run was started from; text chosen by the starter, at most 64 characters. */
export type RunSource = string;

/** What is kept of a run. Times are UTC ms of the store's clock; null means "not yet" or "none". */
export interface RunRecord {
  /** UUID v7; the key everywhere inside. */
  readonly id: string;
  /** Given by the store, rising from 1; shown in Crockford base32 as the short name. */
  readonly number: number;
  readonly pipeline: string;
  /** Hash of the definition that the run last worked under. */
  readonly definitionHash: string;
  /** The caller's own key, unique per pipeline while the run is kept; null when none was given. */
  readonly key: string | null;
  readonly input: EncodedValue;
  /** Hash of `input`: finds earlier runs over the same input. */
  readonly inputVersion: string;
  readonly state: RunState;
  /** Of a `waiting`, `failed`, `cancelled` or `skipped` run: why, in a word or sentence. */
  readonly reason: string | null;
  /** True: owned from birth by the process that started it, taken by no worker unasked. */
  readonly foreground: boolean;
  /** Higher starts first; a whole number, -1,000 to 1,000. 0 unless one was given. */
  readonly priority: number;
  /** May start from then on. Claims go by this time, one minute earlier per unit of priority. */
  readonly dueAtMs: number;
  /** Of a `waiting` run that goes back to its queue by itself: when; null otherwise. */
  readonly wakeAtMs: number | null;
  /** Claims lost to crashes in a row; a checkpoint that is committed sets it back to 0. */
  readonly attempts: number;
  /** Id of the batch it was enqueued with; null: none. */
  readonly batch: string | null;
  readonly epoch: number;
  readonly lease: Lease | null;
  /** Claims so far that ended in a crash of the owner. */
  readonly crashes: number;
  readonly resumes: number;
  /** Attempts of stages and items that ended in a retry, over the whole life of the run. */
  readonly retries: number;
  /** Id of the run that this one was made from (`rerun`, `--from`) or that started it; null: none. */
  readonly parent: string | null;
  readonly source: RunSource;
  readonly tags: Readonly<Record<string, string>>;
  /** Settings the run was started with: skip list, concurrency, deadline ... */
  readonly settings: RunSettings;
  readonly cancelRequestedAtMs: number | null;
  readonly cancelReason: string | null;
  readonly queuedAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly updatedAtMs: number;
  /** Active time in ms (waiting for `resume` not counted); null before the end. */
  readonly durationMs: number | null;
  readonly warnings: number;
  readonly failure: Failure | null;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What the caller chose for one run, kept so that `resume` goes on under the same rules. */
export interface RunSettings {
  /** Stages that end `skipped` with reason `operator`. */
  readonly skip?: readonly string[];
  /** Only these stages run; the others end `skipped`. */
  readonly only?: readonly string[];
  /** Attempts at once of this run. Default 32. */
  readonly concurrency?: number;
  /** False: go on with whatever does not depend on a failure, whatever the pipeline says. */
  readonly failFast?: boolean;
  /** True: one attempt each. */
  readonly noRetry?: boolean;
  /** Stages whose results are made anew although the cache may have them, and stored there; true: all. */
  readonly force?: true | readonly string[];
  /** Longest active time of the run in ms, from its start or resume. */
  readonly deadlineMs?: number;
  /** Of a run that was started although its pipeline was not healthy: how that was. */
  readonly override?: string;
  /** Stages whose checkpoints were taken over from `parent`, for `show`. */
  readonly from?: string;
  /** Of a run that a schedule started: for which tick. Reruns keep it. */
  readonly scheduled?: ScheduledFor;
  /** Trace that it was enqueued or started in, as the W3C writes it. */
  readonly traceparent?: string;
}

/** Code of the failure of a run that was taken from its process by force: what ended it, where all else is the same. */
export const FORCED_CODE = "FORCED";

/** True for a run that was taken from its process by force (`cancel --force`). */
export function isForced({ state, failure }: Pick<RunRecord, "state" | "failure">): boolean {
  return state === "cancelled" && failure?.code === FORCED_CODE;
}

/** True for the states that end a run. */
export function isRunOver(state: RunState): boolean {
  return (
    state === "succeeded" || state === "failed" || state === "skipped" || state === "cancelled"
  );
}
