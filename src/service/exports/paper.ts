// One paper of the older checkpoint form: an item with every map stage it passed through, its times, retries and
// errors. Pure; field names and words are those of that form, which other programs read.

import type { ItemRecord, RetryRecord } from "../../model/checkpoint.ts";
import { ERROR_HISTORY_CHARS_MAX, ERROR_LIST_CHARS_MAX } from "../../model/limits.ts";
import type { StageState } from "../../model/outcome.ts";
import { boundedText } from "../../std/json.ts";
import { toIso } from "../views/time-view.ts";
import { listTrailAttempts } from "./attempt-trail.ts";

/** The words of that form. */
export type PaperStatus =
  | "pending"
  | "in_progress"
  | "retrying"
  | "completed"
  | "failed"
  | "skipped";

/** How one stage went. */
export interface PaperStage {
  readonly status: PaperStatus;
  /** The same in the words of this house, which tell more endings apart. */
  readonly state: StageState;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  /** Seconds; null: not ended. */
  readonly duration: number | null;
  readonly attempts: number;
  readonly retries: number;
  readonly last_error: string | null;
}

/** One attempt that failed. */
export interface PaperError {
  readonly stage: string;
  readonly attempt: number;
  readonly failed_at: string | null;
  readonly class: string;
  /** At most 200 characters. */
  readonly error: string;
  /** Seconds; null: there was no further attempt. */
  readonly next_delay: number | null;
}

/** One item. */
export interface Paper {
  /** The last stage it has come to. */
  readonly stage: string;
  readonly status: PaperStatus;
  readonly stages: Readonly<Record<string, PaperStage>>;
  readonly retries: number;
  readonly started_at: string | null;
  /** Null until every stage it has come to has ended. */
  readonly completed_at: string | null;
  /** At most 500 characters. Stays when a later attempt succeeds. */
  readonly last_error: string | null;
  readonly errors: readonly PaperError[];
}

/** What is stored of one item in one stage. */
export interface PaperPart {
  readonly item: ItemRecord;
  readonly retries: readonly RetryRecord[];
}

/** The paper of one key. `parts` in the order of the pipeline, at least one. */
export function toPaper(parts: readonly [PaperPart, ...PaperPart[]]): Paper {
  const items = parts.map(({ item }) => item);
  const errors = parts.flatMap(({ item, retries }) => listErrors(item, retries));
  const last = items.at(-1) ?? parts[0].item;
  const lastFailure = items.findLast(({ failure }) => failure !== null)?.failure?.message;
  const lastError = lastFailure ?? errors.at(-1)?.error ?? null;
  return {
    stage: last.stage,
    status: toPaperStatus(last.state),
    stages: Object.fromEntries(parts.map((part) => [part.item.stage, toPaperStage(part)])),
    retries: parts.reduce((sum, part) => sum + countRetries(part), 0),
    started_at: isoOf(least(parts.map(firstStartMs))),
    completed_at: items.some(({ state }) => isOpen(state))
      ? null
      : isoOf(most(items.map(({ endedAtMs }) => endedAtMs))),
    last_error: lastError === null ? null : boundedText(lastError, ERROR_LIST_CHARS_MAX),
    errors,
  };
}

const STATUS: Readonly<Record<StageState, PaperStatus>> = {
  pending: "pending",
  running: "in_progress",
  waiting: "retrying",
  succeeded: "completed",
  failed: "failed",
  skipped: "skipped",
  cancelled: "failed",
  upstream_failed: "failed",
};

/** The word of that form for a state. */
export function toPaperStatus(state: StageState): PaperStatus {
  return STATUS[state];
}

function isOpen(state: StageState): boolean {
  return state === "pending" || state === "running" || state === "waiting";
}

function toPaperStage({ item, retries }: PaperPart): PaperStage {
  return {
    status: toPaperStatus(item.state),
    state: item.state,
    started_at: isoOf(firstStartMs({ item, retries })),
    completed_at: isOpen(item.state) ? null : isoOf(item.endedAtMs),
    duration: item.durationMs === null ? null : toSeconds(item.durationMs),
    attempts: item.attempts,
    retries: countRetries({ item, retries }),
    last_error:
      item.failure === null ? null : boundedText(item.failure.message, ERROR_LIST_CHARS_MAX),
  };
}

/** A row has the start of the last attempt alone. */
function firstStartMs({ item, retries }: PaperPart): number | null {
  return least([item.startedAtMs, ...retries.map(({ startedAtMs }) => startedAtMs)]);
}

/** Attempts beyond the first one of this run, a resume's included. */
function countRetries({ item, retries }: PaperPart): number {
  const listed = retries.filter(({ delayMs }) => delayMs !== null).length;
  return Math.max(listed, item.attempts - 1, 0);
}

/** Every attempt that failed, oldest first, as far as the history is kept. */
function listErrors(source: ItemRecord, retries: readonly RetryRecord[]): readonly PaperError[] {
  return listTrailAttempts(source, retries).flatMap((attempt) => {
    if (attempt.class === undefined) return [];
    return [
      {
        stage: source.stage,
        attempt: attempt.n,
        failed_at: attempt.endedAt ?? null,
        class: attempt.class,
        error: boundedText(attempt.message ?? "", ERROR_HISTORY_CHARS_MAX),
        next_delay: attempt.delayMs === undefined ? null : toSeconds(attempt.delayMs),
      },
    ];
  });
}

/** Seconds to the millisecond. */
export function toSeconds(ms: number): number {
  return Math.round(ms) / 1000;
}

/** ISO 8601, or null. */
export function isoOf(atMs: number | null): string | null {
  return atMs === null ? null : toIso(atMs);
}

function least(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function most(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
