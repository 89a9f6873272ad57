// What the thread does: renews the leases of the runs that are kept while the main loop lives. Modes: `idle` (no
// run: no timer) and `keeping`. A renewal that fails is tried again at the next look; what a failure means is
// decided by the main loop, whose stop time it is.

import type { Clock, Timer } from "../../../std/clock.ts";
import type { Random } from "../../../std/random.ts";
import type { LeasedRun, RenewalTerms } from "../../lease-renewer.ts";
import type { RenewalOrder, SharedTimes } from "./renewal-protocol.ts";

/** What the loop is made of. */
export interface RenewalLoopOptions {
  readonly terms: Pick<RenewalTerms, "heartbeatMs" | "presenceMs" | "loopSilenceMs">;
  readonly times: SharedTimes;
  readonly clock: Pick<Clock, "setTimer">;
  readonly random: Pick<Random, "float">;
  /** The clock that all processes share, ms. */
  readonly nowMs: () => number;
  /** Takes the next order that has not been heard; undefined: there is none. */
  readonly nextOrder: () => RenewalOrder | undefined;
  /** Renews; answers those that are lost, or throws if nothing could be renewed now. */
  readonly renew: (runs: readonly LeasedRun[]) => readonly LeasedRun[];
  readonly onLost: (runs: readonly LeasedRun[]) => void;
  /** It renews nothing any more: it was told to close, or `isFatal` said so. */
  readonly onEnd: (fault: unknown) => void;
  /** True for what trying again cannot mend. */
  readonly isFatal: (error: unknown) => boolean;
}

/** Most that jitter takes from a heartbeat. */
const JITTER_SHARE = 0.1;

interface Kept {
  readonly run: LeasedRun;
  readonly untilMs: number;
}

/** Renews leases on time. */
export class RenewalLoop {
  readonly #options: RenewalLoopOptions;
  readonly #kept: Map<string, Kept> = new Map();
  #timer: Timer | null = null;
  #dueMs: number = 0;
  #isOver: boolean = false;

  constructor(options: RenewalLoopOptions) {
    this.#options = options;
  }

  /** Follows an order. */
  hear(order: RenewalOrder): void {
    if (this.#isOver) return;
    switch (order.kind) {
      case "keep":
        if (this.#kept.size === 0) this.#dueMs = this.#nextDue(this.#options.nowMs());
        this.#kept.set(order.run.id, {
          run: order.run,
          untilMs: order.untilMs ?? Number.POSITIVE_INFINITY,
        });
        this.#timer ??= this.#arm();
        return;
      case "release":
        this.#kept.delete(order.id);
        if (this.#kept.size === 0) this.#rest();
        return;
      case "all":
        for (const one of order.orders) this.hear(one);
        return;
      case "close":
        this.#end(undefined);
    }
  }

  #arm(): Timer {
    const { clock, terms } = this.#options;
    return clock.setTimer(terms.presenceMs, () => {
      this.#timer = this.#arm();
      this.#look();
    });
  }

  #look(): void {
    const { nowMs, terms, times } = this.#options;
    const sentMs = nowMs();
    // Orders from before `sentMs` count: who reads `renewedMs` takes it for all runs that were kept by then.
    this.#hearAll();
    if (this.#isOver || sentMs < this.#dueMs) return;
    if (sentMs - times.loopTickMs > terms.loopSilenceMs) return;
    const runs = [...this.#kept.values()].filter(({ untilMs }) => sentMs < untilMs);
    if (runs.length > 0) this.#renew(sentMs, runs);
  }

  #hearAll(): void {
    for (;;) {
      const order = this.#options.nextOrder();
      if (order === undefined) return;
      this.hear(order);
    }
  }

  #renew(sentMs: number, kept: readonly Kept[]): void {
    const { renew, times, isFatal, onLost } = this.#options;
    let lost: readonly LeasedRun[];
    try {
      lost = renew(kept.map(({ run }) => run));
    } catch (error) {
      if (isFatal(error)) this.#end(error);
      return;
    }
    this.#dueMs = this.#nextDue(sentMs);
    times.renewedMs = sentMs;
    for (const { id } of lost) this.#kept.delete(id);
    if (this.#kept.size === 0) this.#rest();
    if (lost.length > 0) onLost(lost);
  }

  // A look comes up to one presence late: the renewal still falls within its heartbeat.
  #nextDue(sentMs: number): number {
    const { terms, random } = this.#options;
    const periodMs = terms.heartbeatMs * (1 - JITTER_SHARE * random.float());
    return sentMs + Math.max(0, periodMs - terms.presenceMs);
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #end(fault: unknown): void {
    this.#isOver = true;
    this.#kept.clear();
    this.#rest();
    this.#options.onEnd(fault);
  }
}
