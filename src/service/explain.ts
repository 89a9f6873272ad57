// What `why` answers: for a run, a stage or an item, in every state, the reasons in order.

import type { Blocker } from "../model/blocker.ts";

/** The answer to "why is this not running", and to what happened instead. */
export interface Explanation {
  /** `7f3k`, `7f3k/score` or `7f3k/score/row-7`. */
  readonly subject: string;
  readonly state: string;
  /** One sentence that answers the question. */
  readonly summary: string;
  /** First the one that matters most. Empty when nothing stands in the way. */
  readonly blockers: readonly Blocker[];
  /** More lines for people: attempts, what it waits for next, what to do. */
  readonly notes: readonly string[];
}
