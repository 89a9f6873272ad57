// The bus of one process: follows the store by number and hands what it finds to its readers. Modes: `idle`, without
// readers: no timer, nothing held; `following`, from the first reader on: a look at once after a commit of this process
// and else every 50 ms, each one seek in the primary key; `away`, while the store cannot be read: readers stay, looks
// grow rarer up to 5 s apart, and it is said once; `closed`.
//
// Events that are never stored wait for the next look, so that what was stored before them is told before them.

import { EVENT_POLL_MS_DEFAULT, SUBSCRIBERS_DEFAULT } from "../../model/defaults.ts";
import { isMillraceError, MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { EVENT_RETRY_MS_MAX, RECENT_EVENTS_MAX } from "../../model/limits.ts";
import { RingBuffer } from "../../std/bounded-list.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import type { Emitter } from "../../std/emitter.ts";
import type { EventQuery, Store } from "../../storage/store.ts";
import { BusReader, type BusSide } from "./bus-reader.ts";
import { checkEventTypes } from "./check-event-types.ts";
import type { BusEntry, EventBus, SubscribeOptions } from "./event-bus.ts";

/** What a bus is made of. */
export interface StoreBusOptions {
  readonly store: Pick<Store, "listEvents" | "nowMs">;
  readonly clock: Clock;
  /** Told after commits of this process. Default: every look is by time. */
  readonly committed?: Pick<Emitter<void>, "on">;
  /** Tells what is never stored. Default: nobody. */
  readonly live?: Pick<Emitter<MillraceEvent>, "on">;
  /** Default SUBSCRIBERS_DEFAULT. */
  readonly subscribersMax?: number;
  /** Told when the store cannot be read, and when it can again. Default: nobody. */
  readonly warn?: (message: string) => void;
}

/** First wait after a look that failed, ms; each further one is twice as long. */
const RETRY_MS_MIN = 100;

/** A bus over a store. */
export class StoreBus implements EventBus {
  readonly #options: StoreBusOptions;
  readonly #readers = new Set<BusReader>();
  readonly #side: BusSide = {
    lastSeq: () => this.#lastSeq,
    begin: () => this.#begun?.promise ?? Promise.resolve(),
    read: (query) => this.#read(query),
    leave: (reader) => this.#leave(reader),
  };
  #recent: RingBuffer<MillraceEvent> = new RingBuffer(RECENT_EVENTS_MAX);
  #held: MillraceEvent[] = [];
  #lastSeq = 0;
  /** Null while idle. Resolves once the number is known from which on events are told. */
  #begun: Beginning | null = null;
  #release: (() => void)[] = [];
  #looking: Promise<void> | null = null;
  /** A look is booked, or wanted after the one under way. */
  #isAsked = false;
  #timer: Timer | null = null;
  /** Looks and reads in a row that failed. */
  #failures = 0;
  readonly #closing = new AbortController();

  constructor(options: StoreBusOptions) {
    this.#options = options;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  get subscriberCount(): number {
    return this.#readers.size;
  }

  recent(): readonly MillraceEvent[] {
    return this.#recent.toArray();
  }

  subscribe(options: SubscribeOptions = {}): AsyncIterableIterator<BusEntry> {
    if (options.types !== undefined) checkEventTypes(options.types);
    const { subscribersMax = SUBSCRIBERS_DEFAULT } = this.#options;
    if (this.#readers.size >= subscribersMax) throw subscribersFull(subscribersMax);
    const reader = new BusReader(this.#side, options);
    if (this.#isClosed) reader.end();
    if (reader.isOver) return reader;
    this.#readers.add(reader);
    if (this.#begun === null) this.#start();
    reader.begin();
    return reader;
  }

  publish(told: Parameters<EventBus["publish"]>[0]): void {
    if (this.#readers.size === 0) return;
    const { type, run, data } = told;
    const event = { type, run, seq: 0, runSeq: 0, atMs: this.#options.store.nowMs() };
    this.#hold(data === undefined ? event : { ...event, data });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#looking;
    if (this.#readers.size > 0) await this.#look();
    this.#closing.abort();
    for (const reader of this.#readers) reader.end();
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  #start(): void {
    const { committed, live } = this.#options;
    this.#begun = { ...Promise.withResolvers<void>(), isKnown: false };
    if (committed !== undefined) this.#release.push(committed.on(() => this.#ask()));
    if (live !== undefined) this.#release.push(live.on((event) => this.#hold(event)));
    // At once: what is written after this call is told.
    if (this.#looking === null) this.#run();
    else this.#isAsked = true;
  }

  #leave(reader: BusReader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
    for (const release of this.#release.splice(0)) release();
    this.#timer?.cancel();
    this.#timer = null;
    this.#begun?.resolve();
    this.#begun = null;
    this.#held = [];
    this.#recent = new RingBuffer(RECENT_EVENTS_MAX);
  }

  #hold(event: MillraceEvent): void {
    this.#held.push(event);
    if (this.#held.length > RECENT_EVENTS_MAX) this.#held.shift();
    this.#ask();
  }

  /** Books a look for the next turn, so that all commits of one turn are one look. */
  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    if (this.#looking === null && this.#failures === 0) this.#book();
  }

  #book(): void {
    this.#options.clock.defer(() => {
      if (this.#looking === null) this.#run();
    });
  }

  #run(): void {
    if (this.#isClosed || this.#begun === null) return;
    this.#timer?.cancel();
    this.#isAsked = false;
    this.#looking = this.#look().then(() => {
      this.#looking = null;
      this.#goOn();
    });
  }

  #goOn(): void {
    if (this.#isClosed || this.#begun === null) return;
    if (this.#isAsked && this.#failures === 0) return this.#book();
    const waitMs = this.#failures === 0 ? EVENT_POLL_MS_DEFAULT : retryMs(this.#failures);
    this.#timer = this.#options.clock.setTimer(waitMs, () => this.#run());
  }

  /** Tells what is new. Never rejects. */
  async #look(): Promise<void> {
    const held = this.#held.splice(0);
    try {
      const begun = this.#begun;
      if (begun !== null) await this.#tellNew(begun);
      this.#hearSuccess();
    } catch (error) {
      this.#hearFailure(error);
    }
    for (const event of held) this.#offer(event);
  }

  async #tellNew(begun: Beginning): Promise<void> {
    const { store, clock } = this.#options;
    if (!begun.isKnown) await this.#findStart(begun);
    // Whoever began anew meanwhile looks for itself.
    while (this.#begun === begun) {
      const query = { after: this.#lastSeq, limit: RECENT_EVENTS_MAX };
      const page = await store.listEvents(query);
      if (this.#begun !== begun) return;
      for (const event of page) this.#tell(event);
      if (page.length < RECENT_EVENTS_MAX) return;
      // Others get a turn between two pages.
      await new Promise<void>((resolve) => clock.defer(resolve));
    }
  }

  async #findStart(begun: Beginning): Promise<void> {
    const query = { after: 0, newestFirst: true, limit: RECENT_EVENTS_MAX };
    const recent = await this.#options.store.listEvents(query);
    if (this.#begun !== begun) return;
    for (const event of recent.toReversed()) this.#recent.push(event);
    this.#lastSeq = Math.max(this.#lastSeq, recent[0]?.seq ?? 0);
    begun.isKnown = true;
    begun.resolve();
  }

  #tell(event: MillraceEvent): void {
    this.#lastSeq = event.seq;
    this.#recent.push(event);
    this.#offer(event);
  }

  #offer(event: MillraceEvent): void {
    for (const reader of this.#readers) reader.offer(event);
  }

  async #read(query: EventQuery): Promise<readonly MillraceEvent[] | null> {
    const { store, clock } = this.#options;
    for (let tries = 1; !this.#isClosed; tries++) {
      try {
        return await store.listEvents(query);
      } catch (error) {
        if (isMillraceError(error) && error.code === "STORE_CLOSED") return null;
        this.#hearFailure(error);
        await clock.sleep(retryMs(tries), this.#closing.signal).catch(() => undefined);
      }
    }
    return null;
  }

  #hearFailure(error: unknown): void {
    this.#failures += 1;
    if (this.#failures > 1 || this.#isClosed) return;
    const text = error instanceof Error ? error.message : String(error);
    this.#options.warn?.(`Events cannot be read at the moment; readers wait. ${text}`);
  }

  #hearSuccess(): void {
    if (this.#failures > 0) this.#options.warn?.("Events can be read again.");
    this.#failures = 0;
  }
}

/** From the first reader on until the last one leaves. */
interface Beginning extends PromiseWithResolvers<void> {
  isKnown: boolean;
}

function retryMs(failures: number): number {
  return Math.min(EVENT_RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(failures - 1, 10));
}

function subscribersFull(max: number): MillraceError {
  return new MillraceError(
    "SUBSCRIBERS_FULL",
    `${max} read the events of this process, and no more may.`,
    {
      hint: "let one end, or raise events.subscribers in the configuration",
      retryable: true,
      details: { max },
    },
  );
}
