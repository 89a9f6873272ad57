// The map stages of one run: opens their lists, starts their items, passes items on to maps that follow, and
// ends a stage when its items have ended.

import type { ItemRecord } from "../../model/checkpoint.ts";
import { AbortReason, type AbortKind } from "../../model/context.ts";
import type { MapShape } from "../../model/definition.ts";
import type { Ending } from "../../model/outcome.ts";
import { classifyError } from "../../policy/classify/classify.ts";
import { makeFailure } from "../../policy/failure.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { AttemptHistory } from "../attempt/attempt-history.ts";
import { upstreamFailed } from "../judge.ts";
import type { ReopenedItems } from "./item-checkpoints.ts";
import type { DueItem } from "./due-queue.ts";
import { NotAList, type Given } from "./item-source.ts";
import type { MapItems } from "./map-items.ts";
import type { ExpandedCounts, MapHost, WaitingMap } from "./map-host.ts";
import { MapStage } from "./map-stage.ts";
import { arrive, loadItem, readItemValue, versionOfItemNeeds } from "../needs.ts";
import { hasAttempts, restoreWait, takeUpTally } from "../restore/restored-wait.ts";
import type { RunCore } from "../run-core.ts";
import type { RunTimers } from "../run-timers.ts";
import type { StageLedger } from "../ledger/stage-ledger.ts";
import { isEnded, unknownFailure, type StageRun } from "../stage-run.ts";

/** What the conductor asks of the driver. */
export interface ConductorHost {
  readonly isStopping: boolean;
  readonly timers: RunTimers;
  readonly heap: { push(index: number): void };
  pump(): void;
  reach(stageRun: StageRun): void;
  /** Calls back after the wait of an item. */
  after(delayMs: number, callback: () => void): void;
  readonly launcher: {
    makeAttempt(
      stageRun: StageRun,
      place: { index: number; purpose: "run"; history: AttemptHistory | null },
    ): Attempt;
    launchItem(attempt: Attempt, needs: unknown): void;
    readmit(attempt: Attempt, needs: unknown): void;
  };
  readonly gate: { readonly admissions: { leave(attempt: Attempt): void } };
}

// Of every run without a map: nothing is ever put into them.
const NO_MAPS: Map<number, MapStage> = new Map();
const NO_FOLLOWERS: Map<number, StageRun[]> = new Map();
const NO_ENDINGS: Map<number, Ending> = new Map();

/** Conducts the map stages of one run. */
export class MapConductor implements MapHost {
  readonly #core: RunCore;
  readonly #ledger: StageLedger;
  readonly #host: ConductorHost;
  readonly #maps: Map<number, MapStage>;
  /** Stages that follow a map item by item, by that map. */
  readonly #followers: Map<number, StageRun[]>;
  /** Endings of followers whose followed stage has not ended yet. */
  readonly #held: Map<number, Ending>;

  constructor(core: RunCore, ledger: StageLedger, host: ConductorHost) {
    this.#core = core;
    this.#ledger = ledger;
    this.#host = host;
    const hasMaps = core.stages.some(({ definition }) => definition.map !== null);
    this.#maps = hasMaps ? new Map() : NO_MAPS;
    this.#followers = hasMaps ? new Map() : NO_FOLLOWERS;
    this.#held = hasMaps ? new Map() : NO_ENDINGS;
    for (const stageRun of core.stages) {
      const follows = stageRun.definition.map?.follows ?? null;
      if (follows === null) continue;
      const list = this.#followers.get(follows) ?? [];
      list.push(stageRun);
      this.#followers.set(follows, list);
    }
  }

  /** The map stage at a position, once its list is being worked on. */
  find(index: number): MapStage | undefined {
    return this.#maps.size === 0 ? undefined : this.#maps.get(index);
  }

