// A topic that clients follow: what every kind of it offers to them and to the feed.

import type { MillraceEvent } from "../../../model/event.ts";
import type { FeedSnapshot, FeedFrame } from "./feed-message.ts";
import type { FrameRing } from "./frame-ring.ts";

/** What happened since the batch before. */
export interface FeedBatch {
  readonly events: readonly MillraceEvent[];
  /** All stored events with numbers above `from`, up to `to`, are in it. */
  readonly from: number;
  readonly to: number;
}

/** A topic of events in their order: nothing of it is ever replaced. */
export interface StreamRoom {
  readonly kind: "stream";
  readonly ring: FrameRing;
  /** Stored events up to this number were judged when the room was made. */
  readonly bornSeq: number;
  /** Stored events up to this number were judged. */
  readonly seq: number;
  take(batch: FeedBatch): void;
  /** The past from the store: pages after `after`, or the last of it. */
  readonly past: StreamPast;
  close(): void;
}

/** The past of a topic of events. */
export interface StreamPast {
  /** The last ones, in order. */
  readLast(): Promise<readonly MillraceEvent[]>;
  /** A page after a number, and up to where that reaches. */
  readAfter(
    after: number,
    toldSeq: number,
  ): Promise<{
    readonly events: readonly MillraceEvent[];
    readonly to: number;
  }>;
  /** What is shown of an event; undefined: none of this topic. */
  view(event: MillraceEvent): unknown;
}

/** A topic of things as they are now: what changes replaces what was. */
export interface StateRoom {
  readonly kind: "state";
  readonly ring: FrameRing;
  take(batch: FeedBatch): void;
  /** Resolves once it has been read. Rejects where it cannot be. */
  ready(): Promise<void>;
  /** As it is now. */
  snapshot(): FeedFrame & { readonly message: FeedSnapshot };
  /** What changed since a client's cursor in one message; undefined: that is not known any more. */
  changesSince(after: number): FeedFrame | undefined;
  /** A few counts, for who is too slow for more. */
  summarize(): unknown;
  close(): void;
}

/** Any topic. */
export type FeedRoom = StreamRoom | StateRoom;
