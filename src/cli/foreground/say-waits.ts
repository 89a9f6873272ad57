// What is said of the runs that a drained queue leaves.

import { toIso } from "../../service/views/time-view.ts";
import type { LeftWaits } from "../../service/worker/count-waits.ts";

/** How many runs wait for a time of their own, and when the first one goes on. */
export function sayWaits({ count, isMore, firstMs }: LeftWaits): string {
  const runs = `${isMore ? "at least " : ""}${count} ${count === 1 ? "run waits" : "runs wait"}`;
  const goesOn = count === 1 ? "it goes on" : "the first goes on";
  return `${runs} for a later time; ${goesOn} at ${toIso(firstMs)}`;
}
