// What becomes of a tick that meets a run which has not ended, and of those that wait for its end.

import { TICKS_WAITING_MAX } from "../../model/limits.ts";
import type { Overlap } from "../../model/schedule/schedule.ts";

/** What a tick meets. */
export interface Meeting {
  readonly overlap: Overlap;
  /** A run of this schedule has not ended, or as many runs of its pipeline are running as may be. */
  readonly isBusy: boolean;
  /** Ticks that wait for that already. */
  readonly waiting: number;
}

/** What becomes of it. */
export type OverlapDecision =
  | { readonly kind: "run" }
  | { readonly kind: "skip"; readonly reason: string }
  /** It waits for the run to end; `cancel`: which is asked to. `dropWaiting`: those that waited are skipped. */
  | { readonly kind: "wait"; readonly cancel: boolean; readonly dropWaiting: boolean };

/** Judges a tick whose time has come. */
export function decideOverlap({ overlap, isBusy, waiting }: Meeting): OverlapDecision {
  if (overlap === "allow" || (!isBusy && waiting === 0)) return { kind: "run" };
  switch (overlap) {
    case "skip":
      // What was put to wait under another rule still comes first.
      return { kind: "skip", reason: "busy" };
    case "queue":
      if (waiting >= TICKS_WAITING_MAX) return { kind: "skip", reason: "queue full" };
      return { kind: "wait", cancel: false, dropWaiting: false };
    case "latest":
      return { kind: "wait", cancel: false, dropWaiting: true };
    case "replace":
      return { kind: "wait", cancel: true, dropWaiting: true };
  }
}
