// The keys and permits that one transaction has to do with: each key is read once and written once, however many
// attempts ask for it.

import { LEASE_GRACE_MS_DEFAULT } from "../../model/defaults.ts";
import { WAKE_RUNS_MAX } from "../../model/limits.ts";
import { NEW_RESOURCE_STATE } from "../../policy/admission.ts";
import { countWakes, type ParkedFor, type RoomCause } from "../permits/parked-runs.ts";
import {
  NO_TOTALS,
  type DroppedPermit,
  type HeldPermit,
  type KeyEntry,
  type NewPermit,
  type ReturnedPermit,
  type PermitBook,
  type WaitingLine,
} from "../permits/permit-book.ts";
import type { PermitAddress, ResourceAddress } from "../permits/permit-write.ts";
import type { Rows } from "./rows.ts";
import type { NewParked, ParkedRunRows } from "./statements/parked-runs.ts";
import type { FreedPermit, ResourceRows } from "./statements/resources.ts";

interface LedgerEntry extends KeyEntry {
  /** 0: it has no row yet. */
  number: number;
  isChanged: boolean;
  readonly lines: Map<string, WaitingLine>;
}

const NO_PROBE: DroppedPermit = Object.freeze({ isProbing: false });

/** The permits of one transaction. */
export class PermitLedger implements PermitBook {
  readonly nowMs: number;
  readonly #rows: ResourceRows;
  readonly #entries: Map<string, LedgerEntry> = new Map();
  readonly #byNumber: Map<number, LedgerEntry> = new Map();

  readonly #parked: ParkedRunRows;
  /** Keys in which there may be room that was not there before. */
  readonly #roomy: Map<LedgerEntry, RoomCause> = new Map();
  /** The same, of keys that this transaction has not read. */
  readonly #freed: Set<number> = new Set();
  /** Resources of which that is true of every key. */
  readonly #wide: Set<string> = new Set();
  #last: LedgerEntry | null = null;

  constructor(rows: Pick<Rows, "resources" | "parked">, nowMs: number) {
    this.#rows = rows.resources;
    this.#parked = rows.parked;
    this.nowMs = nowMs;
  }

