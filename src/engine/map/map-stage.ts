// One map stage while it is driven: expands its list, says which item may start, and ends when all have ended.
// Modes: `expanding` (the list is being made), `open` (items start), `halted` (running items finish, nothing
// starts), `over`. A stage that follows a tolerant map gets its items one by one, as that one's succeed.

import type { ItemRecord } from "../../model/checkpoint.ts";
import type { MapShape } from "../../model/definition.ts";
import type { Ending, Failure } from "../../model/outcome.ts";
import { decideMapEnd, makeStopAfter } from "../../policy/tolerance.ts";
import { sha256Hex } from "../../std/json.ts";
import type { AttemptHistory } from "../attempt/attempt-history.ts";
import type { StageRun } from "../stage-run.ts";
import { encodeOrThrow, type RunCore } from "../run-core.ts";
import { ItemCheckpoints, type ReopenedItems } from "./item-checkpoints.ts";
import { ItemKeys } from "./item-keys.ts";
import { TooManyItems, toItemSource } from "./item-source.ts";
import { MapItems, type DueItem } from "./map-items.ts";
import { summarizeItems } from "./map-failure.ts";
import { ambiguousFailure } from "../judge.ts";

/** What a map stage asks of its driver. */
export interface MapHost {
  /** Items may be ready: look when there is room. */
  offer(stageRun: StageRun): void;
  /** An item ended without an attempt. Its ending is told and, in durable runs, stored. */
  itemEnded(stageRun: StageRun, index: number): void;
  /** An item was brought back from an earlier epoch. */
  itemKept(stageRun: StageRun, index: number): void;
  /** Rows of an earlier epoch that are in the way, or in another place. */
  reopened(stageRun: StageRun, changes: ReopenedItems): void;
  /** All items have ended. */
  mapEnded(stageRun: StageRun, ending: Ending): void;
  /** The list is known. */
  expanded(stageRun: StageRun, counts: ExpandedCounts): void;
  /** The list could not be made. */
  expandFailed(stageRun: StageRun, error: unknown): void;
  isStopping(): boolean;
}

/** What an expansion found, compared with checkpoints of an earlier epoch. */
export interface ExpandedCounts {
  readonly items: number;
  readonly kept: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: readonly string[];
}

/** Drives the items of one stage. */
export class MapStage {
  readonly items: MapItems;
  readonly stageRun: StageRun;
  readonly #core: RunCore;
  readonly #host: MapHost;
  readonly #shape: MapShape;
  readonly #stop: { note(failed: boolean): boolean } | null;
  readonly #checkpoints: ItemCheckpoints;
  #needsVersion: string = "";
  #stream: AsyncIterator<unknown> | null = null;
  #reading: boolean = false;
  #dueHead: number = 0;
  #over: boolean = false;
  #haltReason: string | null = null;
  #stopReason: string | null = null;
  #failure: Failure | null = null;
  /** What every item's function receives besides its item. */
  needs: unknown = undefined;

  constructor(core: RunCore, stageRun: StageRun, host: MapHost, shape: MapShape) {
    this.#core = core;
    this.stageRun = stageRun;
    this.#host = host;
    this.#shape = shape;
    this.#stop = shape.stopAfter === null ? null : makeStopAfter(shape.stopAfter);
    const keys = new ItemKeys(stageRun.definition.name, shape.key);
    this.items = new MapItems(keys, shape.key !== null || core.journal !== null);
    this.#checkpoints = new ItemCheckpoints(core.takeItemCheckpoints(stageRun.definition.name));
    stageRun.map = this.items;
  }

