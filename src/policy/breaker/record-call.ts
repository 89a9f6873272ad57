// What becomes of a breaker when a call that it let go has ended: counted, opened, closed, or nothing. Results of
// permits from before the last move count in the totals alone.

import { HINT_MS_MAX } from "../../model/limits.ts";
import { assert } from "../../std/error/assert.ts";
import type { Random } from "../../std/random.ts";
import { BREAKER_OPEN_MS_MAX, BREAKER_STABLE_MS, findOverride, moveBreaker } from "./breaker.ts";
import type { BreakerState, BreakerTerms } from "./breaker.ts";
import { countBucket, countsSince, isRatioReached } from "./breaker-counts.ts";
import type { BreakerCounts } from "./breaker-counts.ts";
import type { CallOutcome } from "./breaker-outcome.ts";

/** A call that ended. */
export interface EndedCall {
  readonly outcome: CallOutcome;
  /** Of the state that let it go. */
  readonly generation: number;
  /** True: it went as a probe. */
  readonly probe: boolean;
  readonly nowMs: number;
  /** Until when the other side asked to be left alone; followed for 24 h at most. Default: it said nothing. */
  readonly hintUntilMs?: number;
  readonly random: Random;
}

/** What is known before and after a call: what all processes share, and what this one counted. */
export interface BreakerRecord {
  readonly state: BreakerState;
  readonly counts: BreakerCounts;
}

/** What a call changed. */
export interface RecordedCall extends BreakerRecord {
  /** True: the state has another name now, which is worth an event. */
  readonly moved: boolean;
  /** For how long the key is paused, since its credentials were refused `threshold` times in a row; null: not. */
  readonly pauseKeyMs: number | null;
}

/** How long a key is left alone that refuses our credentials, ms: 15 min. */
export const AUTH_PAUSE_MS = 900_000;

/**
 * The state and the counts after a call; `state` as it stands now, never a copy from before the call. Where it
 * differs afterwards and its write loses the compare-and-set, ask again with the state that won and the counts
 * from before.
 */
export function recordCall(
  terms: BreakerTerms,
  { state, counts }: BreakerRecord,
  call: EndedCall,
): RecordedCall {
  assertTerms(terms);
  const total = addTotals(counts, call);
  if (call.generation < state.sinceGeneration) {
    return { state, counts: total, moved: false, pauseKeyMs: null };
  }
  const { counts: counted, pauseKeyMs } = countAuth(
    terms,
    countRow(terms, countsSince(total, state.sinceGeneration), call),
    call,
  );
  const next = judge(terms, { state, counts: counted }, call);
  return { state: next, counts: counted, moved: next.state !== state.state, pauseKeyMs };
}

/** Terms are checked where they are read; a 0 that came through would open for nothing, or for no time. */
function assertTerms({ threshold, recoveryMs, successes }: BreakerTerms): void {
  const isRight = threshold >= 1 && recoveryMs > 0 && successes >= 1;
  assert(isRight, `A breaker cannot have "${threshold}", "${recoveryMs}" and "${successes}".`);
}

function addTotals(counts: BreakerCounts, { outcome, nowMs }: EndedCall): BreakerCounts {
  const calls = counts.calls + 1;
  if (outcome === "success") return { ...counts, calls, successes: counts.successes + 1 };
  if (outcome !== "failure") return { ...counts, calls };
  return { ...counts, calls, failures: counts.failures + 1, lastFailureAtMs: nowMs };
}

/** What is neither success nor failure says nothing about the other side: the row stands. */
function countRow(
  { ratio }: BreakerTerms,
  counts: BreakerCounts,
  { outcome, nowMs }: EndedCall,
): BreakerCounts {
  if (outcome !== "success" && outcome !== "failure") return counts;
  const failed = outcome === "failure";
  const buckets = countBucket(counts.buckets, ratio, { failed, nowMs });
  return { ...counts, buckets, failuresInARow: failed ? counts.failuresInARow + 1 : 0 };
}

function countAuth(
  { threshold }: BreakerTerms,
  counts: BreakerCounts,
  { outcome }: EndedCall,
): { readonly counts: BreakerCounts; readonly pauseKeyMs: number | null } {
  if (outcome === "success") return { counts: { ...counts, authInARow: 0 }, pauseKeyMs: null };
  if (outcome !== "auth") return { counts, pauseKeyMs: null };
  const authInARow = counts.authInARow + 1;
  if (authInARow < threshold) return { counts: { ...counts, authInARow }, pauseKeyMs: null };
  return { counts: { ...counts, authInARow: 0 }, pauseKeyMs: AUTH_PAUSE_MS };
}

function judge(
  terms: BreakerTerms,
  { state, counts }: BreakerRecord,
  call: EndedCall,
): BreakerState {
  if (state.state === "closed") {
    const isHeld = findOverride(state, call.nowMs)?.kind === "force-closed";
    return !isHeld && isTooMuch(terms, counts, call) ? open(terms, state, call) : state;
  }
  // An open breaker lets nothing go, so that nothing of its generation can end.
  if (state.state === "open" || !call.probe) return state;
  if (call.outcome === "failure") return open(terms, state, call);
  return call.outcome === "success" ? countProbe(terms, state, call) : state;
}

function isTooMuch(
  { threshold, ratio }: BreakerTerms,
  counts: BreakerCounts,
  { outcome, nowMs }: EndedCall,
): boolean {
  if (outcome !== "success" && outcome !== "failure") return false;
  return counts.failuresInARow >= threshold || isRatioReached(counts.buckets, ratio, nowMs);
}

function countProbe(
  terms: BreakerTerms,
  state: BreakerState & { readonly state: "half_open" },
  { nowMs }: EndedCall,
): BreakerState {
  const successes = state.successes + 1;
  if (successes < terms.successes) return { ...state, generation: state.generation + 1, successes };
  const ramp = { closedAtMs: nowMs, rampUsed: 0, rampWindow: 0 };
  return moveBreaker(state, { state: "closed", ...ramp }, { nowMs });
}

function open(terms: BreakerTerms, state: BreakerState, call: EndedCall): BreakerState {
  const { nowMs, random, hintUntilMs = nowMs } = call;
  const isStable = state.state === "closed" && nowMs - state.sinceMs >= BREAKER_STABLE_MS;
  const openings = (isStable ? 0 : state.openings) + 1;
  const hintMs = Math.min(Math.max(0, hintUntilMs - nowMs), HINT_MS_MAX);
  const openMs = Math.max(computeOpenMs(terms, openings, random), hintMs);
  const openUntilMs = nowMs + openMs;
  return moveBreaker(state, { state: "open", openUntilMs, hintMs }, { nowMs, openings });
}

/**
 * The first opening is exact. Later ones double up to ten minutes and lie in the upper half of that, its lower end
 * excluded, so that the second is longer than the first.
 */
function computeOpenMs({ recoveryMs }: BreakerTerms, openings: number, random: Random): number {
  if (openings === 1) return recoveryMs;
  const grownMs = Math.min(BREAKER_OPEN_MS_MAX, recoveryMs * 2 ** (openings - 1));
  return Math.max(recoveryMs, Math.ceil(grownMs - (random.float() * grownMs) / 2));
}
