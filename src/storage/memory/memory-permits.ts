// Resources and permits of the memory store.

import { LEASE_GRACE_MS_DEFAULT } from "../../model/defaults.ts";
import { RESOURCE_IDLE_KEYS_MAX } from "../../model/limits.ts";
import { NEW_RESOURCE_STATE } from "../../policy/admission.ts";
import { isAtRest } from "../permits/idle-key.ts";
import {
  NO_TOTALS,
  type DroppedPermit,
  type KeyEntry,
  type NewPermit,
  type PermitBook,
  type WaitingLine,
} from "../permits/permit-book.ts";
import type { ParkedFor } from "../permits/parked-runs.ts";
import { countWaiting } from "../permits/permit-lines.ts";
import type {
  PermitAddress,
  PermitRecord,
  ResourceAddress,
  ResourceRecord,
} from "../permits/permit-write.ts";
import type { RunRecord } from "../../model/run.ts";
import { claimOrder } from "../run-rules.ts";
import { MemoryParked } from "./memory-parked.ts";
import { byText } from "./memory-query.ts";
import type { MemoryRun } from "./memory-run.ts";

interface StoredPermit extends NewPermit {
  readonly takenAtMs: number;
}

interface MemoryEntry extends KeyEntry {
  isStored: boolean;
  readonly lines: Map<string, WaitingLine>;
  readonly permits: Map<string, StoredPermit>;
  /** True once a probe was held: then they are looked for. */
  hasProbes: boolean;
}

/** Runs by number. */
type FindRun = (number: number) => MemoryRun | undefined;

/** Null: owners have no leases that could end, as where a process is the only one there is. */
type Owners = FindRun | null;

/** Keys that come together before those are looked for that may go. */
const TRIM_STEP = RESOURCE_IDLE_KEYS_MAX / 10;

/** All keys and permits. Of keys that are at rest it keeps about as many as a resource may. */
export class MemoryPermits {
  readonly #entries: Map<string, MemoryEntry> = new Map();
  readonly #owners: Owners;
  readonly #parked: MemoryParked = new MemoryParked();
  #trimAbove: number = RESOURCE_IDLE_KEYS_MAX + TRIM_STEP;

  constructor(owners: Owners) {
    this.#owners = owners;
  }

  /** The book of one transaction. */
  open(nowMs: number): PermitBook {
    // Here alone: within a transaction nothing that was found may go.
    this.#trim(nowMs);
    return {
      nowMs,
      find: (address) => this.#find(address, nowMs),
      changed: (entry) => void (this.#find(entry, nowMs).isStored = true),
      setLine: (entry, worker, line) => {
        const known = this.#find(entry, nowMs);
        if (line === null) known.lines.delete(worker);
        else {
          known.isStored = true;
          known.lines.set(worker, line);
        }
      },
      insert: (entry, permit) => {
        const known = this.#find(entry, nowMs);
        const name = nameOf(permit.run, permit);
        if (known.permits.has(name)) return false;
        known.hasProbes ||= permit.probeUntilMs !== null;
        known.permits.set(name, { ...permit, takenAtMs: nowMs });
        return true;
      },
      findHeld: (run, address, entry) => {
        const permit = this.#find(entry, nowMs).permits.get(nameOf(run, address));
        return permit === undefined ? undefined : { probe: permit.probeUntilMs !== null };
      },
      drop: (entry, { run, address }) =>
        dropPermit(this.#find(entry, nowMs).permits, nameOf(run, address), nowMs),
      noteRoom: (entry, scope) => this.#noteRoom(entry, scope),
      dropLost: (entry) => this.#dropLost(this.#find(entry, nowMs), nowMs),
    };
  }

  #find({ resource, key }: ResourceAddress, nowMs: number): MemoryEntry {
    const name = `${resource}/${key}`;
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = {
        resource,
        key,
        isStored: false,
        state: NEW_RESOURCE_STATE,
        totals: NO_TOTALS,
        terms: null,
        held: 0,
        probesHeld: 0,
        usedAtMs: nowMs,
        lines: new Map(),
        permits: new Map(),
        hasProbes: false,
      };
      this.#entries.set(name, entry);
    }
    // Of a key that was only looked at nothing is remembered.
    if (!entry.isStored) entry.usedAtMs = nowMs;
    recount(entry, nowMs);
    return entry;
  }

