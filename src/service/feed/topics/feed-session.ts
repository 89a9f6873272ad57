// One client of the live feed: its subscriptions, and whether it reads. Whoever carries it hands over what the client
// asks and ends the session when the client has left.

import { isMillraceError, MillraceError } from "../../../model/errors.ts";
import { FEED_SILENT_MS_MAX, FEED_TOPICS_MAX } from "../../../model/limits.ts";
import type { Clock } from "../../../std/clock.ts";
import { FeedFrame, type FeedCarrier, type FeedEnd, type FeedMessage } from "./feed-message.ts";
import type { FeedClient, Subscription } from "./subscription.ts";
import type { TopicFilter } from "./topic-name.ts";

/** What a client asks of a topic. */
export interface TopicOrder {
  readonly topic: string;
  /** Its cursor: only what comes after. Default: what a topic begins with. */
  readonly after?: number;
  readonly filter?: TopicFilter;
}

/** What a session asks of the feed. */
export interface SessionSide {
  readonly clock: Clock;
  /** A place in a topic that is kept up from now on. OPTION_INVALID, RUN_NOT_FOUND. */
  enter(order: TopicOrder, client: FeedClient): Promise<Subscription>;
  leave(subscription: Subscription): void;
  /** The client has left. */
  forget(session: FeedSession): void;
  /** The client is too slow: it is looked at again soon. */
  lag(): void;
}

/** What one call of `subscribe` holds of its topic: another call that comes after the topic was left has its own. */
interface Place {
  /** Null: on its way. */
  subscription: Subscription | null;
}

/** A session. */
export class FeedSession implements FeedClient {
  readonly #side: SessionSide;
  readonly #carrier: FeedCarrier;
  readonly #places: Map<string, Place> = new Map();
  #isOver = false;
  #sentBytes = 0;
  #readBytes = 0;
  #readMs: number;

  constructor(side: SessionSide, carrier: FeedCarrier) {
    this.#side = side;
    this.#carrier = carrier;
    this.#readMs = side.clock.monotonicMs();
  }

  get clock(): Clock {
    return this.#side.clock;
  }

  get unsentBytes(): number {
    return this.#carrier.unsentBytes;
  }

  /** Begins to follow a topic. What is wrong is told to the client. Never rejects. */
  async subscribe(order: TopicOrder): Promise<void> {
    const { topic } = order;
    try {
      this.#checkRoom(topic);
    } catch (error) {
      this.#refuse(topic, error);
      return;
    }
    const place: Place = { subscription: null };
    this.#places.set(topic, place);
    try {
      const subscription = await this.#side.enter(order, this);
      if (this.#isOver || this.#places.get(topic) !== place) {
        this.#side.leave(subscription);
        return;
      }
      place.subscription = subscription;
      this.tell({ type: "subscribed", topic });
      await subscription.begin(order.after);
      if (subscription.pump()) this.#side.lag();
    } catch (error) {
      // Who left it meanwhile need not hear of it.
      if (this.#places.get(topic) !== place) return;
      this.#drop(topic);
      this.#refuse(topic, error);
    }
  }

  /** Follows a topic no more. Safe to repeat. */
  unsubscribe(topic: string): void {
    this.#drop(topic);
    this.tell({ type: "unsubscribed", topic });
  }

  /** Sends a message that is for this client alone. */
  tell(message: FeedMessage): void {
    this.send(new FeedFrame(message));
  }

  send(frame: FeedFrame): void {
    if (this.#isOver) return;
    const bytes = frame.bytesIn(this.#carrier.form);
    this.#sentBytes += bytes.byteLength;
    this.#carrier.send(bytes);
  }

  /** Sends what waits for it; true: it is too slow for all of it. */
  pump(): boolean {
    let isBehind = false;
    for (const { subscription } of this.#places.values()) {
      if (subscription?.pump() === true) isBehind = true;
    }
    return isBehind;
  }

  /** Sends it away where it has read nothing for long, although there was something. */
  checkReading(): void {
    const { unsentBytes } = this.#carrier;
    const readBytes = this.#sentBytes - unsentBytes;
    const nowMs = this.clock.monotonicMs();
    if (unsentBytes === 0 || readBytes > this.#readBytes) {
      this.#readBytes = Math.max(this.#readBytes, readBytes);
      this.#readMs = nowMs;
      return;
    }
    if (nowMs - this.#readMs < FEED_SILENT_MS_MAX) return;
    this.close({ kind: "slow", reason: "The client reads nothing." });
  }

  /** Sends it away. */
  close(end: FeedEnd): void {
    if (this.#isOver) return;
    this.end();
    this.#carrier.close(end);
  }

  /** The client has left. Safe to repeat. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const topic of this.#places.keys()) this.#drop(topic);
    this.#side.forget(this);
  }

  #checkRoom(topic: string): void {
    if (this.#places.has(topic)) {
      throw new MillraceError("OPTION_INVALID", `"${topic}" is followed already.`, {
        hint: "unsubscribe first",
      });
    }
    if (this.#places.size < FEED_TOPICS_MAX) return;
    throw new MillraceError(
      "OPTION_INVALID",
      `A client follows at most ${FEED_TOPICS_MAX} topics at once.`,
    );
  }

  #drop(topic: string): void {
    const subscription = this.#places.get(topic)?.subscription;
    this.#places.delete(topic);
    if (subscription === undefined || subscription === null) return;
    subscription.end();
    this.#side.leave(subscription);
  }

  /** What the client asked wrongly it is told; where we cannot answer, it goes, and comes again by itself. */
  #refuse(topic: string, error: unknown): void {
    if (isMillraceError(error) && ASKED_WRONGLY.has(error.code)) {
      const { code, message, hint } = error;
      const text = hint === undefined ? message : `${message} (${hint})`;
      this.tell({ type: "error", topic, code, message: text });
      return;
    }
    const code = isMillraceError(error) ? error.code : "INTERNAL";
    this.close({ kind: "unavailable", reason: `The feed cannot be read (${code}).` });
  }
}

const ASKED_WRONGLY: ReadonlySet<string> = new Set(["OPTION_INVALID", "RUN_NOT_FOUND"]);
