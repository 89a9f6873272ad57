// What the live feed tells its clients, and what it needs of who carries it to them: a socket, a stream of text. A
// message goes to many, so it is made into bytes once for each form that is in use.

import type { MillraceEvent } from "../../../model/event.ts";
import type { PackedStageView } from "../../queries/run/item-states.ts";

/** One thing of a topic as it is now, by its id within the topic; null: it is not there any more. */
export interface FeedChange {
  /** `run`, `stage/fetch`, `worker/01J…`. */
  readonly id: string;
  readonly value: unknown;
}

/** Items of one map stage that changed. */
export interface ItemChanges {
  readonly stage: string;
  /** Length of its list; null: not known yet. */
  readonly total: number | null;
  /** Place, byte, place, byte: bytes as those of packed item states. */
  readonly states: readonly number[];
}

/** All of a topic. */
export interface FeedSnapshot {
  readonly type: "snapshot";
  readonly topic: string;
  /** Cursor: it is at least as new as this event. */
  readonly seq: number;
  readonly data: {
    readonly entries: Readonly<Record<string, unknown>>;
    /** Of the topic of a run: its map stages. */
    readonly items?: readonly PackedStageView[];
  };
}

/** What changed since `from`. */
export interface FeedDelta {
  readonly type: "delta";
  readonly topic: string;
  readonly from: number;
  readonly to: number;
  readonly changes: readonly FeedChange[];
  readonly items?: readonly ItemChanges[];
}

/** Events in order, or lines of a log. */
export interface FeedEvents {
  readonly type: "events";
  readonly topic: string;
  /** All that was asked for with numbers above this, up to `to`, is in here, but for `leftOut`. */
  readonly from: number;
  readonly to: number;
  readonly events: readonly FeedEvent[];
  /** So many more there were, at a rate that no reader follows. */
  readonly leftOut?: number;
  /** Of the past, before the mark `done`. */
  readonly history?: true;
}

/** An event as it happened, with what a reader is shown of it. */
export interface FeedEvent {
  readonly event: MillraceEvent;
  readonly view: unknown;
}

/** Everything that may be told. */
export type FeedMessage =
  | FeedSnapshot
  | FeedDelta
  | FeedEvents
  /** So many were dropped because this client was too slow; they lie between the two numbers. */
  | {
      readonly type: "gap";
      readonly topic: string;
      readonly missed: number;
      readonly from: number;
      readonly to: number;
    }
  /** The past is told; what follows is live. */
  | { readonly type: "done"; readonly topic: string; readonly seq: number }
  /** This client is too slow: counts until it has caught up, then a snapshot. */
  | { readonly type: "summaries"; readonly topic: string; readonly data: unknown }
  /** Every two seconds: how new the feed is. */
  | { readonly type: "beat"; readonly seq: number; readonly at: string }
  | { readonly type: "subscribed"; readonly topic: string }
  | { readonly type: "unsubscribed"; readonly topic: string }
  | { readonly type: "pong" }
  | {
      readonly type: "error";
      readonly topic?: string;
      readonly code: string;
      readonly message: string;
    };

/** How messages become bytes. */
export interface FeedForm {
  readonly name: string;
  encode(message: FeedMessage): Uint8Array;
}

/** Why a client is sent away. */
export type FeedEnd =
  /** The store cannot be read, or the mill has closed. */
  | { readonly kind: "unavailable"; readonly reason: string }
  /** The server stops. */
  | { readonly kind: "stopping"; readonly reason: string }
  /** It does not read. */
  | { readonly kind: "slow"; readonly reason: string };

/** Who carries messages to one client. */
export interface FeedCarrier {
  readonly form: FeedForm;
  /** Given and not sent yet, bytes. */
  readonly unsentBytes: number;
  /** Takes bytes that others may be given too: they must not be changed. Never waits. */
  send(bytes: Uint8Array): void;
  close(end: FeedEnd): void;
}

/** A message that may go to many. */
export class FeedFrame {
  readonly message: FeedMessage;
  readonly #bytes: Map<string, Uint8Array> = new Map();

  constructor(message: FeedMessage) {
    this.message = message;
  }

  bytesIn(form: FeedForm): Uint8Array {
    let bytes = this.#bytes.get(form.name);
    if (bytes === undefined) {
      bytes = form.encode(this.message);
      this.#bytes.set(form.name, bytes);
    }
    return bytes;
  }
}

/** The parts of a message as JSON says them: events by their views. */
export function toPlainMessage(message: FeedMessage): unknown {
  if (message.type !== "events") return message;
  return { ...message, events: message.events.map(({ view }) => view) };
}

/** The messages as JSON. */
export const JSON_FORM: FeedForm = {
  name: "json",
  encode: (message) => Buffer.from(JSON.stringify(toPlainMessage(message))),
};
