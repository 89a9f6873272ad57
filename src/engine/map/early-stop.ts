// When failures pile up in a map: counts the endings of its items, those of an earlier epoch first, so that a map
// that goes on after a crash stops where it would have stopped without one.

import type { ItemRecord } from "../../model/checkpoint.ts";
import type { StageState } from "../../model/outcome.ts";
import type { StopAfter } from "../../model/stage/stage-options.ts";
import { makeStopAfter, type StopWatch } from "../../policy/tolerance.ts";

/** What an earlier epoch left of the items. */
export interface EarlierEndings {
  readonly records: ReadonlyMap<string, ItemRecord> | null;
  /** False: items that failed are tried again, so that their failures are no longer true. */
  readonly keepsFailures: boolean;
}

/** Watches the items of one map. */
export class EarlyStop {
  readonly #watch: StopWatch;

  constructor(rule: StopAfter, { records, keepsFailures }: EarlierEndings) {
    this.#watch = makeStopAfter(rule);
    // In the order in which they ended.
    const earlier = [...(records?.values() ?? [])].toSorted(
      (a, b) => (a.endedAtMs ?? 0) - (b.endedAtMs ?? 0) || a.index - b.index,
    );
    for (const { state } of earlier) if (keepsFailures || state !== "failed") this.note(state);
  }

  /** Why the map stops; null: it does not. */
  get reason(): string | null {
    return this.#watch.reason;
  }

  /** Notes how an item ended. What was skipped, or had nothing to work on, says nothing about how the work goes. */
  note(state: StageState): void {
    if (state === "failed" || state === "succeeded") this.#watch.note(state === "failed");
  }
}
