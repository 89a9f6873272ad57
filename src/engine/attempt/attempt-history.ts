// What earlier attempts of a stage or item left for the next one. Made at the first failure, so that work which
// succeeds at once costs nothing.

import type { Failure } from "../../model/outcome.ts";

/** What earlier attempts of a stage or item left for the next one. Made at the first failure. */
export interface AttemptHistory {
  attempts: number;
  /** Of the last one; null: it is not known any more. */
  failure: Failure | null;
  firstMessage: string;
  lastMessage: string;
  distinct: number;
  previousDelayMs: number;
  deferrals: number;
  deferredMs: number;
  onceUsed: boolean;
  /** Monotonic ms when it became ready; start of its deadline. */
  readonly readySince: number;
}

/** What an attempt leaves that failed first, or that was only deferred until now and has no message. */
export function newHistory(facts: {
  readonly attempts: number;
  readonly message: string;
  readonly deferrals: number;
  readonly readySince: number;
}): AttemptHistory {
  const { message, ...others } = facts;
  return {
    ...others,
    failure: null,
    firstMessage: message,
    lastMessage: message,
    distinct: 1,
    previousDelayMs: 0,
    deferredMs: 0,
    onceUsed: false,
  };
}
