// The last messages of a topic, by their places in the whole row of them: who fell behind goes on where it stopped, or
// learns how much it missed. All clients share them, so that a slow one costs a number and no memory.

import { JSON_FORM, type FeedFrame } from "./feed-message.ts";

/** How much is held. */
export interface RingTerms {
  readonly bytesMax: number;
  /** Events in messages; a message without counts as one. */
  readonly eventsMax: number;
}

interface Held {
  readonly frame: FeedFrame;
  readonly bytes: number;
  readonly events: number;
  /** Events in all messages before it. */
  readonly before: number;
}

/** Messages of one topic. */
export class FrameRing {
  readonly #terms: RingTerms;
  #held: Held[] = [];
  #start = 0;
  #bytes = 0;
  #events = 0;
  #total = 0;

  constructor(terms: RingTerms) {
    this.#terms = terms;
  }

  /** Place of the oldest that is held. */
  get start(): number {
    return this.#start;
  }

  /** Place of the next one to come. */
  get end(): number {
    return this.#start + this.#held.length;
  }

  /** Events in all messages that were ever pushed. */
  get total(): number {
    return this.#total;
  }

  push(frame: FeedFrame): void {
    const { message } = frame;
    const events = message.type === "events" ? message.events.length : 1;
    const bytes = frame.bytesIn(JSON_FORM).byteLength;
    this.#held.push({ frame, bytes, events, before: this.#total });
    this.#bytes += bytes;
    this.#events += events;
    this.#total += events;
    this.#trim();
  }

  /** The message at a place; undefined: it is gone, or has not come yet. */
  at(place: number): FeedFrame | undefined {
    return this.#held[place - this.#start]?.frame;
  }

  /** Events in messages before a place that is held, or the next one to come. */
  totalBefore(place: number): number {
    return this.#held[place - this.#start]?.before ?? this.#total;
  }

  #trim(): void {
    const { bytesMax, eventsMax } = this.#terms;
    let gone = 0;
    while (gone < this.#held.length - 1 && (this.#bytes > bytesMax || this.#events > eventsMax)) {
      const oldest = this.#held[gone];
      this.#bytes -= oldest?.bytes ?? 0;
      this.#events -= oldest?.events ?? 0;
      gone += 1;
    }
    if (gone === 0) return;
    this.#held = this.#held.slice(gone);
    this.#start += gone;
  }
}