  find(address: ResourceAddress): LedgerEntry {
    // Nearly always the one that was asked for before.
    const last = this.#last;
    if (last !== null && last.resource === address.resource && last.key === address.key)
      return last;
    const name = `${address.resource}/${address.key}`;
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = this.#load(address);
      this.#entries.set(name, entry);
      if (entry.number > 0) this.#byNumber.set(entry.number, entry);
    }
    this.#last = entry;
    return entry;
  }

  #load({ resource, key }: ResourceAddress): LedgerEntry {
    const row = this.#rows.find({ resource, key });
    if (row === undefined) {
      return {
        resource,
        key,
        number: 0,
        isChanged: false,
        state: NEW_RESOURCE_STATE,
        totals: NO_TOTALS,
        terms: null,
        usedAtMs: this.nowMs,
        held: 0,
        probesHeld: 0,
        lines: new Map(),
      };
    }
    const lines = this.#rows.lines(row.number).map((line) => [line.worker, line] as const);
    const counts = this.#rows.count(row.number, this.nowMs);
    return { ...row, ...counts, isChanged: false, lines: new Map(lines) };
  }

  changed(entry: KeyEntry): void {
    this.find(entry).isChanged = true;
  }

  setLine(entry: KeyEntry, worker: string, line: WaitingLine | null): void {
    const known = this.find(entry);
    if (line === null) {
      known.lines.delete(worker);
      this.#rows.dropLine(known.number, worker);
    } else {
      known.lines.set(worker, line);
      this.#rows.putLine(this.#numberOf(known), line);
    }
  }

  insert(entry: KeyEntry, permit: NewPermit): boolean {
    return this.#rows.insertPermit(this.#numberOf(this.find(entry)), permit, this.nowMs);
  }

  findHeld(run: number, address: PermitAddress, entry: KeyEntry): HeldPermit | undefined {
    const { number, held } = this.find(entry);
    return held === 0 ? undefined : this.#rows.findPermit(number, run, address);
  }

  drop(entry: KeyEntry, permit: ReturnedPermit): DroppedPermit | undefined {
    const { number, held, probesHeld } = this.find(entry);
    if (held === 0) return undefined;
    // Whether it was a probe's is asked only where there are some: the answer of a deletion is slow.
    if (probesHeld === 0) return this.#rows.dropPermit(number, permit) ? NO_PROBE : undefined;
    const dropped = this.#rows.dropProbe(number, permit);
    return dropped === undefined ? undefined : { isProbing: this.#isProbing(dropped) };
  }

  dropLost(entry: KeyEntry): number {
    const known = this.find(entry);
    const count = this.#rows.dropLost(known.number, this.nowMs - LEASE_GRACE_MS_DEFAULT);
    if (count > 0) Object.assign(known, this.#rows.count(known.number, this.nowMs));
    return count;
  }

  /** Frees all that a run holds: it has no owner any more, or another one. */
  freeRun(run: number): void {
    for (const permit of this.#rows.freeRun(run)) {
      const entry = this.#byNumber.get(permit.resource);
      if (entry === undefined) {
        this.#freed.add(permit.resource);
        continue;
      }
      this.#roomy.set(entry, "freed");
      entry.held -= 1;
      if (this.#isProbing(permit)) entry.probesHeld -= 1;
    }
  }

  noteRoom(entry: KeyEntry, scope?: "all"): void {
    this.#roomy.set(this.find(entry), "freed");
    if (scope === "all" && entry.key === "") this.#wide.add(entry.resource);
  }

  /** A run is parked until there is room. */
  park(run: NewParked, waitsFor: readonly ParkedFor[]): void {
    for (const address of waitsFor) {
      const entry = this.find(address);
      this.#parked.put(this.#numberOf(entry), run);
      if (!address.isTimed && !this.#roomy.has(entry)) this.#roomy.set(entry, "parked");
    }
  }

  /** The end of a transaction: of those who are parked as many go back to their queues as there is room for. */
  wakeParked(wake: (runId: string) => void): void {
    if (this.#roomy.size === 0 && this.#freed.size === 0) return;
    // Once for all keys: where nobody is parked this is all that it costs.
    if (!this.#parked.isAny()) return;
    for (const number of this.#freed) {
      const address = this.#parked.address(number);
      if (address !== undefined) this.#roomy.set(this.find(address), "freed");
    }
    for (const resource of this.#wide)
      for (const key of this.#parked.keysOf(resource, WAKE_RUNS_MAX))
        this.#roomy.set(this.find({ resource, key }), "freed");
    for (const [entry, cause] of this.#roomy) {
      if (entry.number > 0) this.#wakeKey(entry.number, countWakes(this, entry, cause), wake);
    }
  }

  #wakeKey(resource: number, count: number, wake: (runId: string) => void): void {
    let left = count;
    while (left > 0) {
      const next = this.#parked.list(resource, left);
      for (const row of next) {
        this.#parked.drop(resource, row);
        if (row.runId === null) continue;
        wake(row.runId);
        left -= 1;
      }
      if (next.length === 0) return;
    }
  }

  #isProbing({ probeUntilMs }: FreedPermit): boolean {
    return probeUntilMs !== null && probeUntilMs > this.nowMs;
  }

  /** Writes what was changed; true if anything was. */
  finish(): boolean {
    let isWritten = false;
    for (const entry of this.#entries.values()) {
      if (!entry.isChanged) continue;
      isWritten = true;
      if (entry.number === 0) this.#numberOf(entry);
      else this.#rows.update(entry);
    }
    return isWritten;
  }

  #numberOf(entry: LedgerEntry): number {
    if (entry.number === 0) {
      entry.number = this.#rows.insert(entry);
      this.#byNumber.set(entry.number, entry);
    }
    return entry.number;
  }
}