  /** Takes the list or stream that `over` gave. Throws where it is none. */
  open(over: unknown, needsVersion: string): void {
    this.#needsVersion = needsVersion;
    const name = this.stageRun.definition.name;
    const source = toItemSource(name, over);
    if (source.kind === "stream") {
      this.#stream = source.iterator;
      this.#readMore();
      return;
    }
    if (source.items.length > this.#shape.maxItems) {
      throw new TooManyItems(name, source.items.length, this.#shape.maxItems);
    }
    for (const item of source.items) this.#add(item);
    this.#close();
  }

  /** Follows another map: its items are ours, under the same keys. */
  follow(upstream: MapItems, needsVersion: string): void {
    this.#needsVersion = needsVersion;
    this.grow(upstream);
  }

  /** Takes over items that the followed map has found since. They start when they have a value. */
  grow(upstream: MapItems): void {
    while (this.items.size < upstream.size)
      this.items.add(undefined, upstream.keyOf(this.items.size));
    this.items.next = this.items.size;
  }

  /** The followed map has ended an item. */
  upstreamEnded(upstream: MapItems, index: number, value: () => unknown): void {
    if (this.#over) return;
    this.grow(upstream);
    const state = upstream.stateOf(index);
    if (this.items.stateOf(index) !== "pending") return;
    if (state === "succeeded") {
      this.items.items[index] = value();
      this.#restore(index);
      this.#tellReopened();
      if (this.items.stateOf(index) !== "pending") this.checkEnd();
      else {
        this.items.due.push({ index, history: null });
        this.#host.offer(this.stageRun);
      }
      return;
    }
    const failure = upstream.failures.get(index);
    if (state === "failed" || state === "upstream_failed") {
      this.#endQuietly(index, "upstream_failed", failure);
    } else {
      this.#endQuietly(index, state === "cancelled" ? "cancelled" : "skipped", undefined);
    }
  }

  /** True while the list is still being read. */
  get isReading(): boolean {
    return this.#reading;
  }

  /** The followed map will give no more items. */
  upstreamClosed(): void {
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
    if (failure !== undefined) this.items.failures.set(index, failure);
    if (state === "skipped") this.items.reasons.set(index, "upstream_skipped");
    this.#host.itemEnded(this.stageRun, index);
  }

  #add(item: unknown): void {
    const index = this.items.add(item);
    this.#restore(index);
  }

  /** Takes an item's checkpoint over if it was made from the same item and needs. */
  #restore(index: number): void {
    const { items, stageRun } = this;
    if (this.#checkpoints.isEmpty) {
      this.#checkpoints.noteAdded();
      return;
    }
    const place = { key: items.keyOf(index), index };
    const match = this.#checkpoints.match(place, this.versionOf(index));
    if (match.kind === "kept") this.#takeOver(index, match.record);
    else if (match.kind === "started" && !stageRun.definition.idempotent) this.#endAmbiguous(index);
  }

