// One reader of the bus. Modes: `history`, while it reads stored events page by page at its own pace: what is told
// meanwhile it finds in the store; `live`, once it has read all that the bus has told: from then on the bus hands it
// what comes, into a queue that lets its oldest go; `over`, when it was returned, aborted, or the bus has closed: what
// is in the queue is still given out, but to one that was returned.

import { EVENT_SCAN_MAX, PAGE_ROWS_MAX, READER_QUEUE_MAX } from "../../model/limits.ts";
import { type EventType, type MillraceEvent, selectEventTypes } from "../../model/event.ts";
import type { EventQuery } from "../../storage/store.ts";
import type { BusEntry, SubscribeOptions } from "./event-bus.ts";

/** What a reader asks of its bus. */
export interface BusSide {
  /** Number of the last stored event that was told. */
  lastSeq(): number;
  /** Resolves once the bus knows where it begins, or has closed. */
  begin(): Promise<void>;
  /** A page of the store; null: the bus has closed. Waits while the store is away. */
  read(query: EventQuery): Promise<readonly MillraceEvent[] | null>;
  /** Takes the reader off the list. */
  leave(reader: BusReader): void;
}

/** A subscription. */
export class BusReader implements AsyncIterableIterator<BusEntry> {
  readonly #bus: BusSide;
  readonly #options: SubscribeOptions;
  readonly #types: ReadonlySet<EventType> | null;
  readonly #queueMax: number;
  #mode: "history" | "live" | "over";
  #queue: MillraceEvent[] = [];
  #head = 0;
  /** Dropped from the head of the queue, and not told yet. */
  #missed = 0;
  /** Stored events up to this number were taken in, or are none of ours. */
  #cursor: number;
  /** Number of the last stored event that was given out. */
  #givenSeq: number;
  #wake: (() => void) | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #onAbort: (() => void) | null = null;

  constructor(bus: BusSide, options: SubscribeOptions) {
    const { after, types, queueMax, signal } = options;
    this.#bus = bus;
    this.#options = options;
    this.#types = types === undefined ? null : selectEventTypes(types);
    this.#queueMax = queueMax ?? READER_QUEUE_MAX;
    this.#mode = after === undefined ? "live" : "history";
    this.#cursor = after ?? bus.lastSeq();
    this.#givenSeq = this.#cursor;
    if (signal === undefined) return;
    this.#onAbort = () => this.end();
    if (signal.aborted) this.#mode = "over";
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** True once nothing comes any more. */
  get isOver(): boolean {
    return this.#mode === "over";
  }

  /** Reads a first page ahead, which is all where there is little history: what is live only is not missed then, however
   *  late somebody asks for the first entry. */
  begin(): void {
    if (this.#mode === "history") this.#turn = this.#readOn();
  }

  /** Hands it an event: one that is told now. Never waits. */
  offer(event: MillraceEvent): void {
    if (this.#mode !== "live") return;
    if (event.seq === 0) {
      if (this.#options.storedOnly === true) return;
    } else {
      if (event.seq <= this.#cursor) return;
      this.#cursor = event.seq;
    }
    if (!this.#isWanted(event)) return;
    this.#push(event);
    if (this.#queue.length - this.#head <= this.#queueMax) return;
    this.#head += 1;
    this.#missed += 1;
    this.#compact();
  }

  /** Nothing comes any more; what is there is still given out. Safe to repeat. */
  end(): void {
    if (this.#mode !== "over") this.#bus.leave(this);
    this.#mode = "over";
    if (this.#onAbort !== null) this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#notify();
  }

  next(): Promise<IteratorResult<BusEntry>> {
    const step = this.#turn.then(() => this.#take());
    this.#turn = step.catch(() => undefined);
    return step;
  }

  return(): Promise<IteratorResult<BusEntry>> {
    this.#queue = [];
    this.#head = 0;
    this.#missed = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #take(): Promise<IteratorResult<BusEntry>> {
    for (;;) {
      const entry = this.#shift();
      if (entry !== undefined) return { done: false, value: entry };
      if (this.#mode === "over") return { done: true, value: undefined };
      if (this.#mode === "history") await this.#readOn();
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #shift(): BusEntry | undefined {
    if (this.#missed > 0) {
      const missed = this.#missed;
      this.#missed = 0;
      return { kind: "gap", missed, afterSeq: this.#givenSeq };
    }
    const event = this.#queue[this.#head];
    if (event === undefined) return undefined;
    this.#head += 1;
    this.#compact();
    if (event.seq > 0) this.#givenSeq = event.seq;
    return { kind: "event", event };
  }

  /** One page of history. Rare types are looked for in stretches, so that no look takes long. */
  async #readOn(): Promise<void> {
    await this.#bus.begin();
    // What the bus has told by now is in the store, so that this page, or one that follows, holds it.
    const toldSeq = this.#bus.lastSeq();
    const limit = Math.min(PAGE_ROWS_MAX, this.#queueMax);
    const { run, types } = this.#options;
    const endSeq = types === undefined ? Infinity : this.#cursor + EVENT_SCAN_MAX;
    const page = await this.#bus.read({
      after: this.#cursor,
      limit,
      ...(run === undefined ? {} : { runId: run }),
      ...(types === undefined ? {} : { types, before: endSeq + 1 }),
    });
    if (this.#mode !== "history") return;
    if (page === null) return this.end();
    for (const event of page) this.#push(event);
    const lastSeq = page.at(-1)?.seq ?? this.#cursor;
    const isWhole = page.length < limit;
    this.#cursor = Math.max(lastSeq, isWhole ? Math.min(toldSeq, endSeq) : 0);
    // No event can be told between this look and what is handed over from here on.
    if (isWhole && this.#cursor >= this.#bus.lastSeq()) this.#mode = "live";
  }

  #isWanted({ run, type }: MillraceEvent): boolean {
    if (this.#options.run !== undefined && this.#options.run !== run) return false;
    return this.#types === null || this.#types.has(type);
  }

  #push(event: MillraceEvent): void {
    this.#queue.push(event);
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  /** What was read is let go in large steps, so that reading is no shift of the whole list. */
  #compact(): void {
    if (this.#head < 1_024 || this.#head * 2 < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
}
