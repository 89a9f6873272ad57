// May a stage run, now that all its needs are finished? The six trigger rules. `all_success` reads its hard
// needs alone; the five others read every need as it ended. A cancelled need counts as finished, neither
// failed nor succeeded, for those five; under `all_success` a hard one cancels the reader too, so that a
// resume opens both again.
//
// A stage without needs runs under the rules that forbid something (`all_success`, `all_done`,
// `none_failed`) and is skipped under those that ask for something that must have happened (`all_failed`,
// `one_failed`, `none_failed_min_one_success`).

import type { StageEndState } from "../model/outcome.ts";
import type { TriggerRule } from "../model/stage/trigger.ts";

/** How one need ended. */
export interface NeedEnding {
  readonly state: StageEndState;
  /** The reader sees a Settled and can bear a failure. */
  readonly soft: boolean;
  readonly name: string;
}

/** What becomes of the stage. `because` names the need that decided; empty where the stage has none. */
export type TriggerDecision =
  | { readonly kind: "run" }
  | { readonly kind: "skip"; readonly reason: "upstream_skipped"; readonly because: string }
  | { readonly kind: "upstream_failed"; readonly because: string }
  | { readonly kind: "cancel"; readonly because: string };

const RUN: TriggerDecision = { kind: "run" };

/** Judges a stage whose needs are all finished. */
export function decideTrigger(rule: TriggerRule, needs: readonly NeedEnding[]): TriggerDecision {
  const failed = findFailed(needs);
  switch (rule) {
    case "all_success":
      return decideAllSuccess(needs.filter((need) => !need.soft));
    case "all_done":
      return RUN;
    case "all_failed": {
      const other = needs.find((need) => !isFailed(need));
      return failed !== undefined && other === undefined ? RUN : skipFor(other);
    }
    case "one_failed":
      return failed === undefined ? skipFor(needs[0]) : RUN;
    case "none_failed":
      return failed === undefined ? RUN : failFor(failed);
    case "none_failed_min_one_success":
      if (failed !== undefined) return failFor(failed);
      return needs.some(isSucceeded) ? RUN : skipFor(needs[0]);
  }
}

function decideAllSuccess(hard: readonly NeedEnding[]): TriggerDecision {
  const failed = findFailed(hard);
  if (failed !== undefined) return failFor(failed);
  const cancelled = hard.find((need) => need.state === "cancelled");
  if (cancelled !== undefined) return { kind: "cancel", because: cancelled.name };
  const other = hard.find((need) => !isSucceeded(need));
  return other === undefined ? RUN : skipFor(other);
}

/** The need that failed itself, before one that only stands behind a failure: it is the one to name. */
function findFailed(needs: readonly NeedEnding[]): NeedEnding | undefined {
  return needs.find((need) => need.state === "failed") ?? needs.find(isFailed);
}

function isFailed(need: NeedEnding): boolean {
  return need.state === "failed" || need.state === "upstream_failed";
}

function isSucceeded(need: NeedEnding): boolean {
  return need.state === "succeeded";
}

function skipFor(need: NeedEnding | undefined): TriggerDecision {
  return { kind: "skip", reason: "upstream_skipped", because: need?.name ?? "" };
}

function failFor(need: NeedEnding): TriggerDecision {
  return { kind: "upstream_failed", because: need.name };
}
