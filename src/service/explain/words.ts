// The words of explanations: reasons that are kept as one word, failures and times, as people say them.

import type { RetryRecord } from "../../model/checkpoint.ts";
import type { Failure } from "../../model/outcome.ts";
import { formatDuration } from "../../std/duration.ts";
import { boundedText } from "../../std/json.ts";
import { toIso } from "../views/time-view.ts";

const MESSAGE_CHARS_MAX = 500;

const SKIP_WORDS: ReadonlyMap<string, string> = new Map([
  ["condition", "its `when` said no"],
  ["branch", "another branch was taken"],
  ["empty", "its list was empty"],
  ["upstream_skipped", "something it needs was skipped"],
  ["operator", "it was left out when the run was started (--skip, --only or --until)"],
  ["returned", "its code returned skip()"],
  ["removed", "its item is no longer in the list"],
]);

/** Why something was skipped. An author's own text is quoted. */
export function sayWhySkipped(reason: string | null): string {
  if (reason === null) return "no reason was recorded";
  return SKIP_WORDS.get(reason) ?? `"${reason}"`;
}

const CANCEL_WORDS: ReadonlyMap<string, string> = new Map([
  ["stop_after", "too many items of its map had failed by then (stopAfter)"],
  [
    "sibling_failed",
    "another item failed, and its map ends with the first failure (onItemFailure)",
  ],
  ["list_failed", "the list of its map could not be made to the end"],
]);

/** Why something was cancelled. */
export function sayWhyCancelled(reason: string | null, failedStage: string | undefined): string {
  if (reason === null) return "no reason was recorded";
  if (reason !== "fail_fast") return CANCEL_WORDS.get(reason) ?? `"${reason}"`;
  const who = failedStage === undefined ? "a critical stage" : `"${failedStage}"`;
  return `${who} failed first, and the pipeline ends early then (failFast)`;
}

/** `server: HTTP 502 from scorer`. */
export function sayFailure(failure: Pick<Failure, "class" | "message">): string {
  return `${failure.class}: ${boundedText(failure.message, MESSAGE_CHARS_MAX)}`;
}

/** `since 2026-07-14T09:01:40.002Z (3m 20s)`. */
export function saySince(atMs: number, nowMs: number): string {
  return `since ${toIso(atMs)} (${formatDuration(Math.max(0, nowMs - atMs))})`;
}

const RETRIES_TOLD_MAX = 5;

/** One line for each attempt that failed, the last ones where there were many. */
export function sayRetries(retries: readonly RetryRecord[]): readonly string[] {
  const told = retries.slice(-RETRIES_TOLD_MAX).map(({ attempt, delayMs, ...failed }) => {
    const wait = delayMs === null ? "" : `; then a wait of ${formatDuration(delayMs)}`;
    return `attempt ${attempt} failed with ${failed.class}: ${failed.message}${wait}`;
  });
  const left = retries.length - told.length;
  return left === 0 ? told : [`${left} earlier attempts failed too`, ...told];
}

/** `64 items`, `1 stage`. */
export function sayCount(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
