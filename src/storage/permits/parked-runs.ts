// Runs that are parked until there is room in a key of a resource, the same in every store: how many of them go back
// to their queues when something of the key was given back or set. Who goes first is the order of claims.

import { admit, findResourceOverride, keyTerms, type Admission } from "../../policy/admission.ts";
import { WAKE_RUNS_MAX } from "../../model/limits.ts";
import type { KeyEntry, PermitBook } from "./permit-book.ts";
import { countWaiting } from "./permit-lines.ts";
import type { ResourceAddress } from "./permit-write.ts";

/** A key for which a parked run waits. */
export interface ParkedFor extends ResourceAddress {
  /** True: it knows when it may clear, and wakes by itself then; it is only let in before where that changes. */
  readonly isTimed: boolean;
}

/** Why a key is looked at. `parked`: only somebody came to wait for it. */
export type RoomCause = "freed" | "parked";

/** How many of those who are parked for a key may go back to their queues. */
export function countWakes(book: PermitBook, entry: KeyEntry, cause: RoomCause): number {
  const answer = judge(book, entry);
  if (cause === "parked") {
    // What was given back between its last question and its parking is not given back again. Others in line go first,
    // and tell of the room that is left.
    const room = answer?.granted === true ? answer.room + 1 : 0;
    return clamp(room - countWaiting(entry.lines.values(), book.nowMs));
  }
  if (answer === null) return 1;
  if (answer.granted) return clamp(answer.room + 1);
  // It asks when its time has come; where others hold it, the next one of them to leave tells of it.
  return answer.untilMs !== null || answer.probing ? 1 : 0;
}

/** Whether one more would be let in; null: nobody has declared what the key is. */
function judge(book: PermitBook, entry: KeyEntry): Admission | null {
  const { terms, resource, state } = entry;
  if (terms === null) return null;
  const key = entry.key === "" ? null : entry.key;
  const whole = key === null ? null : book.find({ resource, key: "" }).state;
  const override = findResourceOverride(state, whole, book.nowMs);
  const asked = { terms: keyTerms(terms, key, override), costs: null, maxWaitMs: null };
  return admit([asked], [entry], book.nowMs);
}

function clamp(count: number): number {
  return Math.min(Math.max(count, 0), WAKE_RUNS_MAX);
}
