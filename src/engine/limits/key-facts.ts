// What one process knows of one key of a resource: what its breaker was last seen as, what calls made of it, how
// many more would be let through, and when to ask again.

import type { ResourceDeclaration } from "../../model/resource/resource.ts";
import type { BreakerState } from "../../policy/breaker/breaker.ts";
import { newCounts, type BreakerCounts } from "../../policy/breaker/breaker-counts.ts";
import { RetryBudget } from "../../policy/retry-budget.ts";
import type { Timer } from "../../std/clock.ts";
import type { Hindrance } from "./permit-request.ts";

/** One key in one process. Small: there may be a hundred thousand. */
export class KeyFacts {
  breaker: BreakerState | null = null;
  counts: BreakerCounts = NEW_COUNTS;
  /** Why its line is held up; null: it is not, as far as is known. */
  hindrance: Hindrance | null = null;
  /** How many of its line may be asked for at once. */
  room: number = 1;
  /** Of them, those that were called and have not asked yet. */
  called: number = 0;
  /** Opens its line again. */
  timer: Timer | null = null;
  #budget: RetryBudget | null = null;

  /** Null: it has none. */
  budget({ terms: { retryBudget } }: ResourceDeclaration): RetryBudget | null {
    if (retryBudget === null) return null;
    this.#budget ??= new RetryBudget(retryBudget);
    return this.#budget;
  }
}

const NEW_COUNTS: BreakerCounts = Object.freeze(newCounts());
