// The live feed over a memory store on a clock that stands still, and clients of it that keep what they are told as a
// page would: entries by id, events in order. A client refuses what does not follow its cursor.

import assert from "node:assert/strict";
import { onTestFinished } from "vitest";
import type { EventDraft } from "../../../src/model/event.ts";
import {
  toPlainMessage,
  type FeedCarrier,
  type FeedEnd,
  type FeedForm,
  type FeedMessage,
  JSON_FORM,
} from "../../../src/service/feed/topics/feed-message.ts";
import type { FeedSession } from "../../../src/service/feed/topics/feed-session.ts";
import { feedOf, type LiveFeed } from "../../../src/service/feed/topics/live-feed.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import { openMillrace, type Millrace } from "../../../src/service/millrace.ts";
import type { OpenOptions } from "../../../src/service/mill/open-options.ts";
import { makeVirtualClock, type VirtualClock } from "../../../src/std/virtual-clock.ts";

export interface FeedWorld {
  readonly mill: Millrace;
  readonly clock: VirtualClock;
  readonly feed: LiveFeed;
  /** A client; `isStalled` ones read nothing. */
  readonly connect: () => FeedClientProbe;
  /** Stores events of no run. */
  readonly tell: (...events: readonly EventDraft[]) => Promise<void>;
  /** Time enough for what was stored to be told. */
  readonly settle: () => Promise<void>;
}

export async function makeFeedWorld(open: Partial<OpenOptions> = {}): Promise<FeedWorld> {
  const clock = makeVirtualClock();
  const mill = await openMillrace({ store: "memory:", pipelines: [], clock, graceMs: 50, ...open });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const feed = feedOf(mill);
  return {
    mill,
    clock,
    feed,
    connect: () => new FeedClientProbe(feed),
    tell: async (...events) => {
      await contextOf(mill).committer.write({ kind: "tell-outside", runId: null, events });
    },
    settle: () => clock.advance(300),
  };
}

/** What a client was told of one topic. */
export interface TopicProbe {
  cursor: number | null;
  readonly entries: Map<string, unknown>;
  /** Numbers of events, in order. */
  readonly seqs: number[];
  readonly frames: FeedMessage[];
}

export class FeedClientProbe implements FeedCarrier {
  readonly form: FeedForm = JSON_FORM;
  readonly session: FeedSession;
  readonly frames: FeedMessage[] = [];
  end: FeedEnd | null = null;
  /** True: nothing that is sent from now on leaves. */
  isStalled = false;
  #unsent: Uint8Array[] = [];
  readonly #topics: Map<string, TopicProbe> = new Map();

  constructor(feed: LiveFeed) {
    this.session = feed.open(this);
  }

  get unsentBytes(): number {
    return this.#unsent.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  send(bytes: Uint8Array): void {
    if (this.isStalled) this.#unsent.push(bytes);
    else this.#hear(bytes);
  }

  /** Reads what lies there, and goes on reading. */
  resume(): void {
    this.isStalled = false;
    for (const bytes of this.#unsent.splice(0)) this.#hear(bytes);
  }

  close(end: FeedEnd): void {
    this.end = end;
  }

  topic(name: string): TopicProbe {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = { cursor: null, entries: new Map(), seqs: [], frames: [] };
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #hear(bytes: Uint8Array): void {
    // As it was written: what cannot be read back is no frame.
    const message = JSON.parse(Buffer.from(bytes).toString()) as FeedMessage;
    this.frames.push(message);
    if (!("topic" in message) || message.topic === undefined) return;
    const topic = this.topic(message.topic);
    topic.frames.push(message);
    apply(topic, message);
  }
}

function apply(topic: TopicProbe, message: FeedMessage): void {
  if (message.type === "snapshot") {
    topic.cursor = message.seq;
    topic.entries.clear();
    for (const [id, value] of Object.entries(message.data.entries)) topic.entries.set(id, value);
  }
  if (message.type === "done") topic.cursor = message.seq;
  if (message.type === "gap") topic.cursor = message.to;
  if (message.type === "delta") {
    assert.equal(message.from, topic.cursor ?? message.from, "a change does not follow the cursor");
    topic.cursor = message.to;
    for (const { id, value } of message.changes) {
      if (value === null) topic.entries.delete(id);
      else topic.entries.set(id, value);
    }
  }
  if (message.type !== "events") return;
  assert.ok(
    topic.cursor === null || message.from === topic.cursor,
    "events do not follow the cursor",
  );
  topic.cursor = message.to;
  for (const view of message.events) {
    if (isNumbered(view) && view.seq > 0) topic.seqs.push(view.seq);
  }
}

function isNumbered(view: unknown): view is { readonly seq: number } {
  return typeof view === "object" && view !== null && "seq" in view;
}

/** A message as it leaves, for comparisons. */
export function plain(message: FeedMessage | undefined): unknown {
  return message === undefined ? undefined : JSON.parse(JSON.stringify(toPlainMessage(message)));
}
