// One client's place in one topic. It is `joining` while the past is read for it, `live` once it takes what comes, and
// `over` when it left. Where it is too slow, a topic of events lets its oldest go and says how many; a topic of states
// sends counts until it has caught up, and then everything as it is.

import type { MillraceEvent } from "../../../model/event.ts";
import { FEED_BATCH_MS_DEFAULT, FEED_CHUNK_EVENTS_DEFAULT } from "../../../model/defaults.ts";
import { FEED_MESSAGE_EVENTS_MAX, FEED_UNSENT_BYTES_MAX } from "../../../model/limits.ts";
import type { Clock } from "../../../std/clock.ts";
import { FeedFrame, type FeedEvent, type FeedEvents, type FeedMessage } from "./feed-message.ts";
import type { StateRoom, StreamRoom } from "./feed-room.ts";

/** The client, as its subscriptions see it. */
export interface FeedClient {
  readonly unsentBytes: number;
  readonly clock: Clock;
  send(frame: FeedFrame): void;
}

/** A subscription. */
export interface Subscription {
  readonly topic: string;
  /** Tells what has been, from a cursor on if there is one; then it is live. Rejects where that cannot be read. */
  begin(after: number | undefined): Promise<void>;
  /** Sends what has come; true: the client is too slow for all of it. */
  pump(): boolean;
  end(): void;
}

/** What is sent of a full buffer before the rest waits: a client that has read so much has caught up. */
const CAUGHT_UP_BYTES = FEED_UNSENT_BYTES_MAX / 4;
/** Counts to a client that is too slow come so often at most, ms. */
const SUMMARY_MS = 1_000;

/** A place among events. */
export class StreamSubscription implements Subscription {
  readonly topic: string;
  readonly #client: FeedClient;
  readonly #room: StreamRoom;
  #mode: "joining" | "live" | "over" = "joining";
  /** What the client has: stored events up to this number. */
  #cursor = 0;
  #place = 0;
  /** Events of the room before that place. */
  #total = 0;

  constructor(topic: string, room: StreamRoom, client: FeedClient) {
    this.topic = topic;
    this.#room = room;
    this.#client = client;
  }

