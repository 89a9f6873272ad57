// The states of all items of a run, one byte each, kept up by its events: read once from the store, and again when the
// run changes hands, as what ran with its last owner does not run any more. What another process runs is told by its
// beats and laid over when the run is read.

import { ITEM_STATES_MAX } from "../../../model/limits.ts";
import type { ItemRecord } from "../../../model/checkpoint.ts";
import type { EventType, MillraceEvent } from "../../../model/event.ts";
import type { StageState } from "../../../model/outcome.ts";
import { RUNNING_NAMES_MAX } from "../../../model/limits.ts";
import type { Store } from "../../../storage/store.ts";
import {
  listMaps,
  readStageBytes,
  toItemByte,
  toPackedStage,
  type PackedStageView,
} from "../../queries/run/item-states.ts";
import type { LiveEntry } from "../../mill-context.ts";
import { listWork, type RunFacts } from "../../queries/run-facts.ts";
import type { ItemChanges } from "./feed-message.ts";

/** The run, where this process works on it. */
export type FindOurs = (runId: string) => Pick<LiveEntry, "listRunning"> | undefined;

/** An attempt, and when something became of it, UTC ms. */
interface AttemptTime {
  readonly attempt: number;
  readonly atMs: number;
}

interface StageItems {
  total: number | null;
  bytes: Uint8Array;
  /** By place: the last attempt that has ended, and when, UTC ms. What is told of it later than that is old. */
  endedAttempts: Uint16Array;
  endedAtMs: Float64Array;
  /** How many places are told of. */
  count: number;
  readonly changed: Set<number>;
}

/** Events that say that all may be different. */
const RELOADING: ReadonlySet<EventType> = new Set([
  "run.resumed",
  "run.interrupted",
  "run.returned",
  "run.parked",
  "run.reclaimed",
]);

const STATES: Partial<Record<EventType, StageState>> = {
  "item.started": "running",
  "item.waiting": "waiting",
  "item.succeeded": "succeeded",
  "item.failed": "failed",
  "item.skipped": "skipped",
  "item.cancelled": "cancelled",
  "item.upstream_failed": "upstream_failed",
};

/** Items of one run: of each map stage the first ITEM_STATES_MAX. */
export class RunItems {
  readonly #store: Store;
  readonly #runId: string;
  readonly #findOurs: FindOurs;
  readonly #stages: Map<string, StageItems> = new Map();
  /** Told while the store is read; null: it is not. */
  #early: MillraceEvent[] | null = null;
  #isStale = true;

  /** `findOurs`: the run where this process works on it. */
  constructor(store: Store, runId: string, findOurs: FindOurs) {
    this.#store = store;
    this.#runId = runId;
    this.#findOurs = findOurs;
  }

  /** Whether something is to be told. */
  get hasChanges(): boolean {
    for (const { changed } of this.#stages.values()) if (changed.size > 0) return true;
    return false;
  }

  take(event: MillraceEvent): void {
    if (event.run !== this.#runId) return;
    if (RELOADING.has(event.type)) this.#isStale = true;
    if (this.#early !== null) this.#early.push(event);
    else this.#apply(event);
  }

  /** Reads what is there, the first time and when the run has changed hands, and lays over what runs elsewhere. */
  async load(facts: RunFacts): Promise<void> {
    if (this.#isStale) await this.#readAll(facts);
    this.#layOver(facts);
  }

  async #readAll(facts: RunFacts): Promise<void> {
    this.#isStale = false;
    const early: MillraceEvent[] = [];
    this.#early = early;
    try {
      for (const stage of listMaps(facts)) {
        const packing = { facts, stage, query: {} };
        const { total, bytes } = await readStageBytes(this.#store, packing, (item) =>
          this.#noteEnd(stage, item.index, { attempt: item.attempts, atMs: item.endedAtMs ?? 0 }),
        );
        this.#replace(stage, total, bytes);
      }
    } catch (error) {
      this.#isStale = true;
      throw error;
    } finally {
      this.#early = null;
      // Some are in what was read already. Told again they lead to the same in the end.
      for (const event of early) this.#apply(event);
    }
  }

  /** What has changed since the last time. */
  drain(): readonly ItemChanges[] {
    const changes: ItemChanges[] = [];
    for (const [stage, items] of this.#stages) {
      if (items.changed.size === 0) continue;
      const states: number[] = [];
      for (const place of items.changed) states.push(place, items.bytes[place] ?? 0);
      items.changed.clear();
      changes.push({ stage, total: items.total, states });
    }
    return changes;
  }

  pack(): readonly PackedStageView[] {
    return [...this.#stages].map(([stage, { total, bytes, count }]) =>
      toPackedStage({ stage, total, from: 0, bytes: bytes.subarray(0, count), keys: [] }, false),
    );
  }

  #apply(event: MillraceEvent): void {
    const { type, stage, data = {} } = event;
    if (stage === undefined) return;
    if (type === "stage.expanded") this.#expand(stage, data["items"]);
    const state = STATES[type];
    const index = data["index"];
    if (state === undefined || typeof index !== "number") return;
    const attempts = countAttempts(event);
    if (state === "running") {
      this.#begin(stage, index, { attempt: attempts, atMs: event.atMs });
      return;
    }
    this.#noteEnd(stage, index, { attempt: attempts, atMs: event.atMs });
    const blocker = data["blocker"];
    const record: Pick<ItemRecord, "state" | "blocker" | "attempts"> = {
      state,
      blocker: typeof blocker === "string" ? blocker : null,
      attempts,
    };
    this.#set(stage, index, toItemByte(record));
  }

  #expand(stage: string, items: unknown): void {
    if (typeof items !== "number") return;
    const known = this.#stageOf(stage);
    known.total = items;
    this.#grow(known, Math.min(items, ITEM_STATES_MAX));
  }

  #replace(stage: string, total: number | null, bytes: Uint8Array): void {
    const items = this.#stageOf(stage);
    items.total = total ?? items.total;
    this.#grow(items, bytes.length);
    for (const [place, byte] of bytes.entries()) this.#set(stage, place, byte);
  }

