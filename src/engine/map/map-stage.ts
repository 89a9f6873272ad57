// One map stage while it is driven: expands its list, says which item may start, and ends when all have ended.
// Modes: `expanding` (the list is being made), `open` (items start), `halted` (running items finish, nothing
// starts), `over`. A stage that follows a tolerant map gets its items one by one, as that one's succeed.

import type { ItemRecord } from "../../model/checkpoint.ts";
import type { AbortKind } from "../../model/context.ts";
import type { MapShape } from "../../model/definition.ts";
import type { Failure } from "../../model/outcome.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { AttemptHistory } from "../attempt/attempt-history.ts";
import type { RunTimers } from "../run-timers.ts";
import type { StageRun } from "../stage-run.ts";
import type { RunCore } from "../run-core.ts";
import { ItemCheckpoints } from "./item-checkpoints.ts";
import { ItemKeys } from "./item-keys.ts";
import { TooManyItems, toItemSource, type Given } from "./item-source.ts";
import { ItemStream, STREAM_AHEAD } from "./item-stream.ts";
import { DueQueue, type DueItem } from "./due-queue.ts";
import { EarlyStop } from "./early-stop.ts";
import { versionOfItem } from "./list-version.ts";
import { MapItems } from "./map-items.ts";
import { decideEnding } from "./map-end.ts";
import type { ItemWait, MapHost, MapParts } from "./map-host.ts";
import { ambiguousItem } from "../judge.ts";

/** Drives the items of one stage. */
export class MapStage {
  readonly items: MapItems;
  readonly stageRun: StageRun;
  readonly #core: RunCore;
  readonly #host: MapHost;
  readonly #shape: MapShape;
  readonly #stop: EarlyStop | null;
  readonly #checkpoints: ItemCheckpoints;
  #needsVersion: string = "";
  #stream: ItemStream | null = null;
  readonly #waits: Map<number, ItemWait> = new Map();
  /** Items whose next attempt is due: they go before new ones. */
  readonly #due: DueQueue = new DueQueue();
  #over: boolean = false;
  /** Why the run stopped it; null if its own items did, or nothing. */
  #outsideReason: string | null = null;
  #failure: Failure | null = null;
  #disarm: () => void = () => {};
  /** The call that gave the list. Items receive its needs; a stream lives as long as its signal. */
  readonly maker: Attempt;

  constructor(parts: MapParts) {
    const { core, maker, shape } = parts;
    const { stageRun } = maker;
    this.#core = core;
    this.stageRun = stageRun;
    this.#host = parts.host;
    this.maker = maker;
    this.#shape = shape;
    const keys = new ItemKeys(stageRun.definition.name, shape.key);
    this.items = new MapItems(keys, shape.key !== null || core.journal !== null);
    const records = core.takeItemCheckpoints(stageRun.definition.name);
    const keep = { keepsFailures: core.keepsFailures && shape.onItemFailure === "continue" };
    this.#checkpoints = new ItemCheckpoints(records, keep);
    const { stopAfter } = shape;
    this.#stop = stopAfter === null ? null : new EarlyStop(stopAfter, { records, ...keep });
    stageRun.map = this.items;
  }

