// The live feed of a process: topics that any number of clients follow over whatever carries them. It reads the bus once
// for all, gathers what comes over 50 ms, and hands each batch to the topics that somebody follows; nothing is made that
// nobody looks at. Modes: `idle`, without clients; `following`, from the first on. Every two seconds it asks the store
// how far it is: once that has failed twice, all clients are sent away and told why.

import { FEED_BATCH_MS_DEFAULT, FEED_BEAT_MS_DEFAULT } from "../../../model/defaults.ts";
import { isMillraceError, MillraceError } from "../../../model/errors.ts";
import type { MillraceEvent } from "../../../model/event.ts";
import { FEED_LINGER_MS_MAX } from "../../../model/limits.ts";
import type { Clock, Timer } from "../../../std/clock.ts";
import { contextOf, type MillContext } from "../../mill-context.ts";
import { toIso } from "../../views/time-view.ts";
import type { BusEntry } from "../event-bus.ts";
import { busOf } from "../open-bus.ts";
import { FeedFrame, type FeedCarrier, type FeedEnd } from "./feed-message.ts";
import type { FeedRoom } from "./feed-room.ts";
import { FeedSession, type SessionSide, type TopicOrder } from "./feed-session.ts";
import { describeRoom, type RoomScene } from "./make-room.ts";
import {
  StateSubscription,
  StreamSubscription,
  type FeedClient,
  type Subscription,
} from "./subscription.ts";

/** A topic that is kept up. */
interface OpenRoom {
  readonly key: string;
  readonly room: FeedRoom;
  readonly subscriptions: Set<Subscription>;
  linger: Timer | null;
}

/** Following the bus, from the first client on. */
interface Following {
  readonly entries: AsyncIterableIterator<BusEntry>;
}

/** Beats that fail in a row until clients are sent away. */
const BEATS_FAILED_MAX = 2;

/** The feed of one mill. */
export class LiveFeed {
  readonly #facade: object;
  readonly #mill: MillContext;
  readonly #sessions: Set<FeedSession> = new Set();
  readonly #rooms: Map<string, OpenRoom> = new Map();
  readonly #homes: Map<Subscription, OpenRoom> = new Map();
  readonly #listeners: Set<(event: MillraceEvent) => void> = new Set();
  readonly #side: SessionSide;
  #following: Promise<Following> | null = null;
  #gathered: MillraceEvent[] = [];
  /** Stored events up to this number were handed out. */
  #seq = 0;
  #flushTimer: Timer | null = null;
  #lagTimer: Timer | null = null;
  #beatTimer: Timer | null = null;
  #beatsFailed = 0;

