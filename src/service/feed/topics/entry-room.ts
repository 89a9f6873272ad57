// A topic of things as they are now. Events tell which may have changed; those are read again, at most once per batch
// and never for more than a quarter of the time, and what is really different is told. Whatever happens meanwhile, only
// the last state of each is: a slow reader of states misses nothing that still holds.

import { FEED_BATCH_MS_DEFAULT } from "../../../model/defaults.ts";
import { FEED_HELD_BYTES_MAX } from "../../../model/limits.ts";
import type { Clock, Timer } from "../../../std/clock.ts";
import { FeedFrame, type FeedChange, type FeedSnapshot, type ItemChanges } from "./feed-message.ts";
import type { FeedBatch, StateRoom } from "./feed-room.ts";
import { FrameRing } from "./frame-ring.ts";
import type { RunItems } from "./run-items.ts";
import type { EntrySource } from "./entry-source.ts";

/** What a room of entries is made of. */
export interface EntryRoomParts {
  readonly topic: string;
  readonly source: EntrySource;
  readonly clock: Clock;
  /** Number of the last event that was judged. */
  readonly seqNow: () => number;
  /** Told when there is something to send. */
  readonly told: () => void;
}

/** Messages that are held for who comes back. */
const HELD_MAX = 400;
/** Entries that may be marked one by one; with more all are read again. */
const DIRTY_MAX = 200;
/** A room reads at most one part in so many of the time. */
const REST_SHARE = 4;
/** Longest time between two tries while the store cannot be read, ms. */
const RETRY_MS = 1_000;

/** A topic of entries. */
export class EntryRoom implements StateRoom {
  readonly kind = "state" as const;
  readonly ring: FrameRing = new FrameRing({ bytesMax: FEED_HELD_BYTES_MAX, eventsMax: HELD_MAX });
  readonly #parts: EntryRoomParts;
  /** As JSON, by id. */
  readonly #entries: Map<string, string> = new Map();
  #dirty: Set<string> | "all" = "all";
  #seq: number;
  readonly #bornSeq: number;
  /** The first read; null: it has not begun, or failed. */
  #first: Promise<void> | null = null;
  #isLoaded = false;
  #isReading = false;
  #nextMs = 0;
  #timer: Timer | null = null;
  #every: Timer | null = null;
  #isClosed = false;

  constructor(parts: EntryRoomParts) {
    this.#parts = parts;
    this.#bornSeq = parts.seqNow();
    this.#seq = this.#bornSeq;
  }