  #takeOver(index: number, record: ItemRecord): void {
    const { items, stageRun } = this;
    items.takeOver(index, record);
    const metrics = Object.entries(record.metrics);
    if (metrics.length > 0) stageRun.addMetrics(new Map(metrics));
    this.#host.itemKept(stageRun, index);
  }

  /** Its start is recorded and its end is not: whatever it did is not done again unasked. */
  #endAmbiguous(index: number): void {
    const { items, stageRun } = this;
    const failure = ambiguousFailure(
      `item "${items.keyOf(index)}" of "${stageRun.definition.name}"`,
    );
    items.move(index, "failed");
    items.failures.set(index, failure);
    this.#core.noteError(stageRun, { failure, index });
    this.#host.itemEnded(stageRun, index);
  }

  /** Before the items in question are stored anew. */
  #tellReopened(): void {
    const changes = this.#checkpoints.takeChanges();
    if (changes !== null) this.#host.reopened(this.stageRun, changes);
  }

  /** Hash of an item and of the needs its function reads. */
  versionOf(index: number): string | null {
    if (this.#core.journal === null) return null;
    const text = encodeOrThrow(
      this.items.items[index],
      `item ${index} of "${this.stageRun.definition.name}"`,
    );
    return sha256Hex(`${this.#needsVersion}\n${text}`).slice(0, 32);
  }

  #close(): void {
    if (this.items.closed) return;
    this.items.closed = true;
    this.#tellReopened();
    this.#host.expanded(this.stageRun, {
      items: this.items.size,
      ...this.#checkpoints.counts,
      removed: this.#checkpoints.takeRemoved(),
    });
    this.#host.offer(this.stageRun);
    this.checkEnd();
  }

  /** Asks the stream for one more item while fewer wait than may run at once. */
  #readMore(): void {
    const stream = this.#stream;
    this.#skipStarted();
    const room = (this.#shape.concurrency ?? 64) - (this.items.size - this.items.next);
    if (stream === null || this.#reading || this.items.closed || this.items.halted || room <= 0)
      return;
    this.#reading = true;
    stream.next().then(
      (step) => {
        this.#reading = false;
        this.#took(step);
      },
      (error: unknown) => this.#readFailed(error),
    );
  }

  #took(step: IteratorResult<unknown>): void {
    if (this.#over || this.items.halted) {
      this.checkEnd();
      return;
    }
    if (step.done === true) {
      this.#close();
      return;
    }
    const { maxItems } = this.#shape;
    if (this.items.size >= maxItems) {
      this.#readFailed(
        new TooManyItems(this.stageRun.definition.name, `more than ${maxItems}`, maxItems),
      );
      return;
    }
    try {
      this.#add(step.value);
    } catch (error) {
      this.#readFailed(error);
      return;
    }
    this.#tellReopened();
    // First on: an item that was kept starts nothing, and the run must not look as if it had come to rest.
    this.#readMore();
    this.#host.offer(this.stageRun);
  }

  #readFailed(error: unknown): void {
    this.#reading = false;
    if (this.#over) return;
    this.#host.expandFailed(this.stageRun, error);
  }

  /** True if an item could start now. */
  canStart(): boolean {
    if (this.#over || this.items.halted || this.#host.isStopping()) return false;
    const { concurrency } = this.#shape;
    if (concurrency !== null && this.items.inFlight >= concurrency) return false;
    if (this.#dueHead < this.items.due.length) return true;
    this.#skipStarted();
    return this.items.next < this.items.size;
  }

  /** The next item to start: one whose retry is due before a new one. Only after `canStart`. */
  take(): DueItem {
    const due = this.items.due[this.#dueHead];
    if (due !== undefined) {
      this.#dueHead += 1;
      if (this.#dueHead === this.items.due.length) {
        this.items.due.length = 0;
        this.#dueHead = 0;
      }
      return due;
    }
    const index = this.items.next;
    this.items.next += 1;
    if (this.#stream !== null) this.#readMore();
    return { index, history: null };
  }

  /** Puts an item back in line after its wait. */
  retryDue(index: number, history: AttemptHistory): void {
    if (this.#over || this.items.halted) return;
    this.items.due.push({ index, history });
    this.#host.offer(this.stageRun);
  }

  #skipStarted(): void {
    const items = this.items;
    while (items.next < items.size && items.stateOf(items.next) !== "pending") items.next += 1;
  }

  /** The ending of an item is committed. */
  itemSettled(index: number): void {
    const failed = this.items.stateOf(index) === "failed";
    if (failed && this.#shape.onItemFailure === "fail") this.halt("sibling_failed");
    if (this.#stop !== null && this.#stop.note(failed)) {
      this.#stopReason = "stop_after";
      this.halt("stop_after");
    }
    this.checkEnd();
  }

  /** Lets running items finish and cancels the rest. */
  halt(reason: string): void {
    if (this.items.halted || this.#over) return;
    this.items.halted = true;
    this.#haltReason = reason;
    void this.#stream?.return?.()?.catch(() => undefined);
    for (let index = 0; index < this.items.size; index += 1) {
      const state = this.items.stateOf(index);
      if (state !== "pending" && state !== "waiting") continue;
      this.items.move(index, "cancelled");
      // What has a row is stored as what it is now; a hundred thousand that never began are not.
      if (state !== "waiting" && !this.#checkpoints.hasRow(index)) continue;
      this.items.reasons.set(index, reason);
      this.#host.itemEnded(this.stageRun, index);
    }
    this.items.closed = true;
    this.checkEnd();
  }

  /** Ends the stage once nothing of it is open. */
  checkEnd(): void {
    const { closed, open, inFlight, unsettled } = this.items;
    if (this.#over || !closed || open > 0 || inFlight > 0 || unsettled > 0) return;
    this.#over = true;
    this.#host.mapEnded(this.stageRun, this.#decideEnd());
  }

  /** Fails the stage once its running items have finished: its list turned out bad. */
  failWith(failure: Failure): void {
    this.#failure = failure;
    this.halt("list_failed");
  }

  #decideEnd(): Ending {
    if (this.#failure !== null) return { state: "failed", failure: this.#failure };
    const { counts, size } = this.items;
    const haltedFromOutside =
      this.#haltReason !== null && this.#stopReason === null && counts.failed === 0;
    if (haltedFromOutside && counts.cancelled > 0) {
      return { state: "cancelled", reason: this.#haltReason ?? "cancelled" };
    }
    if (this.#stopReason !== null) {
      return {
        state: "failed",
        failure: summarizeItems(this.stageRun, "stopped early (stopAfter)"),
      };
    }
    const decided = decideMapEnd(this.#shape, {
      total: size,
      succeeded: counts.succeeded,
      failed: counts.failed,
      skipped: counts.skipped,
      cancelled: counts.cancelled,
      upstreamFailed: counts.upstream_failed,
    });
    switch (decided.kind) {
      case "succeeded": {
        const isKept = this.stageRun.candidate !== null && this.#checkpoints.counts.kept === size;
        return { state: "succeeded", via: isKept ? "checkpoint" : "run" };
      }
      case "skipped":
        return { state: "skipped", reason: decided.reason };
      case "failed":
        return { state: "failed", failure: summarizeItems(this.stageRun, decided.message) };
    }
  }

  /** Forgets the stage: nothing of it may call back any more. */
  dispose(): void {
    this.#over = true;
    void this.#stream?.return?.()?.catch(() => undefined);
  }
}
