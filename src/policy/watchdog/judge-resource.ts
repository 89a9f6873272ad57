// Whether a resource hangs: a breaker that stays open, a permit that outlives its attempt.

import { BREAKER_OPEN_MS_WARN, PERMIT_LATE_MS_MAX } from "../../model/limits.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Sighting } from "./finding.ts";

/** A breaker that is not closed. */
export interface WatchedBreaker {
  readonly resource: string;
  readonly key: string;
}

/** Told once it was seen so for an hour, however often a probe failed meanwhile. */
export function judgeBreaker({ resource, key }: WatchedBreaker): Sighting {
  const name = key === "" ? resource : `${resource}/${key}`;
  return {
    rule: "breaker-open",
    subject: name,
    holdMs: BREAKER_OPEN_MS_WARN,
    message: `The breaker of ${name} has not closed for ${formatDuration(BREAKER_OPEN_MS_WARN)}.`,
    next: `npx millrace resources list ${resource}`,
  };
}

/** A permit that is held. Times of the store, ms. */
export interface WatchedPermit {
  readonly resource: string;
  readonly key: string;
  readonly run: string;
  readonly runId: string;
  readonly stage: string;
  readonly takenAtMs: number;
  /** Of its attempt; null: it may take as long as it likes. */
  readonly timeoutMs: number | null;
}

/** It is held for longer than its attempt may last. */
export function judgePermit(permit: WatchedPermit, nowMs: number): Sighting | undefined {
  const { resource, key, run, stage, takenAtMs, timeoutMs } = permit;
  if (timeoutMs === null || nowMs - takenAtMs <= timeoutMs + PERMIT_LATE_MS_MAX) return undefined;
  const name = key === "" ? resource : `${resource}/${key}`;
  const held = formatDuration(Math.round((nowMs - takenAtMs) / 1_000) * 1_000);
  return {
    rule: "permit-old",
    subject: `${name} ${run}/${stage}`,
    runId: permit.runId,
    message: `A permit of ${name} is held by ${run}/${stage} for ${held}; its attempt may take ${formatDuration(timeoutMs)}.`,
    next: `npx millrace cancel ${run} --force`,
  };
}