  constructor(facade: object) {
    this.#facade = facade;
    this.#mill = contextOf(facade);
    this.#side = {
      clock: this.#clock,
      enter: (order, client) => this.#enter(order, client),
      leave: (subscription) => this.#leave(subscription),
      forget: (session) => this.#forget(session),
      lag: () => this.#lag(),
    };
  }

  /** Clients now. */
  get clientCount(): number {
    return this.#sessions.size;
  }

  /** Topics that are kept up now. */
  get topicCount(): number {
    return this.#rooms.size;
  }

  /** Lets a client in. SUBSCRIBERS_FULL, STORE_CLOSED. */
  open(carrier: FeedCarrier): FeedSession {
    const { subscribersMax } = this.#mill.events.settings;
    if (this.#mill.closing) throw new MillraceError("STORE_CLOSED", "The mill is closing.");
    if (this.#sessions.size >= subscribersMax) {
      throw new MillraceError(
        "SUBSCRIBERS_FULL",
        `${subscribersMax} clients follow the live feed, and no more may.`,
        {
          hint: "let one end, or raise events.subscribers in the configuration",
          retryable: true,
          details: { max: subscribersMax },
        },
      );
    }
    const session = new FeedSession(this.#side, carrier);
    this.#sessions.add(session);
    this.#bookBeat();
    // So that who waits for a revoked token hears of it.
    void this.#follow().catch(() => undefined);
    return session;
  }

  /** Hears every event while there are clients. Answers how to leave. */
  onEvent(listener: (event: MillraceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  get #clock(): Clock {
    return this.#mill.world.clock;
  }

  async #enter(order: TopicOrder, client: FeedClient): Promise<Subscription> {
    const scene: RoomScene = { facade: this.#facade, mill: this.#mill };
    const { key, make } = await describeRoom(scene, order);
    await this.#follow();
    const home = this.#rooms.get(key) ?? this.#openRoom(key, make);
    home.linger?.cancel();
    home.linger = null;
    const { topic } = order;
    const subscription =
      home.room.kind === "state"
        ? new StateSubscription(topic, home.room, client)
        : new StreamSubscription(topic, home.room, client);
    home.subscriptions.add(subscription);
    this.#homes.set(subscription, home);
    return subscription;
  }

  #openRoom(key: string, make: Awaited<ReturnType<typeof describeRoom>>["make"]): OpenRoom {
    // What was gathered belongs to those who are there.
    this.#flush();
    const room = make({
      clock: this.#clock,
      seqNow: () => this.#seq,
      told: () => this.#pump(home),
    });
    const home: OpenRoom = { key, room, subscriptions: new Set(), linger: null };
    this.#rooms.set(key, home);
    return home;
  }

  #leave(subscription: Subscription): void {
    const home = this.#homes.get(subscription);
    if (home === undefined) return;
    this.#homes.delete(subscription);
    home.subscriptions.delete(subscription);
    if (home.subscriptions.size > 0) return;
    home.linger = this.#clock.setTimer(FEED_LINGER_MS_MAX, () => this.#closeRoom(home), {
      unref: true,
    });
  }

  #closeRoom(home: OpenRoom): void {
    home.linger?.cancel();
    home.room.close();
    this.#rooms.delete(home.key);
    this.#stopIfIdle();
  }

  #forget(session: FeedSession): void {
    this.#sessions.delete(session);
    this.#stopIfIdle();
  }

  #stopIfIdle(): void {
    if (this.#sessions.size > 0) return;
    this.#beatTimer?.cancel();
    this.#beatTimer = null;
    this.#lagTimer?.cancel();
    this.#lagTimer = null;
    if (this.#rooms.size > 0) return;
    this.#unfollow();
  }

  #unfollow(): void {
    const following = this.#following;
    this.#following = null;
    this.#flushTimer?.cancel();
    this.#flushTimer = null;
    this.#gathered = [];
    void following?.then(({ entries }) => entries.return?.()).catch(() => undefined);
  }

  #follow(): Promise<Following> {
    if (this.#following !== null) return this.#following;
    const following = this.#begin();
    this.#following = following;
    following.then(
      ({ entries }) => void this.#read(entries),
      () => {
        if (this.#following === following) this.#following = null;
      },
    );
    return following;
  }

  async #begin(): Promise<Following> {
    this.#seq = await this.#readNewest();
    return { entries: busOf(this.#mill).subscribe({ after: this.#seq }) };
  }

  async #readNewest(): Promise<number> {
    const query = { after: 0, newestFirst: true, limit: 1 };
    const [newest] = await this.#mill.store.listEvents(query);
    return newest?.seq ?? 0;
  }

  async #read(entries: AsyncIterableIterator<BusEntry>): Promise<void> {
    for await (const entry of entries) {
      if (entry.kind === "gap") this.#sendAway({ kind: "slow", reason: "The feed fell behind." });
      else this.#gather(entry.event);
    }
    if (this.#mill.closing) {
      this.#sendAway({ kind: "unavailable", reason: "The engine has stopped." });
    }
  }

  #gather(event: MillraceEvent): void {
    for (const listener of this.#listeners) listener(event);
    this.#gathered.push(event);
    this.#flushTimer ??= this.#clock.setTimer(FEED_BATCH_MS_DEFAULT, () => this.#flush());
  }

  #flush(): void {
    this.#flushTimer?.cancel();
    this.#flushTimer = null;
    const events = this.#gathered;
    if (events.length === 0) return;
    this.#gathered = [];
    const from = this.#seq;
    this.#seq = Math.max(from, events.findLast(({ seq }) => seq > 0)?.seq ?? 0);
    for (const { room } of this.#rooms.values()) room.take({ events, from, to: this.#seq });
  }

  #pump(home: OpenRoom): void {
    for (const subscription of home.subscriptions) if (subscription.pump()) this.#lag();
  }

  /** Looks again soon at those who are too slow: what carries them does not say when it has sent. */
  #lag(): void {
    this.#lagTimer ??= this.#clock.setTimer(FEED_BATCH_MS_DEFAULT, () => {
      this.#lagTimer = null;
      for (const session of this.#sessions) if (session.pump()) this.#lag();
    });
  }

  #bookBeat(): void {
    this.#beatTimer ??= this.#clock.setTimer(FEED_BEAT_MS_DEFAULT, () => {
      this.#beatTimer = null;
      void this.#beat();
    });
  }

  async #beat(): Promise<void> {
    try {
      const seq = await this.#readNewest();
      this.#beatsFailed = 0;
      const frame = new FeedFrame({ type: "beat", seq, at: toIso(this.#mill.store.nowMs()) });
      for (const session of this.#sessions) session.send(frame);
    } catch (error) {
      this.#hearFailure(error);
    }
    for (const session of this.#sessions) session.checkReading();
    if (this.#sessions.size > 0) this.#bookBeat();
  }

  #hearFailure(error: unknown): void {
    this.#beatsFailed += 1;
    const code = isMillraceError(error) ? error.code : "INTERNAL";
    const isOver = code === "STORE_CLOSED" || this.#beatsFailed >= BEATS_FAILED_MAX;
    if (isOver) this.#sendAway({ kind: "unavailable", reason: `The store is away (${code}).` });
  }

  #sendAway(end: FeedEnd): void {
    for (const session of this.#sessions) session.close(end);
    for (const home of this.#rooms.values()) this.#closeRoom(home);
    this.#stopIfIdle();
  }
}

/** By mill: one feed for all that offer it. */
const feeds = new WeakMap<object, LiveFeed>();

/** The live feed of a mill. Costs nothing until somebody opens it. */
export function feedOf(facade: object): LiveFeed {
  let feed = feeds.get(facade);
  if (feed === undefined) feeds.set(facade, (feed = new LiveFeed(facade)));
  return feed;
}
