// What earlier attempts of a stage or item left for the next one. Made at the first failure, so that work which
// succeeds at once costs nothing.

import type { MetricChange } from "../../model/checkpoint.ts";

/** What earlier attempts of a stage or item left for the next one. Made at the first failure. */
export interface AttemptHistory {
  attempts: number;
  firstMessage: string;
  lastMessage: string;
  distinct: number;
  previousDelayMs: number;
  deferrals: number;
  deferredMs: number;
  onceUsed: boolean;
  /** What an item's attempts counted so far; those of a stage are counted when each one ends. */
  metrics: Map<string, MetricChange> | null;
  /** Monotonic ms when it became ready; start of its deadline. */
  readonly readySince: number;
}