  /** What runs now: of a run of this process as it is, of others as it was said last. */
  #layOver(facts: RunFacts): void {
    const ours = this.#findOurs(this.#runId);
    const work = ours?.listRunning(RUNNING_NAMES_MAX) ?? [];
    for (const stage of this.#stages.keys()) {
      for (const entry of ours === undefined ? listWork(facts, stage) : work) {
        const { stage: name, index, attempt, startedAtMs } = entry;
        if (name !== stage || index === undefined) continue;
        this.#begin(stage, index, { attempt, atMs: startedAtMs ?? 0 });
      }
    }
  }

  /** It runs, unless what is told is older than its end: what is never stored is told after what is. */
  #begin(stage: string, place: number, at: AttemptTime): void {
    if (place < 0 || place >= ITEM_STATES_MAX) return;
    const { endedAttempts, endedAtMs } = this.#stageOf(stage);
    const isOld = at.attempt <= (endedAttempts[place] ?? 0) && at.atMs <= (endedAtMs[place] ?? 0);
    if (isOld) return;
    this.#set(stage, place, toItemByte({ state: "running", blocker: null, attempts: at.attempt }));
  }

  #noteEnd(stage: string, place: number, at: AttemptTime): void {
    if (place < 0 || place >= ITEM_STATES_MAX) return;
    const items = this.#stageOf(stage);
    this.#grow(items, place + 1);
    items.endedAttempts[place] = at.attempt;
    items.endedAtMs[place] = at.atMs;
  }

  #set(stage: string, place: number, byte: number): void {
    if (place < 0 || place >= ITEM_STATES_MAX) return;
    const items = this.#stageOf(stage);
    this.#grow(items, place + 1);
    if (items.bytes[place] === byte) return;
    items.bytes[place] = byte;
    items.changed.add(place);
  }

  #grow(items: StageItems, count: number): void {
    items.count = Math.max(items.count, count);
    if (count <= items.bytes.length) return;
    const size = Math.min(ITEM_STATES_MAX, Math.max(64, 2 * items.bytes.length, count));
    const bytes = new Uint8Array(size);
    bytes.set(items.bytes);
    items.bytes = bytes;
    const attempts = new Uint16Array(size);
    attempts.set(items.endedAttempts);
    items.endedAttempts = attempts;
    const times = new Float64Array(size);
    times.set(items.endedAtMs);
    items.endedAtMs = times;
  }

  #stageOf(stage: string): StageItems {
    let items = this.#stages.get(stage);
    if (items === undefined) {
      items = {
        total: null,
        bytes: new Uint8Array(0),
        endedAttempts: new Uint16Array(0),
        endedAtMs: new Float64Array(0),
        count: 0,
        changed: new Set(),
      };
      this.#stages.set(stage, items);
    }
    return items;
  }
}

/** Attempts that were begun. */
function countAttempts({ type, attempt = 0, data = {} }: MillraceEvent): number {
  const attempts = data["attempts"];
  // Of a wait the field says how many there may be.
  if (type !== "item.waiting") return typeof attempts === "number" ? attempts : attempt;
  // What waits for a resource has not begun the attempt it waits with.
  return data["blocker"] === "retry" ? attempt : Math.max(0, attempt - 1);
}
