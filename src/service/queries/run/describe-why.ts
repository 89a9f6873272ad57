// What `why` answers, as documents show it, with past waits where they are asked for.

import type { Store } from "../../../storage/store.ts";
import { explainRun, type ExplainAddress } from "../../explain.ts";
import { readWaitHistory, type WaitView } from "../../explain/wait-history.ts";
import { toBlockerView, type BlockerView } from "../../views/blocker-view.ts";
import { findRun } from "../find-run.ts";

/** The reasons in order. */
export interface WhyView {
  readonly subject: string;
  readonly state: string;
  readonly summary: string;
  readonly blockers: readonly BlockerView[];
  readonly notes: readonly string[];
  /** Where they were asked for. */
  readonly history?: readonly WaitView[];
  readonly waitedMs?: Readonly<Record<string, number>>;
}

/** Explains a run, stage or item. RUN_NOT_FOUND, STAGE_UNKNOWN, ITEM_UNKNOWN. */
export async function describeWhy(
  store: Store,
  reference: string,
  { history = false, ...address }: ExplainAddress & { readonly history?: boolean },
): Promise<WhyView> {
  const run = await findRun(store, reference);
  const { blockers, ...answer } = await explainRun(store, run, address);
  const past = history ? await readWaitHistory(store, run, address) : undefined;
  return {
    ...answer,
    blockers: blockers.map(toBlockerView),
    ...(past === undefined ? {} : { history: past.waits, waitedMs: past.totalsMs }),
  };
}
