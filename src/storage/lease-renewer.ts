// The port behind which leases are renewed apart from the loop that does the work, so that work which blocks that
// loop costs no lease. A store that has no such thing is renewed from the loop.

import type { Owner } from "../model/lease.ts";

/** A run whose lease is renewed. */
export interface LeasedRun {
  readonly id: string;
  readonly epoch: number;
}

/** How leases are renewed. Times in ms. */
export interface RenewalTerms {
  readonly owner: Owner;
  readonly leaseMs: number;
  /** Longest time between two renewals; jitter only shortens it, by a tenth at most. */
  readonly heartbeatMs: number;
  /** How often is looked whether a renewal is due. */
  readonly presenceMs: number;
  /** Slowest call that renews: so long it waits for others that write. */
  readonly callMs: number;
  /** Nothing is renewed for a loop that was silent for longer. */
  readonly loopSilenceMs: number;
}

/** What a renewer tells. Called in the loop of its owner, never in a call to it. */
export interface RenewalListener {
  /** These runs have another owner, or none. A run that was released meanwhile may be among them. */
  lost(runs: readonly LeasedRun[]): void;
  /** It renews nothing any more. At most once. */
  failed(error: unknown): void;
}

/** Renews leases until it is closed. None of its calls waits or throws. */
export interface LeaseRenewer {
  /** Renews the lease of this run too, for `renewForMs` at the longest; null: as long as it is kept. */
  keep(run: LeasedRun, renewForMs: number | null): void;
  /** The same for runs that were claimed together, as one order. */
  keepAll(runs: readonly LeasedRun[]): void;
  /** Renews the lease of this run no longer, from the next order or tick on. */
  release(id: string): void;
  /** Says that the loop lives. */
  tick(): void;
  /**
   * Time since the last renewal was sent that succeeded, ms. It was of all runs that were kept then and whose time
   * was not over. Infinity: there was none yet.
   */
  renewedAgoMs(): number;
  /** Ends it. Safe to repeat; afterwards nothing of it is alive, and it tells nothing. */
  close(): Promise<void>;
}
