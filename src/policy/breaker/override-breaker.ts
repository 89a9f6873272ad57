// What people do to a breaker by hand. Each answers the state to store, under a new generation, so that results of
// calls from before count no more. Who did it and why is an event, and that is the caller's.

import { CLOSED, moveBreaker } from "./breaker.ts";
import type { BreakerOverride, BreakerState } from "./breaker.ts";

/** Who sets an override, why, and when it lapses. */
export type OverrideOrder = Omit<BreakerOverride, "kind">;

/**
 * Opens it until `untilMs`; then it is probed as after any opening. An opening from failures goes on below, and
 * is not the longer for this.
 */
export function tripBreaker(
  state: BreakerState,
  override: OverrideOrder,
  nowMs: number,
): BreakerState {
  const { reason, actor, untilMs } = override;
  const { openUntilMs, hintMs } =
    state.state === "open" ? state : { openUntilMs: nowMs, hintMs: 0 };
  return moveBreaker(
    state,
    { state: "open", openUntilMs, hintMs },
    { nowMs, override: { kind: "force-open", untilMs, reason, actor } },
  );
}

/** Closes it at once, and keeps it so until `untilMs`, whatever fails. No ramp: who does this wants calls to go. */
export function forceClosed(
  state: BreakerState,
  override: OverrideOrder,
  nowMs: number,
): BreakerState {
  const { reason, actor, untilMs } = override;
  return moveBreaker(state, CLOSED, {
    nowMs,
    override: { kind: "force-closed", untilMs, reason, actor },
  });
}

/** As new, but for the generation: closed, without override, ramp or earlier openings. */
export function resetBreaker(state: BreakerState, nowMs: number): BreakerState {
  return moveBreaker(state, CLOSED, { nowMs, override: null, openings: 0 });
}