  get #items(): RunItems | null {
    return this.#parts.source.items ?? null;
  }

  ready(): Promise<void> {
    this.#first ??= this.#read();
    return this.#first;
  }

  take({ events }: FeedBatch): void {
    for (const event of events) {
      this.#items?.take(event);
      if (this.#dirty !== "all") this.#mark(this.#parts.source.touch(event));
    }
    if (this.#isDirty()) this.#book();
  }

  snapshot(): FeedFrame & { readonly message: FeedSnapshot } {
    const entries: Record<string, unknown> = {};
    for (const [id, text] of this.#entries) entries[id] = JSON.parse(text);
    const items = this.#items?.pack();
    const message: FeedSnapshot = {
      type: "snapshot",
      topic: this.#parts.topic,
      seq: this.#seq,
      data: { entries, ...(items === undefined ? {} : { items }) },
    };
    return Object.assign(new FeedFrame(message), { message });
  }

  changesSince(after: number): FeedFrame | undefined {
    // A cursor from before this room may stand for an older state; one in the room's life cannot.
    if (after <= this.#bornSeq || after > this.#seq) return undefined;
    const first = this.#findPlace(after);
    if (first === undefined) return undefined;
    const changes = new Map<string, FeedChange>();
    const items: ItemChanges[] = [];
    for (let place = first; place < this.ring.end; place++) {
      const message = this.ring.at(place)?.message;
      if (message?.type !== "delta") continue;
      for (const change of message.changes) changes.set(change.id, change);
      items.push(...(message.items ?? []));
    }
    return this.#toDelta({ from: after, changes: [...changes.values()], items });
  }

  summarize(): unknown {
    const { source } = this.#parts;
    return source.summarize === undefined
      ? { entries: this.#entries.size }
      : source.summarize((id) => {
          const text = this.#entries.get(id);
          return text === undefined ? undefined : JSON.parse(text);
        }, this.#entries.keys());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#every?.cancel();
  }

  /** The first message that tells something after a cursor; undefined: it is not held any more. */
  #findPlace(after: number): number | undefined {
    let place = this.ring.end;
    while (place > this.ring.start) {
      const message = this.ring.at(place - 1)?.message;
      // Equal: changes without an event, which it may have or not. Twice is once: they are states.
      if (message?.type !== "delta" || message.to < after) return place;
      place -= 1;
    }
    return this.ring.start === 0 ? 0 : undefined;
  }

  #mark(touched: readonly string[] | "all" | null): void {
    if (touched === null || this.#dirty === "all") return;
    if (touched === "all") this.#dirty = "all";
    else for (const id of touched) this.#dirty.add(id);
    if (this.#dirty !== "all" && this.#dirty.size > DIRTY_MAX) this.#dirty = "all";
  }

  #isDirty(): boolean {
    return this.#dirty === "all" || this.#dirty.size > 0 || this.#items?.hasChanges === true;
  }

  #book(): void {
    if (this.#isReading || this.#timer !== null || !this.#isLoaded || this.#isClosed) return;
    const waitMs = Math.max(0, this.#nextMs - this.#parts.clock.monotonicMs());
    this.#timer = this.#parts.clock.setTimer(waitMs, () => {
      this.#timer = null;
      void this.#readAgain();
    });
  }

  async #readAgain(): Promise<void> {
    try {
      await this.#read();
    } catch {
      // The feed finds out by itself whether the store is away; what was not read stays marked.
      this.#nextMs = this.#parts.clock.monotonicMs() + RETRY_MS;
      this.#book();
    }
  }

  async #read(): Promise<void> {
    const { source, clock, seqNow } = this.#parts;
    const startMs = clock.monotonicMs();
    const seq = seqNow();
    const dirty = this.#dirty;
    this.#dirty = new Set();
    this.#isReading = true;
    try {
      const isRead = dirty === "all" || dirty.size > 0;
      const found = isRead ? await source.read(dirty) : new Map<string, unknown>();
      if (this.#isClosed) return;
      this.#publish({ found, isAll: dirty === "all" }, seq);
    } catch (error) {
      this.#dirty = dirty === "all" ? "all" : new Set([...dirty, ...this.#dirty]);
      if (!this.#isLoaded) this.#first = null;
      throw error;
    } finally {
      this.#isReading = false;
      const tookMs = clock.monotonicMs() - startMs;
      this.#nextMs = clock.monotonicMs() + Math.max(FEED_BATCH_MS_DEFAULT, REST_SHARE * tookMs);
    }
    this.#bookEvery();
    if (this.#isDirty()) this.#book();
  }

  #bookEvery(): void {
    const { everyMs } = this.#parts.source;
    this.#every?.cancel();
    this.#every = null;
    if (everyMs === null || this.#isClosed) return;
    this.#every = this.#parts.clock.setTimer(everyMs, () => {
      this.#dirty = "all";
      this.#book();
    });
  }

  #publish(
    read: { readonly found: ReadonlyMap<string, unknown>; readonly isAll: boolean },
    seq: number,
  ): void {
    const isFirst = !this.#isLoaded;
    this.#isLoaded = true;
    const changes = this.#replace(read);
    const items = this.#items?.drain() ?? [];
    if (isFirst) {
      // Nobody has a snapshot yet.
      this.#seq = seq;
      return;
    }
    if (changes.length === 0 && items.length === 0) return;
    this.ring.push(this.#toDelta({ from: this.#seq, to: seq, changes, items }));
    this.#seq = seq;
    this.#parts.told();
  }

  #replace({
    found,
    isAll,
  }: {
    readonly found: ReadonlyMap<string, unknown>;
    readonly isAll: boolean;
  }): readonly FeedChange[] {
    const changes: FeedChange[] = [];
    for (const [id, value] of found) {
      const text = value === null ? undefined : JSON.stringify(value);
      if (text === this.#entries.get(id)) continue;
      if (text === undefined) this.#entries.delete(id);
      else this.#entries.set(id, text);
      changes.push({ id, value });
    }
    if (!isAll) return changes;
    for (const id of this.#entries.keys()) {
      if (found.has(id)) continue;
      this.#entries.delete(id);
      changes.push({ id, value: null });
    }
    return changes;
  }

  #toDelta(delta: {
    readonly from: number;
    readonly to?: number;
    readonly changes: readonly FeedChange[];
    readonly items: readonly ItemChanges[];
  }): FeedFrame {
    const { from, to = this.#seq, changes, items } = delta;
    return new FeedFrame({
      type: "delta",
      topic: this.#parts.topic,
      from,
      to,
      changes,
      ...(items.length === 0 ? {} : { items }),
    });
  }
}
