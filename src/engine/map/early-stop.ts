// When failures pile up in a map: counts the endings of its items, those of an earlier epoch first, so that a map
// that goes on after a crash stops where it would have stopped without one.

import type { ItemRecord } from "../../model/checkpoint.ts";
import type { StopAfter } from "../../model/stage/stage-options.ts";
import { makeStopAfter, type StopWatch } from "../../policy/tolerance.ts";

/** What an earlier epoch left of the items. */
export interface EarlierEndings {
  readonly records: ReadonlyMap<string, ItemRecord> | null;
  /** False: items that failed are tried again, so that their failures are no longer true. */
  readonly keepsFailures: boolean;
}

/** Makes the watch over a map's items; null where it has no such rule. */
export function watchItems(rule: StopAfter | null, earlier: EarlierEndings): StopWatch | null {
  if (rule === null) return null;
  const watch = makeStopAfter(rule);
  for (const { state } of listEnded(earlier)) watch.note(state === "failed");
  return watch;
}

/** In the order in which they ended. */
function listEnded({ records, keepsFailures }: EarlierEndings): readonly ItemRecord[] {
  return [...(records?.values() ?? [])]
    .filter(({ state }) => state === "succeeded" || (keepsFailures && state === "failed"))
    .toSorted((a, b) => (a.endedAtMs ?? 0) - (b.endedAtMs ?? 0) || a.index - b.index);
}
