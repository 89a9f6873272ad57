// An explanation before it is told of whom: state, sentence, blockers, further lines.

import type { Blocker } from "../../model/blocker.ts";

/** What is answered about a run, a stage or an item. */
export interface Answer {
  readonly state: string;
  /** One sentence. */
  readonly summary: string;
  /** First the one that matters most. */
  readonly blockers: readonly Blocker[];
  /** More lines for people. */
  readonly notes: readonly string[];
}
