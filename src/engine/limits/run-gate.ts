// What a driven run does about resources: holds back attempts that wait at the gate, brings back those whose turn may
// have come, and gives up their slots meanwhile. Its parts are made with the first use: most runs never have one.

import type { ResourceUse, UseList } from "../../model/resource/resource.ts";
import type { Attempt, BlockHost } from "../attempt/attempt.ts";
import type { RawOutcome } from "../attempt/attempt-runner.ts";
import type { RunCore } from "../run-core.ts";
import { isEnded, type StageRun } from "../stage-run.ts";
import type { Timer } from "../../std/clock.ts";
import { Admissions } from "./admissions.ts";
import { BlockUses } from "./block-uses.ts";
import { HeldRows, type HeldRowsHost } from "./held-rows.ts";

/** What is asked of the driver. */
export interface RunGateHost {
  readonly isStopping: boolean;
  readonly heap: { push(index: number): void };
  readonly maps: HeldRowsHost["maps"] & {
    heldBack(attempt: Attempt): void;
    called(attempt: Attempt): void;
    hasPlace(stageRun: StageRun): boolean;
    movePlace(stageRun: StageRun, by: 1 | -1): void;
    offerMore(stageRun: StageRun): void;
  };
  pump(): void;
  fail(error: unknown): void;
  /** Sees whether the run is over, or at rest. */
  check(): void;
  fail(error: unknown): void;
}

/** The gate as one run sees it. */
export class RunGate implements BlockHost {
  readonly #core: RunCore;
  readonly #host: RunGateHost;
  #admissions: Admissions | null = null;
  #blocks: BlockUses | null = null;
  #rows: HeldRows | null = null;
  /** By position; made for the first stage that waits. */
  #calledStages: Map<number, Attempt> | null = null;
  /** Looks whether the run has waited long enough to give its place back. */
  #rest: Timer | null = null;
  #isResting: boolean = false;
  #isHurried: boolean = false;

  constructor(core: RunCore, host: RunGateHost) {
    this.#core = core;
    this.#host = host;
    core.blocks = this;
  }

  /** Who of the run asks for permits and waits for them. */
  get admissions(): Admissions {
    return (this.#admissions ??= new Admissions(this.#core, (attempt) => this.#called(attempt)));
  }

  /** Runs a block of an attempt while it holds a permit of each. */
  use<T>(
    attempt: Attempt,
    uses: ResourceUse | string | UseList,
    block: () => T | Promise<T>,
  ): Promise<T> {
    this.#blocks ??= new BlockUses(this.#core, this.admissions, {
      maps: this.#host.maps,
      pump: () => this.#host.pump(),
      heldBack: () => this.#watchRows(),
    });
    return this.#blocks.use(attempt, uses, block);
  }

  /** Gives slots to blocks whose turn has come; false where there is none left. */
  serveBlocks(): boolean {
    return this.#blocks === null || !this.#blocks.isWaiting || this.#blocks.serve();
  }

  /** Who waits is told, for others to see. */
  tellWaits(): void {
    this.#rows?.tell(0);
  }

  /** True while something of the run waits for a resource. */
  get isBusy(): boolean {
    return this.#admissions !== null && this.#admissions.waiting.size > 0;
  }

  /** An attempt waits for a resource: its slot is somebody else's meanwhile. */
  heldBack(attempt: Attempt): void {
    if (attempt.index < 0) attempt.stageRun.state = "waiting";
    else this.#host.maps.heldBack(attempt);
    this.#watchRows();
    this.#core.world.slots.release();
    this.#host.pump();
  }

  #watchRows(): void {
    this.#rows ??= new HeldRows(this.#core, this.admissions, {
      maps: this.#host.maps,
      listWaiting: () => this.#listWaiting(),
      fail: (error) => this.#host.fail(error),
    });
    this.#rows.watch();
  }

  *#listWaiting(): Iterable<Attempt> {
    if (this.#admissions !== null) yield* this.#admissions.waiting;
    if (this.#blocks !== null) yield* this.#blocks.waiting;
  }

  /** The turn of an attempt may have come: it asks again when it has a slot. */
  #called(attempt: Attempt): void {
    const { stageRun, index } = attempt;
    if (this.#host.isStopping || isEnded(stageRun)) return this.admissions.leave(attempt);
    if (index < 0) {
      (this.#calledStages ??= new Map()).set(stageRun.index, attempt);
      this.#host.heap.push(stageRun.index);
    } else this.#host.maps.called(attempt);
    this.#host.pump();
  }

  /** The attempt of a stage whose turn may have come; undefined: it did not wait for one. */
  takeCalled({ index }: StageRun): Attempt | undefined {
    const called = this.#calledStages?.get(index);
    if (called !== undefined) this.#calledStages?.delete(index);
    return called;
  }

  /** An attempt is over: its permits go back with its end, and its slot is free. */
  ended(attempt: Attempt, outcome: RawOutcome): void {
    try {
      this.#giveBack(attempt, outcome);
    } catch (error) {
      this.#host.fail(error); // a fault of ours ends the run with it and harms nobody else
    }
    if (attempt.atGate?.isSlotAway !== true) this.#core.world.slots.release();
  }

  #giveBack(attempt: Attempt, outcome: RawOutcome): void {
    if (attempt.atGate?.isInBlock === true) this.#blocks?.ended(attempt);
    const isReturned = this.#admissions?.giveBack(attempt, outcome) === true;
    // The next item asks for what this one gives back in the same commit; without resources it starts after it.
    if (isReturned && attempt.index >= 0) this.#host.maps.offerMore(attempt.stageRun);
  }

  /** A stage has ended: nothing of it waits any more. */
  stageEnded(stageRun: StageRun): void {
    if (this.isBusy) this.admissions.leaveStage(stageRun);
  }

  /** True while the run waits for resources and nothing of it is at work. One that only asks again rests on. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** True while the run is asked to give its place back at once, if what it waits for may take long. */
  get isHurried(): boolean {
    return this.#isHurried;
  }

  /** The run rests; later it is looked at again, whether it has waited long enough to give its place back. */
  rest(): void {
    this.#setResting(true);
    const { parksAfterMs, world } = this.#core;
    if (parksAfterMs === null || this.#rest !== null) return;
    this.#rest = world.clock.setTimer(parksAfterMs, () => {
      this.#rest = null;
      this.#host.check();
    });
  }

  /** Something of the run is at work. */
  stir(): void {
    if (this.#isResting) this.#setResting(false);
  }

  #setResting(isResting: boolean): void {
    if (this.#isResting === isResting) return;
    this.#isResting = isResting;
    this.#core.onRest(isResting);
  }

  /** Asks a run at rest to give its place back; false: what it waits for may be there soon. */
  hurry(): boolean {
    if (!this.#isResting) return false;
    this.#isHurried = true;
    this.#host.check();
    this.#isHurried = false;
    return !this.isResting;
  }

  /** Nothing of the run waits any more. */
  close(): void {
    this.stir();
    this.#rest?.cancel();
    this.#rest = null;
    this.#rows?.close();
    this.#admissions?.leaveAll();
    this.#blocks?.close();
  }
}
