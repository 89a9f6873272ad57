// What a scheduler does next about one schedule: nothing, wait for a run to end, or move it on by one decision. Pure, so
// that whoever comes to it with the same record comes to the same decision.

import type { ScheduleSpec } from "../../model/schedule/schedule.ts";
import type { ScheduleState } from "../../model/schedule/schedule-state.ts";
import { decideDue, type MissedTicks } from "./missed.ts";
import type { Ticks } from "./next-tick.ts";
import { decideOverlap } from "./overlap.ts";

/** What is known when it is judged. */
export interface TurnFacts {
  readonly state: ScheduleState;
  readonly spec: ScheduleSpec;
  readonly ticks: Ticks;
  /** Less the jitter of the schedule. */
  readonly nowMs: number;
  /** One of its runs has not ended, or its pipeline has as many running as it may. */
  readonly isBusy: boolean;
}

/** One decision. */
export type Turn =
  | { readonly kind: "nothing" }
  /** Ticks wait for a run to end; `cancel`: which is asked to. */
  | { readonly kind: "hold"; readonly cancel: boolean }
  | {
      readonly kind: "move";
      /** Ticks that are given up. */
      readonly missed: MissedTicks | null;
      readonly tick: JudgedTick | null;
      /** Of ticks that waited: they are skipped. */
      readonly dropped: readonly number[];
      /** As they are afterwards. */
      readonly nextMs: number | null;
      readonly waiting: readonly number[];
      readonly cancel: boolean;
    };

/** A tick about which something is decided now. */
export type JudgedTick =
  | { readonly atMs: number; readonly kind: "run" | "wait" }
  | { readonly atMs: number; readonly kind: "skip"; readonly reason: string };

/** Judges a schedule that is switched on. */
export function decideTurn({ state, spec, ticks, nowMs, isBusy }: TurnFacts): Turn {
  const { nextMs, waiting } = state;
  const [first, ...rest] = waiting;
  if (first !== undefined && (!isBusy || spec.overlap === "allow")) {
    const tick = { atMs: first, kind: "run" as const };
    return { kind: "move", missed: null, tick, dropped: [], nextMs, waiting: rest, cancel: false };
  }
  if (nextMs !== null && nextMs <= nowMs) {
    const due = decideDue({ rule: spec.missed, ticks, firstMs: nextMs, nowMs });
    const decidedMs = due.atMs ?? due.missed?.untilMs ?? nextMs;
    const moved = { kind: "move" as const, missed: due.missed, nextMs: ticks.next(decidedMs) };
    if (due.atMs === null) return { ...moved, tick: null, dropped: [], waiting, cancel: false };
    return { ...moved, ...meet(due.atMs, { state, spec, isBusy }) };
  }
  if (first !== undefined) return { kind: "hold", cancel: spec.overlap === "replace" };
  return { kind: "nothing" };
}

interface Met {
  readonly tick: JudgedTick;
  readonly dropped: readonly number[];
  readonly waiting: readonly number[];
  readonly cancel: boolean;
}

function meet(
  atMs: number,
  { state, spec, isBusy }: Pick<TurnFacts, "state" | "spec" | "isBusy">,
): Met {
  const { waiting } = state;
  const decision = decideOverlap({ overlap: spec.overlap, isBusy, waiting: waiting.length });
  switch (decision.kind) {
    case "run":
      return { tick: { atMs, kind: "run" }, dropped: [], waiting, cancel: false };
    case "skip": {
      const tick = { atMs, kind: "skip" as const, reason: decision.reason };
      return { tick, dropped: [], waiting, cancel: false };
    }
    case "wait": {
      const dropped = decision.dropWaiting ? waiting : [];
      const kept = decision.dropWaiting ? [] : waiting;
      const tick = { atMs, kind: "wait" as const };
      return { tick, dropped, waiting: [...kept, atMs], cancel: decision.cancel };
    }
  }
}
