// The items of one map stage while it is driven: keys, states, outputs and failures by position, and counts that
// are kept, never recounted. Arrays instead of an object per item: a hundred thousand items are normal.

import type { ItemRecord } from "../../model/checkpoint.ts";
import type { Failure, StageState, StoredValue, Via } from "../../model/outcome.ts";
import type { EncodedValue } from "../../std/value.ts";
import { WaitTally } from "../ledger/wait-tally.ts";
import type { ItemKeys } from "./item-keys.ts";

/** Position of each state in the byte that an item keeps. */
const CODES = {
  pending: 0,
  running: 1,
  waiting: 2,
  succeeded: 3,
  failed: 4,
  skipped: 5,
  cancelled: 6,
  upstream_failed: 7,
} as const satisfies Record<StageState, number>;

const STATES: readonly StageState[] = [
  "pending",
  "running",
  "waiting",
  "succeeded",
  "failed",
  "skipped",
  "cancelled",
  "upstream_failed",
];

/** Items of one map stage, by position. */
export class MapItems {
  readonly items: unknown[] = [];
  /** Outputs by reference (in memory, `persist: false`). */
  readonly values: unknown[] = [];
  /** Outputs as text, durable runs. */
  readonly texts: (EncodedValue | null)[] = [];
  readonly stored: (StoredValue | null)[] = [];
  readonly failures: Map<number, Failure> = new Map();
  readonly reasons: Map<number, string> = new Map();
  readonly vias: Map<number, Via> = new Map();
  /** Of items that have waited. */
  readonly tallies: Map<number, WaitTally> = new Map();
  readonly counts: Record<StageState, number> = {
    pending: 0,
    running: 0,
    waiting: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
    upstream_failed: 0,
  };
  /** True once no more items can come. */
  closed: boolean = false;
  /** Lowest position that was never started. */
  next: number = 0;
  /** Attempts in flight, stuck ones included. */
  inFlight: number = 0;
  /** Items that were started or ended and whose ending is not committed yet. */
  unsettled: number = 0;
  /** Positions whose ending is on its way to the store: nobody else may work with it yet. */
  readonly uncommitted: Set<number> = new Set();
  /** Of items whose outputs are not stored: what each was made from. */
  readonly unstoredVersions: Map<number, string> = new Map();
  /** Set when no new item may start any more. */
  halted: boolean = false;
  readonly #eagerKeys: boolean;
  readonly #keys: ItemKeys;
  readonly #keyList: string[] = [];
  #states: Uint8Array = new Uint8Array(64);

  /** @param eagerKeys False: keys by content are made when somebody asks. */
  constructor(keys: ItemKeys, eagerKeys: boolean) {
    this.#keys = keys;
    this.#eagerKeys = eagerKeys;
  }

  get size(): number {
    return this.items.length;
  }

  /** Adds an item at the end and answers its position. Throws where its key is not possible. */
  add(item: unknown, key?: string): number {
    const index = this.items.length;
    if (key !== undefined) this.#keyList.push(key);
    else if (this.#eagerKeys) this.#keyList.push(this.#keys.next(item, index));
    this.items.push(item);
    this.values.push(undefined);
    if (index >= this.#states.length) this.#grow();
    this.counts.pending += 1;
    return index;
  }

  /** Key of an item. */
  keyOf(index: number): string {
    while (this.#keyList.length <= index) {
      const at = this.#keyList.length;
      this.#keyList.push(this.#keys.next(this.items[at], at));
    }
    return this.#keyList[index] ?? "";
  }

  stateOf(index: number): StageState {
    return STATES[this.#states[index] ?? 0] ?? "pending";
  }

  /** Passes over what was started already, or has ended. */
  skipStarted(): void {
    while (this.next < this.size && this.stateOf(this.next) !== "pending") this.next += 1;
  }

  /** Moves an item and keeps the counts. */
  move(index: number, to: StageState): void {
    const from = this.stateOf(index);
    this.counts[from] -= 1;
    this.counts[to] += 1;
    this.#states[index] = CODES[to];
  }

  /** Brings an ending back from its row. */
  takeOver(index: number, record: ItemRecord): void {
    this.move(index, record.state);
    this.stored[index] = record.output;
    this.texts[index] = record.output?.kind === "inline" ? record.output.text : null;
    if (record.failure !== null) this.failures.set(index, record.failure);
    if (record.reason !== null) this.reasons.set(index, record.reason);
    this.vias.set(index, "checkpoint");
  }

  /** The waits of an item, made if there is none yet. */
  makeTally(index: number): WaitTally {
    let tally = this.tallies.get(index);
    if (tally === undefined) {
      tally = new WaitTally();
      this.tallies.set(index, tally);
    }
    return tally;
  }

  /** Items that have not ended. */
  get open(): number {
    return this.counts.pending + this.counts.running + this.counts.waiting;
  }

  #grow(): void {
    const grown = new Uint8Array(this.#states.length * 4);
    grown.set(this.#states);
    this.#states = grown;
  }
}
