// The wait after a failed attempt, for callers who loop by themselves.

import { describeValue } from "../../model/compile/option-reader.ts";
import { MillraceError } from "../../model/errors.ts";
import type { RetryOptions } from "../../model/retry.ts";
import { computeDelayMs } from "../../policy/backoff.ts";
import { systemRandom, type Random } from "../../std/random.ts";
import { readPolicy } from "./read-policy.ts";

/** What the spread of a wait depends on. */
export interface BackoffOptions {
  /** Default: the machine's. */
  readonly random?: Random;
  /** The wait before, ms: what `jitter: "decorrelated"` grows from. Default: the initial delay. */
  readonly previousMs?: number;
}

/**
 * The wait in whole ms after `attempt` failed attempts, 1 or more, never above the policy's `maxDelay`. Whether to go
 * on is not asked. OPTION_INVALID where the policy or the number is none.
 */
export function backoff(
  policy: RetryOptions,
  attempt: number,
  options: BackoffOptions = {},
): number {
  if (!Number.isSafeInteger(attempt) || attempt < 1) {
    const said = `backoff expects the number of failed attempts, 1 or more; got ${describeValue(attempt)}.`;
    throw new MillraceError("OPTION_INVALID", said);
  }
  const { random = systemRandom, previousMs } = options;
  return computeDelayMs(readPolicy(policy), attempt, {
    random,
    ...(previousMs === undefined ? {} : { previousMs }),
  });
}
