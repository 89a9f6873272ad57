// Keeps the leases of the runs that this process works on, says once a second what is running, and hears what
// others ask of them. Modes: `idle` (no run: no timer at all) and `keeping`. A run whose lease cannot be renewed
// in time is given up before anybody else may take it.

import { MillraceError } from "../model/errors.ts";
import type { Owner } from "../model/lease.ts";
import type { Clock, Timer } from "../std/clock.ts";
import type { Store } from "../storage/store.ts";

/** A run whose lease is kept. */
export interface KeptRun {
  readonly id: string;
  readonly epoch: number;
  /** The lease is gone: nothing of the run may be written any more. */
  lost(error: MillraceError): void;
  /** Somebody asked for its end. */
  cancelRequested(reason: string): void;
  /** `run/stage` or `run/stage/key` of what it runs now, at most `limit`. */
  listRunning(limit: number): readonly string[];
}

/** How leases are kept. Times in ms. */
export interface LeaseKeeperOptions {
  readonly store: Pick<Store, "renewLeases" | "beat" | "findRun">;
  readonly clock: Clock;
  readonly owner: Owner;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly presenceMs: number;
}

/** Rate error of a clock that the lease allows for. */
const CLOCK_RATE_ERROR = 0.001;
/** Time a holder needs to stop, ms. */
const STOP_MS = 5_000;
/** Names of running things that a beat carries. */
const RUNNING_NAMES_MAX = 100;

/** Keeps the leases of one process. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #runs: Map<string, KeptRun> = new Map();
  #timer: Timer | null = null;
  #beating: boolean = false;
  /** Monotonic ms when the last renewal that succeeded was sent. */
  #renewedMs: number = 0;
  #triedMs: number = 0;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** Starts keeping a run that was just claimed. `sentMs`: monotonic, from before the claim was sent; its lease
   *  cannot have begun earlier. */
  keep(run: KeptRun, sentMs: number): void {
    if (this.#runs.size === 0) {
      this.#renewedMs = sentMs;
      this.#triedMs = sentMs;
    }
    this.#runs.set(run.id, run);
    this.#timer ??= this.#arm();
  }

  /** Stops keeping a run that is over or parked. */
  release(id: string): void {
    this.#runs.delete(id);
    if (this.#runs.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): Timer {
    return this.#options.clock.setTimer(this.#options.presenceMs, () => {
      this.#timer = this.#runs.size === 0 ? null : this.#arm();
      void this.#beat();
    });
  }

  async #beat(): Promise<void> {
    if (this.#beating || this.#runs.size === 0) return;
    this.#beating = true;
    try {
      await this.#renewIfDue();
      await this.#options.store.beat(this.#options.owner, this.#listRunning());
      for (const run of this.#runs.values()) await this.#hear(run);
    } catch {
      // The store is away or busy. The next beat tries again; `#giveUpIfLate` is the bound of it.
      this.#giveUpIfLate();
    } finally {
      this.#beating = false;
    }
  }

  async #renewIfDue(): Promise<void> {
    const { store, clock, owner, leaseMs, heartbeatMs } = this.#options;
    const sentMs = clock.monotonicMs();
    if (sentMs - this.#triedMs < heartbeatMs) return;
    const runs = [...this.#runs.values()].map(({ id, epoch }) => ({ id, epoch }));
    const lost = await store.renewLeases(owner, runs, leaseMs);
    this.#triedMs = sentMs;
    this.#renewedMs = sentMs;
    for (const id of lost) this.#lose(id, "it was taken by another process");
  }

  /** Self-stop: before the lease can have ended on the store's clock. */
  #giveUpIfLate(): void {
    const { clock, leaseMs } = this.#options;
    const stopMs = this.#renewedMs + leaseMs * (1 - CLOCK_RATE_ERROR) - STOP_MS;
    if (clock.monotonicMs() < stopMs) return;
    for (const id of this.#runs.keys()) this.#lose(id, "the store could not be reached in time");
  }

  #lose(id: string, why: string): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    this.release(id);
    run.lost(
      new MillraceError("LEASE_LOST", `The lease of run ${id} is lost: ${why}.`, {
        hint: "everything committed so far is kept; resume the run",
        details: { run: id },
      }),
    );
  }

  async #hear(run: KeptRun): Promise<void> {
    const record = await this.#options.store.findRun(run.id);
    if (record === undefined || record.epoch !== run.epoch) {
      this.#lose(run.id, "it was taken by another process");
    } else if (record.cancelRequestedAtMs !== null) {
      run.cancelRequested(record.cancelReason ?? "cancelled");
    }
  }

  #listRunning(): readonly string[] {
    const names: string[] = [];
    for (const run of this.#runs.values()) {
      if (names.length >= RUNNING_NAMES_MAX) break;
      names.push(...run.listRunning(RUNNING_NAMES_MAX - names.length));
    }
    return names;
  }
}
