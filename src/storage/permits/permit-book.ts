// The keys and permits of a store as the rules see them, within one transaction. A store gives the keys and keeps the
// rows; who gets what is `permit-rules.ts`.

import type { ResourceTerms } from "../../model/resource/resource.ts";
import type { ResourceState } from "../../policy/admission.ts";
import type { PermitAddress, ResourceAddress, ResourceTotals } from "./permit-write.ts";

/** Who waits for a key in one process. */
export interface WaitingLine {
  readonly worker: string;
  readonly waiting: number;
  /** Since when its first one waits, store's clock. */
  readonly sinceMs: number;
  readonly seenAtMs: number;
}

/** One key within a transaction; a store writes back what was changed. */
export interface KeyEntry extends ResourceAddress {
  state: ResourceState;
  totals: ResourceTotals;
  terms: ResourceTerms | null;
  held: number;
  probesHeld: number;
  usedAtMs: number;
  /** Changes go through `setLine`. */
  readonly lines: ReadonlyMap<string, WaitingLine>;
}

/** The keys and permits of a store, within one transaction. */
export interface PermitBook {
  readonly nowMs: number;
  find(address: ResourceAddress): KeyEntry;
  changed(entry: KeyEntry): void;
  /** Null: nobody of that process waits any more. */
  setLine(entry: KeyEntry, worker: string, line: WaitingLine | null): void;
  /** False: one is held under this address already, and stays. */
  insert(entry: KeyEntry, permit: NewPermit): boolean;
  /** The permit of this key that is held under an address; undefined: none is. */
  findHeld(run: number, address: PermitAddress, entry: KeyEntry): HeldPermit | undefined;
  /** Frees the permit of this key that is held under an address; undefined: none was. */
  drop(entry: KeyEntry, permit: ReturnedPermit): DroppedPermit | undefined;
  /** There may be room in a key that was not there before: who is parked for it is looked at as the transaction ends.
   *  `all`: so there may be in every key of its resource. */
  noteRoom(entry: KeyEntry, scope?: "all"): void;
  /** Frees permits of owners whose lease is over; how many. */
  dropLost(entry: KeyEntry): number;
}

/** A permit that is held. */
export interface HeldPermit {
  readonly probe: boolean;
}

/** A permit that is given back. */
export interface ReturnedPermit {
  readonly run: number;
  readonly address: PermitAddress;
}

/** A permit that was held. */
export interface DroppedPermit {
  /** True: it was that of a probe, which had not expired. */
  readonly isProbing: boolean;
}

/** A permit to be stored. */
export interface NewPermit extends PermitAddress {
  readonly run: number;
  readonly epoch: number;
  /** Null: no probe. */
  readonly probeUntilMs: number | null;
}

/** A run under its epoch. */
export interface PermitOwner {
  readonly run: number;
  readonly epoch: number;
}

/** Counts of a key that nobody has used. */
export const NO_TOTALS: ResourceTotals = Object.freeze({
  granted: 0,
  succeeded: 0,
  failed: 0,
  throttled: 0,
  consumed: 0,
  lastFailureAtMs: null,
});
