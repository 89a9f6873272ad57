// What a stage or item has waited for: sums by cause, and the longest of its waits for resources. Made with the first
// wait; waits before retries are sums here, since each of them has a row of its own.

import {
  GATE_TOLD_MS,
  PAST_WAITS_MAX,
  waitCause,
  writeGateBlocker,
  type GateBlocker,
  type PastWait,
  type WaitTrail,
} from "../../model/resource/gate-wait.ts";
import type { StageRecord } from "../../model/checkpoint.ts";

/** The waits of one stage or item. */
export class WaitTally {
  /** By cause, ms. */
  readonly sums: Record<string, number> = {};
  readonly #past: PastWait[] = [];

  /** Adds to the time spent waiting for this cause. */
  add(cause: string, ms: number): void {
    this.sums[cause] = (this.sums[cause] ?? 0) + ms;
  }

  /** A wait for a resource is over. Those who ask in vain wait on: that is one wait. */
  note(wait: PastWait): void {
    const last = this.#past.at(-1);
    if (last?.blocker === wait.blocker && wait.fromMs - last.toMs < GATE_TOLD_MS) {
      this.#past[this.#past.length - 1] = { ...last, toMs: Math.max(last.toMs, wait.toMs) };
      return;
    }
    if (last !== undefined && !isLong(last)) this.#past.pop();
    this.#past.push(wait);
    if (this.#past.length <= PAST_WAITS_MAX) return;
    const shortest = this.#past.reduce((left, right) =>
      right.toMs - right.fromMs < left.toMs - left.fromMs ? right : left,
    );
    this.#past.splice(this.#past.indexOf(shortest), 1);
  }

  /** The oldest first. */
  get past(): readonly PastWait[] {
    return this.#past.filter(isLong);
  }

  /** Goes on from what a row has kept. What it waits for was waited for until now: answers for how long, ms. */
  takeUp(record: Pick<StageRecord, "waitedMs" | "trail">, now: PresentGate | null): number {
    for (const [cause, ms] of Object.entries(record.waitedMs)) this.add(cause, ms);
    for (const wait of record.trail?.past ?? []) this.note(wait);
    const sinceMs = record.trail?.now?.sinceMs;
    if (now === null || sinceMs === undefined || sinceMs > now.nowMs) return 0;
    this.add(waitCause(now.gate), now.nowMs - sinceMs);
    this.note({ blocker: writeGateBlocker(now.gate), fromMs: sinceMs, toMs: now.nowMs });
    return now.nowMs - sinceMs;
  }
}

/** The gate at which a row waits, and the clock of its store. */
export interface PresentGate {
  readonly gate: GateBlocker;
  readonly nowMs: number;
}

function isLong({ fromMs, toMs }: PastWait): boolean {
  return toMs - fromMs >= GATE_TOLD_MS;
}

/** The field of a row that keeps more of its waits than their sums; none where there is nothing. */
export function trailOf(
  tally: WaitTally | null | undefined,
  now: WaitTrail["now"] = null,
): { readonly trail?: WaitTrail } {
  const past = tally?.past ?? [];
  return past.length === 0 && now === null ? {} : { trail: { past, now } };
}