  async begin(after: number | undefined): Promise<void> {
    if (after === undefined) await this.#tellLast();
    else this.#cursor = after;
    while (!this.#isOver && !this.#isCovered()) await this.#tellPage();
    if (this.#isOver) return;
    this.#send({ type: "done", topic: this.topic, seq: this.#cursor });
    this.#join();
    this.pump();
  }

  pump(): boolean {
    if (this.#mode !== "live") return false;
    const { ring } = this.#room;
    while (this.#place < ring.end) {
      if (this.#client.unsentBytes > FEED_UNSENT_BYTES_MAX) return true;
      if (this.#place < ring.start) this.#skip();
      const frame = ring.at(this.#place);
      if (frame !== undefined) this.#sendHeld(frame);
      this.#place += 1;
      this.#total = ring.totalBefore(this.#place);
    }
    return false;
  }

  end(): void {
    this.#mode = "over";
  }

  get #isOver(): boolean {
    return this.#mode === "over";
  }

  /** Whether what comes after the cursor is all among the messages that are held. */
  #isCovered(): boolean {
    const { ring, bornSeq } = this.#room;
    const first = ring.at(ring.start)?.message;
    const heldFrom = ring.start > 0 && first?.type === "events" ? first.from : bornSeq;
    return heldFrom <= this.#cursor;
  }

  async #tellLast(): Promise<void> {
    const { past, seq } = this.#room;
    const found = await past.readLast();
    const lastSeq = Math.max(seq, found.at(-1)?.seq ?? 0);
    this.#cursor = Math.max(0, (found[0]?.seq ?? lastSeq + 1) - 1);
    this.#tellPast(found, FEED_CHUNK_EVENTS_DEFAULT);
    this.#cursor = lastSeq;
  }

  async #tellPage(): Promise<void> {
    const { past, seq } = this.#room;
    while (!this.#isOver && this.#client.unsentBytes > FEED_UNSENT_BYTES_MAX) {
      await this.#client.clock.sleep(FEED_BATCH_MS_DEFAULT);
    }
    const { events, to } = await past.readAfter(this.#cursor, seq);
    if (this.#isOver) return;
    this.#tellPast(events, FEED_MESSAGE_EVENTS_MAX);
    this.#cursor = Math.max(this.#cursor, to);
  }

  #tellPast(found: readonly MillraceEvent[], size: number): void {
    const events = found.flatMap((event): readonly FeedEvent[] => {
      const view = this.#room.past.view(event);
      return view === undefined ? [] : [{ event, view }];
    });
    for (let start = 0; start < events.length; start += size) {
      const chunk = events.slice(start, start + size);
      const to = chunk.at(-1)?.event.seq ?? this.#cursor;
      const from = this.#cursor;
      this.#send({ type: "events", topic: this.topic, from, to, events: chunk, history: true });
      this.#cursor = to;
    }
  }

  #join(): void {
    const { ring } = this.#room;
    let place = ring.end;
    while (place > ring.start) {
      const message = ring.at(place - 1)?.message;
      if (message?.type !== "events" || message.to <= this.#cursor) break;
      place -= 1;
    }
    this.#place = place;
    this.#total = ring.totalBefore(place);
    this.#mode = "live";
  }

  #skip(): void {
    const { ring } = this.#room;
    const first = ring.at(ring.start)?.message;
    const to = first?.type === "events" ? first.from : this.#cursor;
    const missed = ring.totalBefore(ring.start) - this.#total;
    this.#send({ type: "gap", topic: this.topic, missed, from: this.#cursor, to });
    this.#cursor = to;
    this.#place = ring.start;
  }

  #sendHeld(frame: FeedFrame): void {
    const { message } = frame;
    if (message.type !== "events") return;
    if (message.from === this.#cursor) this.#client.send(frame);
    else this.#sendPart(message);
    this.#cursor = Math.max(this.#cursor, message.to);
  }

  /** Of a message that begins before the cursor: what comes after it. */
  #sendPart(message: FeedEvents): void {
    const from = this.#cursor;
    const known = message.events.findLastIndex(({ event }) => event.seq > 0 && event.seq <= from);
    const events = message.events.slice(known + 1);
    const isWorth = events.length > 0 || message.leftOut !== undefined;
    if (isWorth) this.#send({ ...message, from, events });
  }

  #send(message: FeedMessage): void {
    this.#client.send(new FeedFrame(message));
  }
}

/** A place among changes of states. */
export class StateSubscription implements Subscription {
  readonly topic: string;
  readonly #client: FeedClient;
  readonly #room: StateRoom;
  #mode: "joining" | "live" | "summaries" | "over" = "joining";
  #place = 0;
  #summaryMs = -Infinity;

  constructor(topic: string, room: StateRoom, client: FeedClient) {
    this.topic = topic;
    this.#room = room;
    this.#client = client;
  }

  async begin(after: number | undefined): Promise<void> {
    await this.#room.ready();
    if (this.#mode === "over") return;
    const changes = after === undefined ? undefined : this.#room.changesSince(after);
    this.#sendWhole(changes ?? this.#room.snapshot());
  }

  pump(): boolean {
    if (this.#mode === "summaries") return this.#catchUp();
    if (this.#mode !== "live") return false;
    const { ring } = this.#room;
    while (this.#place < ring.end) {
      const isSlow = this.#client.unsentBytes > FEED_UNSENT_BYTES_MAX;
      if (isSlow || this.#place < ring.start) {
        this.#mode = "summaries";
        return this.#catchUp();
      }
      const frame = ring.at(this.#place);
      if (frame !== undefined) this.#client.send(frame);
      this.#place += 1;
    }
    return false;
  }

  end(): void {
    this.#mode = "over";
  }

  #catchUp(): boolean {
    if (this.#client.unsentBytes <= CAUGHT_UP_BYTES) {
      this.#sendWhole(this.#room.snapshot());
      return false;
    }
    const nowMs = this.#client.clock.monotonicMs();
    const isDue = nowMs - this.#summaryMs >= SUMMARY_MS;
    if (isDue && this.#client.unsentBytes <= 2 * FEED_UNSENT_BYTES_MAX) {
      this.#summaryMs = nowMs;
      const data = this.#room.summarize();
      this.#client.send(new FeedFrame({ type: "summaries", topic: this.topic, data }));
    }
    return true;
  }

  #sendWhole(frame: FeedFrame): void {
    this.#client.send(frame);
    this.#place = this.#room.ring.end;
    this.#mode = "live";
  }
}
