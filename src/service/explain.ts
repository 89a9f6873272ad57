// What `why` answers: for a run, a stage or an item, in every state, the reasons in order. From the store's
// rows and the beats of its workers alone, so that any process can ask about a run that another one works on.

import type { Blocker } from "../model/blocker.ts";
import type { RunRecord } from "../model/run.ts";
import type { Store } from "../storage/store.ts";
import { explainItem } from "./explain/explain-item.ts";
import { explainRunState } from "./explain/explain-run-state.ts";
import { explainStage } from "./explain/explain-stage.ts";
import { readRunFacts } from "./queries/run-facts.ts";

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

/** What is asked about. Both absent: the run. */
export interface ExplainAddress {
  readonly stage?: string;
  readonly item?: string;
}

/** Explains a run as it stands in the store now. STAGE_UNKNOWN, ITEM_UNKNOWN. */
export async function explainRun(
  store: Store,
  run: RunRecord,
  address: ExplainAddress = {},
): Promise<Explanation> {
  // The caller's record may be as old as its handle.
  const facts = await readRunFacts(store, (await store.findRun(run.id)) ?? run);
  const { stage, item } = address;
  if (stage === undefined) return { subject: facts.name, ...(await explainRunState(store, facts)) };
  if (item === undefined) {
    return { subject: `${facts.name}/${stage}`, ...(await explainStage(store, facts, stage)) };
  }
  return {
    subject: `${facts.name}/${stage}/${item}`,
    ...(await explainItem(store, facts, { stage, key: item })),
  };
}