  #dropLost(entry: MemoryEntry, nowMs: number): number {
    const findRun = this.#owners;
    if (findRun === null) return 0;
    const before = entry.permits.size;
    for (const [name, permit] of entry.permits) {
      const record = findRun(permit.run)?.record;
      const isHeld =
        record?.state === "running" &&
        record.epoch === permit.epoch &&
        (record.lease?.expiresAtMs ?? 0) > nowMs - LEASE_GRACE_MS_DEFAULT;
      if (!isHeld) entry.permits.delete(name);
    }
    recount(entry, nowMs);
    return before - entry.permits.size;
  }

  /** Where owners have no leases nobody is parked. */
  #noteRoom({ resource, key }: ResourceAddress, scope?: "all"): void {
    if (this.#owners === null) return;
    this.#parked.note({ resource, key }, "freed");
    if (scope === "all" && key === "") this.#parked.noteAll(resource);
  }

  /** A run is parked until there is room. */
  park(run: RunRecord, waitsFor: readonly ParkedFor[], nowMs: number): void {
    for (const address of waitsFor) {
      this.#find(address, nowMs).isStored = true;
      this.#parked.park(address, { run: run.number, epoch: run.epoch, place: claimOrder(run) });
      if (!address.isTimed) this.#parked.note(address, "parked");
    }
  }

  /** The end of a transaction: `wake` is given the parked runs for which there is room now. */
  wake(nowMs: number, wake: (run: MemoryRun) => void): void {
    if (!this.#parked.isNoted) return;
    this.#parked.wake(this.open(nowMs), ({ run: number, epoch }) => {
      const run = this.#owners?.(number);
      // An epoch rises with each claim: a run that waits under the same one has not moved since.
      const isParked = run?.record.state === "waiting" && run.record.epoch === epoch;
      if (isParked) wake(run);
      return isParked;
    });
  }

  /** Frees all that a run holds. */
  freeRun(run: number): void {
    for (const entry of this.#entries.values()) {
      for (const [name, permit] of entry.permits) {
        if (permit.run !== run) continue;
        entry.permits.delete(name);
        this.#noteRoom(entry);
      }
    }
  }

  /** In order of name and key. */
  list(nowMs: number): readonly ResourceRecord[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.isStored || entry.permits.size > 0)
      .map((entry) => toRecord(entry, nowMs))
      .sort(byAddress);
  }

  record(address: ResourceAddress, nowMs: number): ResourceRecord | undefined {
    const entry = this.#entries.get(`${address.resource}/${address.key}`);
    return entry?.isStored === true ? toRecord(entry, nowMs) : undefined;
  }

  /** Who holds a key, the longest first, then in order of run, stage and item. */
  holders({ resource, key }: ResourceAddress): readonly PermitRecord[] {
    const permits = this.#entries.get(`${resource}/${key}`)?.permits.values() ?? [];
    return [...permits].sort(byTaken).map((permit) => this.#toPermit({ resource, key }, permit));
  }

  ofRun(run: number): readonly PermitRecord[] {
    return [...this.#entries.values()]
      .flatMap((entry) =>
        [...entry.permits.values()]
          .filter((permit) => permit.run === run)
          .map((permit) => this.#toPermit(entry, permit)),
      )
      .sort(byHolder);
  }

  /** Forgets keys that are at rest, the least recently used first, where there are too many. */
  #trim(nowMs: number): void {
    if (this.#entries.size <= this.#trimAbove) return;
    const idle = [...this.#entries].filter(([, entry]) => isIdle(entry, nowMs));
    idle.sort(([, left], [, right]) => left.usedAtMs - right.usedAtMs);
    const excess = this.#entries.size - RESOURCE_IDLE_KEYS_MAX;
    for (const [name] of idle.slice(0, excess)) this.#entries.delete(name);
    // Not again at once: each time all of them are looked at.
    this.#trimAbove = Math.max(this.#entries.size, RESOURCE_IDLE_KEYS_MAX) + TRIM_STEP;
  }

  #toPermit({ resource, key }: ResourceAddress, permit: StoredPermit): PermitRecord {
    const { run, stage, item, slot, takenAtMs, probeUntilMs } = permit;
    const runId = this.#owners?.(run)?.record.id ?? "";
    return { resource, key, runId, stage, item, slot, takenAtMs, probe: probeUntilMs !== null };
  }
}

function isIdle({ key, permits, lines, state }: MemoryEntry, nowMs: number): boolean {
  if (key === "" || permits.size > 0 || countWaiting(lines.values(), nowMs) > 0) return false;
  return isAtRest(state, nowMs);
}

function recount(entry: MemoryEntry, nowMs: number): void {
  entry.held = entry.permits.size;
  entry.probesHeld = 0;
  if (!entry.hasProbes) return;
  for (const { probeUntilMs } of entry.permits.values())
    if (probeUntilMs !== null && probeUntilMs > nowMs) entry.probesHeld += 1;
}

function dropPermit(
  permits: Map<string, StoredPermit>,
  name: string,
  nowMs: number,
): DroppedPermit | undefined {
  const permit = permits.get(name);
  if (permit === undefined) return undefined;
  permits.delete(name);
  return { isProbing: permit.probeUntilMs !== null && permit.probeUntilMs > nowMs };
}

function nameOf(run: number, { stage, item, slot }: PermitAddress): string {
  return `${run} ${slot} ${stage}\0${item ?? ""}`;
}

function toRecord(entry: MemoryEntry, nowMs: number): ResourceRecord {
  const { resource, key, state, totals, terms, usedAtMs, permits, lines } = entry;
  const waiting = countWaiting(lines.values(), nowMs);
  return { resource, key, state, totals, terms, usedAtMs, held: permits.size, waiting };
}

const byName = byText((one: ResourceAddress) => one.resource);
const byKey = byText((one: ResourceAddress) => one.key);
const byStage = byText((one: PermitAddress) => one.stage);
const byItem = byText((one: PermitAddress) => one.item ?? "");

/** In order of name and key, as databases sort text. */
export function byAddress(left: ResourceAddress, right: ResourceAddress): number {
  return byName(left, right) || byKey(left, right);
}

function byPlace(left: PermitAddress, right: PermitAddress): number {
  return byStage(left, right) || byItem(left, right) || left.slot - right.slot;
}

function byTaken(left: StoredPermit, right: StoredPermit): number {
  return left.takenAtMs - right.takenAtMs || left.run - right.run || byPlace(left, right);
}

function byHolder(left: PermitRecord, right: PermitRecord): number {
  return byPlace(left, right) || byAddress(left, right);
}
