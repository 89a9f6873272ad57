// What holds for a process as a whole: whether a clock jumped or the store was away, so that leases which ran out prove
// nothing for a while; which runs it saw without a lease, and since when; and why it claims nothing for now.

import { Amnesty } from "../../engine/upkeep/amnesty.ts";
import { ClockWatch } from "../../engine/upkeep/clock-watch.ts";
import type { LeaseTerms } from "../../model/lease.ts";
import type { RunRecord } from "../../model/run.ts";
import type { Finding } from "../../policy/watchdog/finding.ts";
import type { Clock } from "../../std/clock.ts";
import { Emitter } from "../../std/emitter.ts";
import type { Store } from "../../storage/store.ts";

/** What it is made of. */
export interface StandingParts {
  readonly store: Pick<Store, "nowMs">;
  readonly clock: Pick<Clock, "wallMs" | "monotonicMs">;
  readonly terms: Pick<LeaseTerms, "leaseMs" | "heartbeatMs">;
}

/** Runs without a lease that are remembered. */
const LEASELESS_MAX = 1_000;

/** How this process stands. */
export class Standing {
  readonly amnesty: Amnesty;
  readonly clocks: ClockWatch;
  /** Told by how much the wall clock jumped, ms. */
  readonly jumped: Emitter<number> = new Emitter();
  /** The watchdog of this process, while there is one. */
  watch: { findings(): readonly Finding[] } | null = null;
  /** Why settings that were changed are not in force; null: they are. */
  refusedSettings: string | null = null;
  /** Attempts that did not stop when they were told to. */
  readonly stuck: { count: number } = { count: 0 };
  readonly #parts: StandingParts;
  readonly #holds: Map<string, string> = new Map();
  readonly #leaseless: Map<string, number> = new Map();
  #outages: number = 0;
  /** Monotonic ms since when the store fails; null: it answers. */
  #failingSinceMs: number | null = null;
  #fault: unknown = null;

  constructor(parts: StandingParts) {
    const { store, clock, terms } = parts;
    this.#parts = parts;
    this.amnesty = new Amnesty({ nowMs: () => store.nowMs(), lengthMs: terms.leaseMs });
    this.clocks = new ClockWatch({
      clock,
      jumped: (byMs) => {
        this.amnesty.begin();
        this.jumped.emit(byMs);
      },
    });
  }

  /** Why nothing is claimed here for now; undefined: nothing stands in the way. */
  get heldBy(): string | undefined {
    for (const reason of this.#holds.values()) return reason;
    return undefined;
  }

  /** Claims nothing while this stands. `by` names who says so. */
  hold(by: string, reason: string): void {
    this.#holds.set(by, reason);
  }

  /** Whether this one stands in the way now. */
  isHeldBy(by: string): boolean {
    return this.#holds.has(by);
  }

  /** It stands in the way no more. Safe to repeat. */
  letGo(by: string): void {
    this.#holds.delete(by);
  }

  /** The last fault of the store that has not been answered since; null: it answers. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Times that the store answered again after it had failed. */
  get outages(): number {
    return this.#outages;
  }

  /** The store did not do what it was asked. */
  storeFailed(error: unknown): void {
    this.#failingSinceMs ??= this.#parts.clock.monotonicMs();
    this.#fault = error;
  }

  /** The store does what it is asked. After an outage in which renewals were missed, leases that ran out meanwhile
   *  prove nothing. */
  storeAnswered(): void {
    const sinceMs = this.#failingSinceMs;
    if (sinceMs === null) return;
    this.#outages += 1;
    this.#failingSinceMs = null;
    this.#fault = null;
    const { clock, terms } = this.#parts;
    if (clock.monotonicMs() - sinceMs >= terms.heartbeatMs) this.amnesty.begin();
  }

  /** This running run has a lease: what was seen of it without one is over. */
  hasLease({ id, epoch }: Pick<RunRecord, "id" | "epoch">): void {
    if (this.#leaseless.size > 0) this.#leaseless.delete(`${id} ${epoch}`);
  }

  /** For how long this running run has been seen without a lease here, ms; 0 the first time. */
  leaselessMs({ id, epoch }: Pick<RunRecord, "id" | "epoch">): number {
    const key = `${id} ${epoch}`;
    const nowMs = this.#parts.clock.monotonicMs();
    const sinceMs = this.#leaseless.get(key);
    if (sinceMs !== undefined) return nowMs - sinceMs;
    const [oldest] = this.#leaseless.keys();
    if (this.#leaseless.size >= LEASELESS_MAX && oldest !== undefined)
      this.#leaseless.delete(oldest);
    this.#leaseless.set(key, nowMs);
    return 0;
  }
}
