// Drives one run: walks the graph by counters of unfinished needs, starts what is ready in declaration order
// while there are slots, and ends when every stage has ended. There is no wave and no scan.
//
// Modes: `driving`; `failing` (failFast: running attempts finish, only what tolerates failures still starts);
// `ending` (cancelled or past its deadline: running attempts are aborted); `parking` (interrupted: running
// attempts may finish, then are aborted, the run waits for a resume); `over`. A mode is only left for a later
// one.

import type { Ending } from "../model/outcome.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { AttemptHistory } from "./attempt/attempt-history.ts";
import { AttemptRunner, type RawOutcome } from "./attempt/attempt-runner.ts";
import { StageCache } from "./cache/stage-cache.ts";
import { cancelPending, hasLost } from "./fail-fast.ts";
import type { DriveEnd } from "./finish.ts";
import { MapConductor } from "./map/map-conductor.ts";
import { AttemptLauncher } from "./attempt/attempt-launcher.ts";
import { versionOfNeeds } from "./needs.ts";
import { reuseCheckpoint } from "./restore/reuse-checkpoint.ts";
import { OutcomeHandler } from "./attempt/outcome-handler.ts";
import { ReadyHeap } from "./ready-heap.ts";
import { judge } from "./judge.ts";
import { QueueLimits } from "./queue-limits.ts";
import type { RunCore } from "./run-core.ts";
import { takeUpWait, waitOn } from "./restore/restored-wait.ts";
import { RunGate } from "./limits/run-gate.ts";
import { findParking, makeStalled } from "./run-rest.ts";
import { armDeadline, RunTimers } from "./run-timers.ts";
import { Settling } from "./settling.ts";
import type { SlotWaiter } from "./slots.ts";
import { StageLedger } from "./ledger/stage-ledger.ts";
import { isEnded, type StageRun } from "./stage-run.ts";
import { Turns } from "./turns.ts";

type Mode = "driving" | "failing" | "ending" | "parking" | "over";

