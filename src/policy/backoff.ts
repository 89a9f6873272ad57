// How long to wait before the next attempt: growth, cap, then spread. A number from numbers and dice; whether
// there is a next attempt, and what hints of the other side add, is decided in `retry.ts`.

import { BACKOFF_EXPONENT_MAX, DURATION_MS_MAX } from "../model/limits.ts";
import type { RetryPolicy } from "../model/retry.ts";
import type { Random } from "../std/random.ts";

/** What the spread of a wait depends on. */
export interface DelayOptions {
  readonly random: Random;
  /** The wait before, ms: what `decorrelated` grows from. Default, and least: the policy's initial delay. */
  readonly previousMs?: number;
}

/**
 * Wait in whole ms after `failures` failures (1 or more): `min(cap, initial * factor^(failures - 1))`, then
 * spread by the policy's jitter. Never above the policy's cap, never NaN or infinite.
 */
export function computeDelayMs(
  policy: RetryPolicy,
  failures: number,
  options: DelayOptions,
): number {
  const capMs = Math.min(policy.delayMsMax ?? DURATION_MS_MAX, DURATION_MS_MAX);
  const spread = spreadMs(policy, grownMs(policy, failures, capMs), { ...options, capMs });
  return Math.min(Math.round(spread), Math.floor(capMs));
}

function grownMs(policy: RetryPolicy, failures: number, capMs: number): number {
  // Nothing grows from nothing; without this line 0 times infinity would be NaN.
  if (policy.initialDelayMs === 0) return 0;
  const exponent = Math.min(Math.max(failures, 1) - 1, BACKOFF_EXPONENT_MAX);
  return Math.min(capMs, policy.initialDelayMs * policy.factor ** exponent);
}

function spreadMs(
  policy: RetryPolicy,
  delayMs: number,
  { random, previousMs, capMs }: DelayOptions & { readonly capMs: number },
): number {
  const { jitter, initialDelayMs } = policy;
  if (jitter === "none") return delayMs;
  if (jitter === "full") return between(random, 0, delayMs);
  if (jitter === "equal") return between(random, delayMs / 2, delayMs);
  if (jitter === "decorrelated") {
    const beforeMs = Math.max(initialDelayMs, previousMs ?? 0);
    return Math.min(capMs, between(random, initialDelayMs, 3 * beforeMs));
  }
  return Math.min(capMs, delayMs * between(random, 1 - jitter, 1 + jitter));
}

/** Evenly spread from `low` to `high`. */
function between(random: Random, low: number, high: number): number {
  return low + random.float() * (high - low);
}
