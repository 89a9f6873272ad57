// Live events of a store for any number of readers in this process: stored ones in order of their numbers, whichever
// process told them, and ephemeral ones of the runs that this process works on. The last ones are held; older ones are
// read from the store. Publishing never waits for a reader: a slow one loses its oldest and is told how many.

import type { EventType, MillraceEvent } from "../../model/event.ts";

/** What a reader gets: an event, or the notice that some are missing. */
export type BusEntry =
  | { readonly kind: "event"; readonly event: MillraceEvent }
  /** So many were dropped, the oldest first, since this reader was too slow. */
  | { readonly kind: "gap"; readonly missed: number; readonly afterSeq: number };

/** What a reader asks for. */
export interface SubscribeOptions {
  /** Stored events with a number above this come first, then live ones, without a gap and none twice; types that are
   *  never stored from when the stored ones were read. Default: only live ones. */
  readonly after?: number;
  /** Only of this run, by id. */
  readonly run?: string;
  /** Only of these types; `stage.*` stands for all of a noun. */
  readonly types?: readonly string[];
  /** Without those that are live only. Default false. */
  readonly storedOnly?: boolean;
  /** Entries that wait for this reader at most. Default READER_QUEUE_MAX. */
  readonly queueMax?: number;
  readonly signal?: AbortSignal;
}

/** The bus of one process. Starts with its first reader and stops with its last. */
export interface EventBus {
  /** SUBSCRIBERS_FULL where as many read as may. Ends when it is returned, aborted, or the bus closes. */
  subscribe(options?: SubscribeOptions): AsyncIterableIterator<BusEntry>;
  /** The last stored ones that are held, oldest first, at most RECENT_EVENTS_MAX. */
  recent(): readonly MillraceEvent[];
  /** Number of the last stored event that was published. */
  readonly lastSeq: number;
  /** Readers now. */
  readonly subscriberCount: number;
  /** Tells an ephemeral event to whoever reads now. */
  publish(event: {
    readonly type: EventType;
    readonly run: string;
    readonly data?: MillraceEvent["data"];
  }): void;
  close(): Promise<void>;
}
