// Whether anything is left of a key that could count: if not, it may be forgotten, and is as if it had never been used.

import { findResourceOverride, type ResourceState } from "../../policy/admission.ts";
import { findOverride } from "../../policy/breaker/breaker.ts";

/** True: no pause, no override that holds, quotas full again, and no breaker that does not simply let calls go. */
export function isAtRest(state: ResourceState, nowMs: number): boolean {
  const { pausedUntilMs, breaker, quotas } = state;
  return (
    (pausedUntilMs === null || pausedUntilMs <= nowMs) &&
    findResourceOverride(state, null, nowMs) === null &&
    (breaker === null || (breaker.state === "closed" && findOverride(breaker, nowMs) === null)) &&
    quotas.every(({ tatUs }) => tatUs <= nowMs * 1_000)
  );
}