  /** Takes the list or stream that `over` gave. Throws where it is neither. */
  open(over: Given, needsVersion: string): void {
    this.#needsVersion = needsVersion;
    const source = toItemSource(this.stageRun.definition.name, over);
    if (source.kind === "stream") {
      this.#stream = new ItemStream(source.iterator, {
        took: (item) => this.#took(item),
        ended: () => this.#close(),
        failed: (error) => this.#host.expandFailed(this.stageRun, error),
      });
      this.#readMore();
      return;
    }
    if (source.items.length > this.#shape.maxItems) throw this.#tooMany(source.items.length);
    for (const item of source.items) this.#add(item);
    this.#close();
  }

  #tooMany(count: number | string): TooManyItems {
    return new TooManyItems(this.stageRun.definition.name, count, this.#shape.maxItems);
  }

  /** Follows another map: its items are ours, under the same keys. Throws where there are too many. */
  follow(upstream: MapItems, needsVersion: string): void {
    this.#needsVersion = needsVersion;
    if (upstream.size > this.#shape.maxItems) throw this.#tooMany(upstream.size);
    this.#grow(upstream);
  }

  /** Takes over items that the followed map has found since. They start when they have a value. */
  #grow(upstream: MapItems): void {
    if (this.#over || this.items.halted) return;
    if (upstream.size > this.#shape.maxItems) {
      this.#host.expandFailed(this.stageRun, this.#tooMany(upstream.size));
      return;
    }
    while (this.items.size < upstream.size)
      this.items.add(undefined, upstream.keyOf(this.items.size));
    this.items.next = this.items.size;
  }

  /** The followed map has ended an item. */
  upstreamEnded(upstream: MapItems, index: number, value: () => unknown): void {
    if (this.items.size < upstream.size) this.#grow(upstream);
    if (this.#over || index >= this.items.size || this.items.stateOf(index) !== "pending") return;
    const state = upstream.stateOf(index);
    if (state === "succeeded") {
      this.items.items[index] = value();
      this.#restore(index);
      this.#judgeCrashes(index);
      this.#tellReopened();
      if (this.items.stateOf(index) !== "pending") this.checkEnd();
      else {
        this.#due.push({ index, history: null });
        this.#stopEarly();
        this.#host.offer(this.stageRun);
      }
      return;
    }
    if (state === "failed" || state === "upstream_failed")
      this.#endQuietly(index, "upstream_failed", upstream.failures.get(index));
    else this.#endQuietly(index, state === "cancelled" ? "cancelled" : "skipped", undefined);
  }

  /** Calls back when the deadline of the stage has come, unless it has ended by then. */
  armDeadline(timers: RunTimers, leftMs: number, callback: () => void): void {
    if (this.#over) return;
    const timer = timers.after(leftMs, callback);
    this.#disarm = () => timers.cancel(timer);
  }

  /** True while an item was asked for that did not come yet. */
  get isReading(): boolean {
    return !this.#over && this.#stream?.isReading === true;
  }

  /** The followed map will give no more items. */
  upstreamClosed(upstream: MapItems): void {
    this.#grow(upstream);
    this.#close();
  }

  #endQuietly(
    index: number,
    state: "upstream_failed" | "skipped" | "cancelled",
    failure: Failure | undefined,
  ): void {
    if (!this.#checkpoints.isEmpty) this.#checkpoints.forget(this.items.keyOf(index));
    this.#tellReopened();
    this.items.move(index, state);
    this.items.unsettled += 1;
    if (failure !== undefined) this.items.failures.set(index, failure);
    if (state === "skipped") this.items.reasons.set(index, "upstream_skipped");
    this.#host.itemEnded(this.stageRun, index, null);
  }

  #add(item: unknown): void {
    const index = this.items.add(item);
    this.#restore(index);
    if (this.#judgeCrashes(index)) this.#due.push({ index, history: null });
  }

  /** What took its process along too often is not started again. True for one that is to go first. */
  #judgeCrashes(index: number): boolean {
    if (this.#core.isolation === null || this.items.stateOf(index) !== "pending") return false;
    const { poison, isSuspect } = this.#core.isolation.judgeItem(this.stageRun, index);
    if (poison !== null) this.#endUnstarted(index, poison);
    return poison === null && isSuspect;
  }

  /** Takes an item's checkpoint over if it was made from the same item and needs. */
  #restore(index: number): void {
    const { items, stageRun } = this;
    if (this.#checkpoints.isEmpty) {
      this.#checkpoints.noteAdded();
      return;
    }
    const place = { key: items.keyOf(index), index };
    // An output that was not stored cannot be had: no version is its own.
    const version = stageRun.definition.persist ? this.versionOf(index) : null;
    const match = this.#checkpoints.match(place, version);
    if (match.kind === "kept") this.#takeOver(index, match.record);
    else if (match.kind === "started" && !stageRun.definition.idempotent)
      this.#endUnstarted(index, ambiguousItem(stageRun, place.key));
    else if (match.kind === "waiting") this.#host.waitsOn(this, index, match.record);
  }

  #takeOver(index: number, record: ItemRecord): void {
    const { items, stageRun } = this;
    items.takeOver(index, record);
    const metrics = Object.entries(record.metrics);
    if (metrics.length > 0) stageRun.addMetrics(new Map(metrics));
    if (record.failure !== null && record.state === "failed")
      this.#core.noteError(stageRun, { failure: record.failure, index });
    this.#host.itemKept(stageRun, index);
  }

  /** Whatever it did before is not done again unasked. */
  #endUnstarted(index: number, failure: Failure): void {
    const { items, stageRun } = this;
    items.move(index, "failed");
    items.failures.set(index, failure);
    items.unsettled += 1;
    this.noteEnd(index);
    this.#core.noteError(stageRun, { failure, index });
    this.#host.itemEnded(stageRun, index, null);
  }

  /** Before the items in question are stored anew. */
  #tellReopened(): void {
    const changes = this.#checkpoints.takeChanges();
    if (changes !== null) this.#host.reopened(this.stageRun, changes);
  }

  /** Hash of an item and of the needs its function reads. */
  versionOf(index: number): string | null {
    if (this.#core.journal === null) return null;
    return versionOfItem(this.stageRun, { index, needsVersion: this.#needsVersion });
  }

  #close(): void {
    if (this.items.closed || this.#over) return;
    this.items.closed = true;
    this.#tellReopened();
    this.#host.expanded(this.stageRun, {
      items: this.items.size,
      ...this.#checkpoints.counts,
      removed: this.#checkpoints.takeRemoved(this.items),
    });
    this.#stopEarly();
    this.checkEnd();
    if (!this.#over) this.#host.offer(this.stageRun);
  }

  /** Asks the stream for one more item while fewer wait than may run at once. */
  #readMore(): void {
    this.items.skipStarted();
    const { closed, halted, size, next } = this.items;
    if (this.#stream === null || closed || halted) return;
    const room = (this.#shape.concurrency ?? STREAM_AHEAD) - (size - next);
    if (room > 0) this.#stream.read();
  }

  #took(item: unknown): void {
    const { maxItems } = this.#shape;
    try {
      if (this.items.size >= maxItems) throw this.#tooMany(`more than ${maxItems}`);
      this.#add(item);
    } catch (error) {
      this.#host.expandFailed(this.stageRun, error);
      return;
    }
    this.#tellReopened();
    // With the first one that is new, so that all that was kept is known.
    if (this.items.stateOf(this.items.size - 1) === "pending") this.#stopEarly();
    // First on: an item that was kept starts nothing, and the run must not look as if it had come to rest.
    this.#readMore();
    this.#host.offer(this.stageRun);
  }

  /** True if an item could start now. */
  canStart(): boolean {
    if (this.#over || this.items.halted || this.#host.isStopping()) return false;
    if (this.#stop !== null && this.#stop.reason !== null) return false;
    if (this.items.inFlight >= (this.#shape.concurrency ?? Infinity)) return false;
    if (!this.#due.isEmpty) return true;
    this.items.skipStarted();
    return this.items.next < this.items.size;
  }

  /** The next item to start: one whose retry is due before a new one. Only after `canStart`. */
  take(): DueItem {
    const due = this.#due.take();
    if (due !== undefined) return due;
    const index = this.items.next;
    this.items.next += 1;
    this.#readMore();
    return { index, history: null };
  }

  /** An item waits for its next attempt, with this one behind it. It holds no place meanwhile. */
  noteWait(index: number, wait: ItemWait): void {
    this.items.move(index, "waiting");
    this.#waits.set(index, wait);
  }

  /** Puts an item back in line after its wait. `called`: it waited for a resource, with this attempt. */
  retryDue(index: number, history: AttemptHistory | null, called?: Attempt): void {
    if (this.#over || this.items.halted) {
      if (called !== undefined) this.#host.heldEnded(called);
      return;
    }
    this.#waits.delete(index);
    this.#due.push(called === undefined ? { index, history } : { index, history, called });
    this.#host.offer(this.stageRun);
  }

  /** An item has ended, and is on its way to the store. Where too many have failed nothing starts from now on. */
  noteEnd(index: number): void {
    if (!this.items.halted) this.#stop?.note(this.items.stateOf(index));
  }

  /** The ending of an item is committed. */
  itemSettled(index: number): void {
    const state = this.items.stateOf(index);
    if (state === "failed" && this.#shape.onItemFailure === "fail") this.#halt("sibling_failed");
    this.#stopEarly();
    this.checkEnd();
  }

  /** Cancels the rest where too many items have failed, in this epoch or before it. */
  #stopEarly(): void {
    if (this.#stop !== null && this.#stop.reason !== null) this.#halt("stop_after");
  }

  /** Lets running items finish and cancels the rest, because the run wants it so. */
  halt(reason: string, kind: AbortKind): void {
    if (this.items.halted || this.#over) return;
    this.#outsideReason = reason;
    this.#halt(reason, kind);
  }

  #halt(reason: string, kind: AbortKind = "sibling"): void {
    const { items } = this;
    if (items.halted || this.#over) return;
    items.halted = true;
    this.#closeStream(kind);
    for (let index = 0; index < items.size; index += 1) {
      const state = items.stateOf(index);
      if (state === "pending") this.#cancelPending(index, reason);
      else if (state === "waiting") this.#cancelWaiting(index, reason);
    }
    items.closed = true;
    this.checkEnd();
  }

  /** What has a row is stored as what it is now; a hundred thousand that never began are not. */
  #cancelPending(index: number, reason: string): void {
    this.items.move(index, "cancelled");
    if (!this.#checkpoints.hasRow(index)) return;
    this.items.unsettled += 1;
    this.items.reasons.set(index, reason);
    this.#host.itemEnded(this.stageRun, index, null);
  }

  /** An item that waits for its next attempt was told and stored as such: its end is too. */
  #cancelWaiting(index: number, reason: string): void {
    const wait = this.#waits.get(index);
    this.#waits.delete(index);
    this.items.move(index, "cancelled");
    this.items.reasons.set(index, reason);
    if (wait?.failure === null) this.#host.heldEnded(wait.attempt);
    else if (wait !== undefined) this.items.failures.set(index, wait.failure);
    const { attempt = null, failure = null } = wait ?? {};
    this.#host.itemEnded(this.stageRun, index, failure === null ? null : attempt);
  }

  #closeStream(kind: AbortKind): void {
    // Whoever reads for the stream hears that it is in vain.
    if (this.#stream?.close() === true) this.maker.abort(kind, "no further items are needed");
  }

  /** True if something of its own failed, and not only what it follows. */
  get hasFailed(): boolean {
    return this.#failure !== null || this.items.counts.failed > 0;
  }

  /** Ends the stage once nothing of it is open. */
  checkEnd(): void {
    const { closed, open, inFlight, unsettled } = this.items;
    if (this.#over || !closed || open > 0 || inFlight > 0 || unsettled > 0) return;
    this.#over = true;
    const ending = decideEnding(this.stageRun, this.#shape, {
      failure: this.#failure,
      outsideReason: this.#outsideReason,
      piledUp: this.#stop?.reason ?? null,
      kept: this.#checkpoints.counts.kept,
    });
    this.#host.mapEnded(this.stageRun, ending);
  }

  /** Fails the stage once its running items have finished: its list turned out bad. */
  failWith(failure: Failure): void {
    this.#failure ??= failure;
    this.#halt("list_failed");
  }

  /** Forgets the stage: nothing of it may call back any more. */
  dispose(): void {
    this.#over = true;
    this.#disarm();
    this.#closeStream("sibling");
  }
}