/** Drives one run from its first ready stage to its last ending. */
export class RunDriver implements SlotWaiter {
  readonly core: RunCore;
  readonly runner: AttemptRunner;
  readonly ledger: StageLedger;
  readonly heap: ReadyHeap;
  readonly maps: MapConductor;
  readonly launcher: AttemptLauncher;
  readonly gate: RunGate;
  readonly #outcomes: OutcomeHandler;
  readonly timers: RunTimers;
  readonly #line: QueueLimits;
  #mode: Mode = "driving";
  #open: number = 0;
  #pumping: boolean = false;
  readonly #settling: Settling;
  readonly #turns: Turns;
  #isDoubted: boolean = false;
  /** How it ends, once it does. */
  readonly #over = { cancelled: false, deadlineHit: false, aborted: false, reason: "cancelled" };
  #resolve: (end: DriveEnd) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(core: RunCore) {
    this.core = core;
    this.#turns = new Turns(core.world.clock, () => this.pump());
    this.timers = new RunTimers(core.world.clock, (error) => this.fail(error));
    const { length } = core.stages;
    this.heap = core.isolation === null ? new ReadyHeap(length) : core.isolation.makeHeap(length);
    this.#settling = new Settling(
      (stageRun) => this.#release(stageRun),
      () => this.pump(),
    );
    const cache = core.definition.hasCache ? new StageCache(core) : null;
    this.runner = new AttemptRunner(core, (attempt, outcome) => this.#ended(attempt, outcome));
    this.ledger = new StageLedger(core, cache, {
      stageSettled: (stageRun) => this.#settling.add(stageRun),
      // A map and those that follow it hear of an item before anything that starts by it can end.
      itemSettled: (stageRun, index) =>
        this.#settling.around(() => this.maps.itemSettled(stageRun, index)),
      committed: () => this.check(),
      writeFailed: (error) => this.fail(error),
    });
    this.gate = new RunGate(core, this);
    this.launcher = new AttemptLauncher(core, this.runner, {
      gate: this.gate,
      cache,
      isQuiet: () => this.isStopping,
      abortKind: () => (this.#mode === "parking" ? "shutdown" : "user-cancel"),
      noteStart: (attempt) => this.ledger.noteStart(attempt),
      admitted: (attempt) => this.#line.leave(attempt.stageRun),
      heldBack: (attempt) => this.gate.heldBack(attempt),
      ended: (attempt, outcome) => this.#ended(attempt, outcome),
      failed: (error) => this.fail(error),
    });
    this.#line = new QueueLimits(core, this.timers, (stageRun, failure) =>
      this.ledger.endStage(stageRun, { state: "failed", failure }),
    );
    this.maps = new MapConductor(core, this.ledger, this);
    this.#outcomes = new OutcomeHandler(core, this.ledger, this);
    core.onFault = (error) => this.fail(error);
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** Nothing at all may start any more. */
  get isStopping(): boolean {
    return this.#mode !== "driving" && this.#mode !== "failing";
  }

  /** Works until the run is over or parked. Rejects when the store fails or the lease is lost.
   *  @param cancelled Why it was cancelled before it began; then nothing of it starts. */
  drive(cancelled: string | null = null): Promise<DriveEnd> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#turns.begin();
      for (const stageRun of this.core.stages) if (!stageRun.settled) this.#open += 1;
      if (cancelled !== null) return this.cancel(cancelled);
      this.runner.runDeadlineMs = this.core.deadlineAtMs;
      if (!armDeadline(this.core, this.timers, (text) => this.#endLate(text))) return;
      // A failure of an earlier epoch that stands keeps ordinary stages from starting, as it did then.
      if (this.core.keepsFailures && this.core.isFailFast && hasLost(this.core)) this.#failFast();
      // All entries are in line before the first one starts: one that ends at once must not overtake them.
      this.#pumping = true;
      for (const stageRun of this.core.stages) {
        if (!stageRun.settled && stageRun.left === 0) this.reach(stageRun);
      }
      this.#pumping = false;
      this.pump();
    });
  }

  /** All needs of a stage are finished: it runs, is skipped, or ends with them. */
  reach(stageRun: StageRun): void {
    if (stageRun.state !== "pending" || stageRun.settled) return;
    if (this.#mode === "over" || this.#mode === "parking") return;
    const ending: Ending | null =
      this.#mode === "ending"
        ? { state: "cancelled", reason: this.#over.reason }
        : judge(this.core, stageRun);
    if (ending !== null) {
      this.ledger.endStage(stageRun, ending);
      return;
    }
    // A map that follows another one is looked at again when that one has ended: it may have begun long ago.
    if (stageRun.isReached) return;
    stageRun.isReached = true;
    // A stage is reached when something ended: that moment was read from the clock already.
    stageRun.readyMs = this.core.lastEndMs;
    if (this.core.journal !== null) {
      stageRun.inputVersion = versionOfNeeds(this.core, stageRun.definition);
      if (reuseCheckpoint(this.ledger, stageRun)) return;
      const wait = takeUpWait(this.core, stageRun);
      if (wait !== null) return waitOn(this, stageRun, wait);
    }
    this.heap.push(stageRun.index);
    this.#line.enter(stageRun);
    this.pump();
  }

  /** Starts what is ready while there are slots. Safe to call at any time. */
  pump(): void {
    if (this.#pumping || this.#turns.isGivingWay || this.#settling.isUnderWay) return;
    this.#pumping = true;
    try {
      this.#startReady();
    } catch (error) {
      this.fail(error);
    }
    this.#pumping = false;
    this.check();
  }

  #startReady(): void {
    if (!this.gate.serveBlocks()) return this.core.world.slots.wait(this);
    while (this.heap.size > 0 && !this.isStopping) {
      const index = this.heap.peek();
      const map = this.maps.find(index);
      if (map !== undefined && !map.canStart()) {
        this.heap.pop();
        continue;
      }
      if (!this.core.world.slots.tryTake()) {
        this.core.world.slots.wait(this);
        break;
      }
      if (map === undefined) {
        this.heap.pop();
        this.#startStage(this.core.stageAt(index));
      } else {
        const due = map.take();
        if (!map.canStart()) this.heap.pop();
        this.maps.startItem(map, due);
      }
      if (this.#turns.giveWayIfLong()) break;
    }
  }

  wake(): void {
    this.pump();
  }

  /** Starts the next attempt of a stage; the slot is taken. */
  #startStage(stageRun: StageRun): void {
    const { when, map, uses } = stageRun.definition;
    // A stage that uses resources is in line until it has them.
    if (uses === null) this.#line.leave(stageRun);
    if (isEnded(stageRun)) {
      this.core.world.slots.release(); // ended while it waited its turn
      return;
    }
    const called = this.gate.takeCalled(stageRun);
    if (called !== undefined) return this.launcher.readmit(called, called.needs);
    const { history } = stageRun;
    stageRun.history = null;
    const asked = when === null || stageRun.conditionMet || history !== null;
    const purpose = asked ? (map === null ? "run" : "over") : "when";
    this.launcher.launch(this.launcher.makeAttempt(stageRun, { index: -1, purpose, history }));
  }

  /** An attempt is over: its slot is free, what follows is decided. */
  #ended(attempt: Attempt, outcome: RawOutcome): void {
    if (this.#mode === "over") {
      this.gate.ended(attempt, outcome);
      return;
    }
    // What becomes ready starts once the slot is free, not in the middle of the move.
    const wasPumping = this.#pumping;
    this.#pumping = true;
    try {
      this.#outcomes.handle(attempt, outcome);
    } catch (error) {
      this.fail(error); // a fault of ours ends the run with it and harms nobody else
    }
    this.#pumping = wasPumping;
    this.gate.ended(attempt, outcome);
    this.pump();
  }

  /** Puts a stage in line for its next attempt: after its condition, or after a wait. */
  ready(stageRun: StageRun, history: AttemptHistory | null): void {
    if (isEnded(stageRun)) return;
    stageRun.dueAtMs = null;
    stageRun.history = history;
    this.heap.push(stageRun.index);
    this.#line.enter(stageRun);
  }

  /** Calls back after the wait of a stage or item, unless the run is over by then. */
  after(delayMs: number, callback: () => void): void {
    this.timers.wait(delayMs, () => {
      callback();
      this.pump();
    });
  }

  /** A stage has ended: its readers count one need less. */
  #release(stageRun: StageRun): void {
    this.#open -= 1;
    this.gate.stageEnded(stageRun);
    this.maps.stageSettled(stageRun);
    for (const reader of this.core.definition.graph.readers[stageRun.index] ?? []) {
      this.#needSettled(this.core.stageAt(reader), stageRun);
    }
    const failedForGood = stageRun.state === "failed" && stageRun.definition.critical;
    if (failedForGood && this.core.isFailFast) this.#failFast();
  }

  #needSettled(reader: StageRun, need: StageRun): void {
    reader.left -= 1;
    if (need.state !== "succeeded") reader.unmet += 1;
    if (reader.definition.map?.follows === need.index) this.maps.upstreamSettled(reader);
    else if (reader.left === 0 || this.maps.isReachable(reader)) this.reach(reader);
  }

  /** A critical stage failed: nothing ordinary starts any more, what tolerates failures still does. */
  #failFast(): void {
    if (this.#mode !== "driving") return;
    this.#mode = "failing";
    cancelPending(this.core, this.ledger, this.maps);
  }

  /** Ends the run `cancelled`: nothing starts any more, what runs is aborted. */
  cancel(reason: string): void {
    if (this.isStopping) return;
    this.#over.cancelled = true;
    this.#end("user-cancel", reason);
  }

  /** Ends the run as failed because a rule of a stage asked for it. `first` ends what failed. */
  abortRun(reason: string, first: () => void): void {
    if (this.isStopping) return first();
    this.#over.aborted = true;
    this.#end("sibling", reason, first);
  }

  #endLate(reason: string): void {
    this.#over.deadlineHit = true;
    this.#end("deadline", reason);
  }

  #end(
    kind: "user-cancel" | "deadline" | "sibling",
    reason: string,
    first: () => void = () => {},
  ): void {
    if (this.isStopping) return;
    this.#mode = "ending";
    this.#over.reason = kind === "deadline" ? "deadline" : reason;
    this.heap.clear();
    // Between the first ending and the last one nothing goes on although stages are open: nobody must look.
    const wasPumping = this.#pumping;
    this.#pumping = true;
    first();
    this.maps.haltAll(this.#over.reason, kind);
    for (const stageRun of this.core.stages) {
      const isBusy =
        this.maps.find(stageRun.index) !== undefined || this.runner.isWorkingOn(stageRun);
      if (!isEnded(stageRun) && !isBusy) {
        this.ledger.endStage(stageRun, { state: "cancelled", reason: this.#over.reason });
      }
    }
    this.runner.abortAll(kind, reason);
    this.gate.close();
    this.#pumping = wasPumping;
    this.check();
  }

  /** Parks the run: running work has `drainMs`, then it is aborted; called again with 0 it is aborted now. */
  park(drainMs: number): void {
    if (this.#mode === "over" || this.#mode === "ending") return;
    this.#mode = "parking";
    this.heap.clear();
    this.gate.close();
    const abort = (): void => this.runner.abortAll("shutdown", "the process is shutting down");
    if (drainMs <= 0) abort();
    else this.timers.after(drainMs, abort);
    this.check();
  }

  /** The store failed or the lease is lost: everything of the run ends here, nothing more is written. */
  fail(error: unknown): void {
    if (this.#mode === "over") return;
    this.#leave();
    this.runner.abortAll("fenced", "the run has another owner, or its store failed");
    this.#reject(error);
  }

  #leave(): void {
    this.#mode = "over";
    this.heap.clear();
    this.core.world.slots.leave(this);
    this.timers.clear();
    this.gate.close();
    this.maps.dispose();
  }

  /** Sees whether it is over, or at rest. `isCalm`: not in the middle of a move. */
  check(isCalm: boolean = false): void {
    if (this.#mode === "over" || this.#turns.isGivingWay) return;
    if (this.#pumping || this.#settling.isUnderWay) return;
    const working = this.runner.running.size + this.ledger.commits + this.launcher.preparing;
    if (working > 0) {
      if (working > this.launcher.preparing) this.gate.stir();
      return;
    }
    if (this.#open === 0) {
      this.#leave();
      this.#resolve({ kind: "over", ...this.#over });
    } else if (this.#mode === "parking") {
      this.#leave();
      this.#resolve({ kind: "parked", wait: null });
    } else this.#checkRest(isCalm);
  }

  /** Nothing of it is at work: something is ready or comes, it waits here, it is parked, or the counters are wrong. */
  #checkRest(isCalm: boolean): void {
    if (!this.isStopping && (this.heap.size > 0 || this.maps.isReading)) return;
    const { isBusy } = this.gate;
    if (this.isStopping || (this.timers.size === 0 && !isBusy)) return this.#doubt(isCalm);
    const wait = findParking(this.core, this.timers, this.gate);
    if (wait === null) return isBusy ? this.gate.rest() : undefined;
    this.gate.tellWaits();
    this.#leave();
    this.#resolve({ kind: "parked", wait });
  }

  /** With nothing running, ready or waiting and stages still open, the counters are wrong: never a success. In
   *  the middle of a move they are between two states, so they are read again on a clean stack. */
  #doubt(isCalm: boolean): void {
    if (isCalm) return this.fail(makeStalled(this.core));
    if (this.#isDoubted) return;
    this.#isDoubted = true;
    this.core.world.clock.defer(() => {
      this.#isDoubted = false;
      this.check(true);
    });
  }
}
