// A topic of events, or of lines of a log: what is asked for out of each batch, in order, and above a rate that nobody
// reads a part of it, with the number left out. Events of items are left out first: there are most of them.

import type { EventType, MillraceEvent } from "../../../model/event.ts";
import { selectEventTypes } from "../../../model/event.ts";
import {
  EVENT_SCAN_MAX,
  FEED_EVENTS_PER_SECOND_MAX,
  FEED_HELD_BYTES_MAX,
  FEED_HISTORY_EVENTS_MAX,
  FEED_HISTORY_MS_MAX,
  FEED_MESSAGE_EVENTS_MAX,
  PAGE_ROWS_MAX,
  READER_QUEUE_MAX,
} from "../../../model/limits.ts";
import type { Clock } from "../../../std/clock.ts";
import type { Store } from "../../../storage/store.ts";
import { FeedFrame, type FeedEvent } from "./feed-message.ts";
import type { FeedBatch, StreamPast, StreamRoom } from "./feed-room.ts";
import { FrameRing } from "./frame-ring.ts";

/** What of all events a topic tells. */
export interface EventSelection {
  /** Id. Default: of all runs, and of none. */
  readonly runId?: string;
  /** Default: all. */
  readonly types?: readonly string[];
  /** What is shown of one; undefined: it is none of them. */
  view(event: MillraceEvent): unknown;
  /** Every one, however many there are. */
  readonly isComplete: boolean;
}

/** What a room of events is made of. */
export interface EventRoomParts {
  readonly topic: string;
  readonly selection: EventSelection;
  readonly store: Pick<Store, "listEvents" | "nowMs">;
  readonly clock: Clock;
  /** Number of the last event that was judged before. */
  readonly seq: number;
  /** Told when there is something to send. */
  readonly told: () => void;
}

/** A topic of events. */
export class EventRoom implements StreamRoom {
  readonly kind = "stream" as const;
  readonly ring: FrameRing = new FrameRing({
    bytesMax: FEED_HELD_BYTES_MAX,
    eventsMax: READER_QUEUE_MAX,
  });
  readonly bornSeq: number;
  readonly past: StreamPast;
  readonly #parts: EventRoomParts;
  readonly #types: ReadonlySet<EventType> | null;
  #seq: number;
  /** Cursor of who has everything. */
  #toldSeq: number;
  #tokens = FEED_EVENTS_PER_SECOND_MAX;
  #tokensMs: number;
  /** Left out since the last message. */
  #leftOut = 0;

  constructor(parts: EventRoomParts) {
    const { selection, store, seq, clock } = parts;
    this.#parts = parts;
    this.#types = selection.types === undefined ? null : selectEventTypes(selection.types);
    this.bornSeq = seq;
    this.#seq = seq;
    this.#toldSeq = seq;
    this.#tokensMs = clock.monotonicMs();
    this.past = new EventPast(store, selection);
  }

  get seq(): number {
    return this.#seq;
  }

  take({ events, to }: FeedBatch): void {
    this.#seq = to;
    const wanted: FeedEvent[] = [];
    for (const event of events) {
      const view = this.#isWanted(event) ? this.#parts.selection.view(event) : undefined;
      if (view !== undefined) wanted.push({ event, view });
    }
    const kept = this.#parts.selection.isComplete ? wanted : this.#sample(wanted);
    if (kept.length === 0 && this.#leftOut === 0) return;
    this.#push(kept, to);
    this.#parts.told();
  }

  close(): void {
    // Nothing of it is alive.
  }

  #isWanted({ run, type }: MillraceEvent): boolean {
    const { runId } = this.#parts.selection;
    if (runId !== undefined && runId !== run) return false;
    return this.#types === null || this.#types.has(type);
  }

  #sample(wanted: readonly FeedEvent[]): readonly FeedEvent[] {
    const nowMs = this.#parts.clock.monotonicMs();
    const grown = ((nowMs - this.#tokensMs) / 1_000) * FEED_EVENTS_PER_SECOND_MAX;
    this.#tokens = Math.min(FEED_EVENTS_PER_SECOND_MAX, this.#tokens + grown);
    this.#tokensMs = nowMs;
    const room = Math.floor(this.#tokens);
    if (wanted.length <= room) {
      this.#tokens -= wanted.length;
      return wanted;
    }
    const rare = wanted.filter(({ event }) => event.item === undefined).slice(0, room);
    const mass = wanted.filter(({ event }) => event.item !== undefined);
    const kept = new Set([...rare, ...mass.slice(0, room - rare.length)]);
    this.#tokens -= kept.size;
    this.#leftOut += wanted.length - kept.size;
    return wanted.filter((each) => kept.has(each));
  }

  #push(kept: readonly FeedEvent[], to: number): void {
    // At least one: it may be that all were left out.
    for (let start = 0; start === 0 || start < kept.length; start += FEED_MESSAGE_EVENTS_MAX) {
      const events = kept.slice(start, start + FEED_MESSAGE_EVENTS_MAX);
      const isLast = start + FEED_MESSAGE_EVENTS_MAX >= kept.length;
      const toSeq = isLast ? to : Math.max(this.#toldSeq, ...events.map(({ event }) => event.seq));
      const leftOut = isLast ? this.#leftOut : 0;
      this.ring.push(
        new FeedFrame({
          type: "events",
          topic: this.#parts.topic,
          from: this.#toldSeq,
          to: toSeq,
          events,
          ...(leftOut === 0 ? {} : { leftOut }),
        }),
      );
      this.#toldSeq = toSeq;
    }
    this.#leftOut = 0;
  }
}

class EventPast implements StreamPast {
  readonly #store: EventRoomParts["store"];
  readonly #selection: EventSelection;

  constructor(store: EventRoomParts["store"], selection: EventSelection) {
    this.#store = store;
    this.#selection = selection;
  }

  view(event: MillraceEvent): unknown {
    return this.#selection.view(event);
  }

  async readLast(): Promise<readonly MillraceEvent[]> {
    const [newest] = await this.#store.listEvents({ after: 0, newestFirst: true, limit: 1 });
    if (newest === undefined) return [];
    const found = await this.#store.listEvents({
      ...this.#shared(),
      // Rare types are looked for among so many at most.
      after: this.#selection.types === undefined ? 0 : Math.max(0, newest.seq - EVENT_SCAN_MAX),
      newestFirst: true,
      sinceMs: this.#store.nowMs() - FEED_HISTORY_MS_MAX,
      limit: FEED_HISTORY_EVENTS_MAX,
    });
    return found.toReversed();
  }

  async readAfter(
    after: number,
    toldSeq: number,
  ): Promise<{ readonly events: readonly MillraceEvent[]; readonly to: number }> {
    const isRare = this.#selection.types !== undefined;
    const endSeq = after + EVENT_SCAN_MAX;
    const events = await this.#store.listEvents({
      ...this.#shared(),
      after,
      limit: PAGE_ROWS_MAX,
      ...(isRare ? { before: endSeq + 1 } : {}),
    });
    const lastSeq = events.at(-1)?.seq ?? after;
    const isWhole = events.length < PAGE_ROWS_MAX;
    // What was told before the page was read is in the store, and so in the page or judged by it.
    const reached = isWhole ? Math.min(toldSeq, isRare ? endSeq : Infinity) : 0;
    return { events, to: Math.max(lastSeq, reached) };
  }

  #shared(): { readonly runId?: string; readonly types?: readonly string[] } {
    const { runId, types } = this.#selection;
    return {
      ...(runId === undefined ? {} : { runId }),
      ...(types === undefined ? {} : { types }),
    };
  }
}