  /** True while a list is still being read from a stream. */
  get isReading(): boolean {
    for (const map of this.#maps.values()) if (map.isReading) return true;
    return false;
  }

  isStopping(): boolean {
    return this.#host.isStopping;
  }

  /** Opens the list of a stage. `over`: what its function gave, if it has one. */
  open(attempt: Attempt, over: unknown): void {
    const { stageRun } = attempt;
    const shape = stageRun.definition.map;
    if (shape === null) return;
    const map = new MapStage({ core: this.#core, host: this, maker: attempt, shape });
    this.#maps.set(stageRun.index, map);
    stageRun.state = "running";
    const version =
      this.#core.journal === null ? "" : versionOfItemNeeds(this.#core, stageRun.definition);
    try {
      if (shape.follows !== null) this.#follow(map, shape.follows, version);
      else map.open(this.#overOf(shape, over), version);
    } catch (error) {
      this.expandFailed(stageRun, error);
      return;
    }
    if (stageRun.definition.deadlineMs !== null) this.#armDeadline(map);
    const followers = this.#followers.get(stageRun.index);
    if (followers !== undefined) this.#reachFollowers(followers);
    this.#host.heap.push(stageRun.index);
  }

  /** A deadline is that of the whole stage: of its list, its items and their waits. */
  #armDeadline(map: MapStage): void {
    const { stageRun } = map;
    const { clock } = this.#core.world;
    const leftMs = stageRun.readyMs + (stageRun.definition.deadlineMs ?? 0) - clock.monotonicMs();
    const late = new AbortReason(
      "deadline",
      `"${stageRun.definition.name}" did not finish before its deadline`,
    );
    map.armDeadline(this.#host.timers, leftMs, () => this.expandFailed(stageRun, late));
  }

  #reachFollowers(followers: readonly StageRun[]): void {
    // Nothing has ended just now, but what follows is ready from this moment on.
    this.#core.lastEndMs = this.#core.world.clock.monotonicMs();
    for (const follower of followers) {
      if (this.isReachable(follower)) this.#host.reach(follower);
    }
  }

  #overOf({ over }: MapShape, given: unknown): Given {
    if (over.kind === "function") return { value: given, byFunction: true };
    const value = over.kind === "literal" ? over.items : arrive(this.#core, over.shape, false);
    return { value, byFunction: false };
  }

  #follow(map: MapStage, upstreamIndex: number, version: string): void {
    const upstream = this.#core.stageAt(upstreamIndex);
    const items = upstream.map;
    if (items === null) {
      const { name } = upstream.definition;
      throw new NotAList(
        map.stageRun.definition.name,
        `nothing: "${name}" ended ${upstream.state}`,
      );
    }
    map.follow(items, version);
    this.#passAll(map, items, true);
    if (items.closed) map.upstreamClosed(items);
  }

  /** True if only the map it follows is unfinished, and that one has its list. Rules that look at endings wait
   *  for the whole map. */
  isReachable(reader: StageRun): boolean {
    const { map, trigger } = reader.definition;
    const follows = map?.follows ?? null;
    if (follows === null || trigger !== "all_success") return false;
    if (reader.left > 1 || isEnded(reader)) return false;
    const alsoRead = reader.definition.needs.some(
      (need) => need.shape.kind === "stage" && need.shape.stage === follows,
    );
    return !alsoRead && !this.#core.stageAt(follows).settled && this.#maps.has(follows);
  }

  /** Starts an item; the slot is taken. */
  startItem(map: MapStage, { index, history, called }: DueItem): void {
    const { items, stageRun } = map;
    items.move(index, "running");
    items.inFlight += 1;
    const { launcher } = this.#host;
    if (called !== undefined) {
      launcher.readmit(called, called.needs);
      return;
    }
    if (history === null) items.unsettled += 1;
    launcher.launchItem(
      launcher.makeAttempt(stageRun, { index, purpose: "run", history }),
      map.maker.needs,
    );
  }

  /** An item waits for a resource. It holds no place meanwhile. */
  heldBack(attempt: Attempt): void {
    const map = this.#maps.get(attempt.stageRun.index);
    if (map === undefined) return;
    map.items.inFlight -= 1;
    map.noteWait(attempt.index, { attempt, failure: null });
    this.offerMore(attempt.stageRun);
  }

  /** The turn of an item that waits for a resource may have come. */
  called(attempt: Attempt): void {
    const { stageRun, index, history } = attempt;
    this.#maps.get(stageRun.index)?.retryDue(index, history, attempt);
  }

  /** True where one more item of a map may be worked on. */
  hasPlace(stageRun: StageRun): boolean {
    const concurrency = stageRun.definition.map?.concurrency ?? Infinity;
    return (stageRun.map?.inFlight ?? 0) < concurrency;
  }

  /** A place of a map is taken or given up by a block of its code. */
  movePlace(stageRun: StageRun, by: 1 | -1): void {
    const { map } = stageRun;
    if (map !== null) map.inFlight += by;
    if (by < 0) this.offerMore(stageRun);
  }

  /** An item that waits for a resource is not wanted any more. */
  heldEnded(attempt: Attempt): void {
    this.#host.gate.admissions.leave(attempt);
  }

  offer(stageRun: StageRun): void {
    this.#host.heap.push(stageRun.index);
    this.#host.pump();
  }

  /** An item that ended without a new attempt is stored like any other. */
  itemEnded(stageRun: StageRun, index: number, attempt: Attempt | null): void {
    this.#ledger.endItem(stageRun, index, { attempt, inputVersion: null });
  }

  /** A place of this stage is free, or an item of it may start: it gets back in line if it can use it. */
  offerMore(stageRun: StageRun): void {
    if (this.#maps.get(stageRun.index)?.canStart() === true) this.#host.heap.push(stageRun.index);
  }

  /** The ending of an item is committed. */
  itemSettled(stageRun: StageRun, index: number): void {
    const map = this.#maps.get(stageRun.index);
    if (map === undefined) return;
    map.items.unsettled -= 1;
    this.#tellFollowers(stageRun, map.items, index);
    map.itemSettled(index);
    if (map.canStart()) this.offer(stageRun);
  }

  waitsOn(map: WaitingMap, index: number, record: ItemRecord): void {
    const { stageRun, items } = map;
    const { isolation, keepsFailures } = this.#core;
    // Somebody asked for fresh attempts, or it is another item by now.
    if (!keepsFailures || record.inputVersion !== map.versionOf(index)) return;
    // What took its process along too often ends as such.
    if (isolation !== null && isolation.judgeItem(stageRun, index).poison !== null) return;
    const tally = items.makeTally(index);
    const held = takeUpTally(this.#core, tally, record);
    if (held !== null) stageRun.addWait(held.cause, held.ms);
    if (!hasAttempts(record)) return;
    const { history, leftMs, delayMs } = restoreWait(this.#core, record, stageRun.readyMs);
    // The deadline of the whole stage counts from when its first list was wanted.
    stageRun.readyMs = Math.min(stageRun.readyMs, history.readySince);
    const before = { ...history, attempts: history.attempts - 1 };
    const place = { index, purpose: "run", history: before } as const;
    const attempt = this.#host.launcher.makeAttempt(stageRun, place);
    items.unsettled += 1;
    const failure = record.failure ?? (record.attempts === 0 ? null : unknownFailure);
    map.noteWait(index, { attempt, failure });
    const goOn = (): void => {
      if (delayMs > 0) {
        stageRun.addWait("retry", delayMs);
        tally.add("retry", delayMs);
      }
      map.retryDue(index, history);
    };
    if (leftMs > 0) this.#host.after(leftMs, goOn);
    else goOn();
  }

  /** An item was brought back from an earlier epoch. */
  itemKept(stageRun: StageRun, index: number): void {
    const items = stageRun.map;
    if (items !== null) this.#tellFollowers(stageRun, items, index);
  }

  #tellFollowers(stageRun: StageRun, items: MapItems, index: number): void {
    for (const follower of this.#followers.get(stageRun.index) ?? []) {
      const below = this.#maps.get(follower.index);
      if (below !== undefined) this.#passOn(below, items, index);
    }
  }

  #passAll(below: MapStage, items: MapItems, withSucceeded: boolean): void {
    for (let index = 0; index < items.size; index += 1) {
      const state = items.stateOf(index);
      if (state === "pending" || state === "running" || state === "waiting") continue;
      // It is passed on once it is committed.
      if (items.uncommitted.has(index)) continue;
      if (withSucceeded || state !== "succeeded") this.#passOn(below, items, index);
    }
  }

  /** Hands an item that has ended to a map that follows; what lies in a blob is loaded first. */
  #passOn(below: MapStage, items: MapItems, index: number): void {
    const pass = (): void => below.upstreamEnded(items, index, () => readItemValue(items, index));
    const load = items.stateOf(index) === "succeeded" ? loadItem(this.#core, items, index) : null;
    if (load === null) pass();
    else this.#ledger.follow(load, pass);
  }

  reopened(stageRun: StageRun, changes: ReopenedItems): void {
    this.#ledger.noteReopened(stageRun, changes);
  }

  expanded(stageRun: StageRun, counts: ExpandedCounts): void {
    const { removed, ...numbers } = counts;
    this.#ledger.noteExpanded(stageRun, numbers, removed);
    for (const follower of this.#followers.get(stageRun.index) ?? []) {
      if (stageRun.map !== null) this.#maps.get(follower.index)?.upstreamClosed(stageRun.map);
    }
  }

  expandFailed(stageRun: StageRun, error: unknown): void {
    const map = this.#maps.get(stageRun.index);
    const failure = makeFailure({
      error,
      classified: classifyError(error, stageRun.definition.classify),
      attempts: stageRun.attempts,
    });
    if (map === undefined) this.#ledger.endStage(stageRun, { state: "failed", failure });
    else map.failWith(failure);
  }

  mapEnded(stageRun: StageRun, ending: Ending): void {
    if (isEnded(stageRun)) return;
    const follows = stageRun.definition.map?.follows ?? null;
    const isEarly = follows !== null && !this.#core.stageAt(follows).settled;
    if (isEarly && this.#isBorrowed(stageRun, ending)) this.#held.set(stageRun.index, ending);
    else this.#ledger.endStage(stageRun, this.#afterUpstream(stageRun, ending));
  }

  /** True for an ending that depends on how the followed map ends: a success, or a failure that is not its own. */
  #isBorrowed({ index }: StageRun, { state }: Ending): boolean {
    return (
      state === "succeeded" || (state === "failed" && this.#maps.get(index)?.hasFailed !== true)
    );
  }

  /** A follower cannot succeed over a map that did not, unless its rule bears that. */
  #afterUpstream(stageRun: StageRun, ending: Ending): Ending {
    const { map, trigger } = stageRun.definition;
    const follows = map?.follows ?? null;
    if (follows === null || trigger !== "all_success") return ending;
    if (ending.state !== "cancelled" && !this.#isBorrowed(stageRun, ending)) return ending;
    const upstream = this.#core.stageAt(follows);
    if (upstream.state === "failed" || upstream.state === "upstream_failed") {
      return upstreamFailed(this.#core, upstream.definition.name);
    }
    const isLost = upstream.state === "cancelled" && ending.state === "succeeded";
    return isLost ? { state: "cancelled", reason: upstream.reason ?? "cancelled" } : ending;
  }

  /** The stage that `reader` follows has ended. */
  upstreamSettled(reader: StageRun): void {
    const map = this.#maps.get(reader.index);
    const follows = reader.definition.map?.follows ?? -1;
    const items = this.#core.stages[follows]?.map ?? null;
    if (map === undefined) {
      if (reader.left === 0) this.#host.reach(reader);
      return;
    }
    if (items !== null) {
      this.#passAll(map, items, false); // items that were cancelled with their stage told nobody
      map.upstreamClosed(items);
    }
    const held = this.#held.get(reader.index);
    if (held === undefined || isEnded(reader)) return;
    this.#held.delete(reader.index);
    this.#ledger.endStage(reader, this.#afterUpstream(reader, held));
  }

  /** A stage has ended: nothing of its list is needed here any more. */
  stageSettled(stageRun: StageRun): void {
    this.find(stageRun.index)?.dispose();
  }

  halt(stageRun: StageRun, reason: string): boolean {
    const map = this.#maps.get(stageRun.index);
    map?.halt(reason, "sibling");
    return map !== undefined;
  }

  /** Cancels the items of every stage that have not started. */
  haltAll(reason: string, kind: AbortKind): void {
    for (const map of this.#maps.values()) map.halt(reason, kind);
  }

  /** Nothing may call back any more. */
  dispose(): void {
    for (const map of this.#maps.values()) map.dispose();
  }
}
