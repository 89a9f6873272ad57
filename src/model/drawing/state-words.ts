// States and causes as people read them, the same on every screen and in every report. Marks and colours belong to
// whoever draws; text of user code is made safe here.

import { showCount } from "../../std/shown/figures.ts";
import { escapeControl } from "../../std/text.ts";
import { STAGE_STATES, type StageState } from "../outcome.ts";
import type { RunState } from "../run.ts";

/** The word shown for a state: the model's word, with a blank where the model has an underscore. */
export function stateWord(state: RunState | StageState): string {
  return state.replace("_", " ");
}

/** `3 succeeded, 1 failed`, in the order of the model, states without any left out. */
export function countStates(
  counts: Readonly<Record<StageState, number>>,
  note: (state: StageState) => string = () => "",
): string {
  return COUNTED_STATES.filter((state) => counts[state] > 0)
    .map((state) => `${showCount(counts[state])} ${stateWord(state)}${note(state)}`)
    .join(", ");
}

// What went well first, then what did not, then what is left.
const COUNTED_STATES: readonly StageState[] = [
  "succeeded",
  "failed",
  "skipped",
  "upstream_failed",
  "cancelled",
  ...STAGE_STATES.filter((state) => ["running", "waiting", "pending"].includes(state)),
];

/** A cause of waiting as people read it: `quota:scorer` as `quota scorer`. */
export function causeWords(cause: string): string {
  return escapeControl(cause.replace(":", " "));
}
