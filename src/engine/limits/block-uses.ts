// ctx.use: a block of an attempt's own code under a permit. While it waits the attempt gives up its slot and its place
// in its map, and takes them back together with the permit. It waits as a stage does: for others to see, and not where
// that cannot help.

import { AbortReason } from "../../model/context.ts";
import { MillraceError } from "../../model/errors.ts";
import type { ResourceUse, UseList } from "../../model/resource/resource.ts";
import { classifyError } from "../../policy/classify/classify.ts";
import { makeFailure } from "../../policy/failure.ts";
import type { Attempt, BlockHost } from "../attempt/attempt.ts";
import type { RunCore } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";
import type { Admissions } from "./admissions.ts";
import { countWait } from "./count-wait.ts";
import type { EndedCall, Entered, Hindrance, Permit } from "./permit-request.ts";
import type { Asker, Visit } from "./visit.ts";

/** What is asked of the driver. */
export interface BlockDriver {
  readonly maps: {
    hasPlace(stageRun: StageRun): boolean;
    /** A place of the map is taken or given up. */
    movePlace(stageRun: StageRun, by: 1 | -1): void;
  };
  pump(): void;
  /** A block waits: that is to be told, if it lasts. */
  heldBack(): void;
}

/** A block whose turn may have come: it needs its slot to ask. */
interface Called {
  readonly attempt: Attempt;
  readonly goOn: () => void;
}

/** A block that waits. */
interface WaitingBlock {
  readonly visit: Visit;
  readonly end: (reason: Error) => void;
}

/** Address of a block's permits: those of the attempt itself have 0. */
const BLOCK_SLOT = 1;

/** The blocks of one run. */
export class BlockUses implements BlockHost {
  readonly #core: RunCore;
  readonly #admissions: Admissions;
  readonly #driver: BlockDriver;
  readonly #called: Set<Called> = new Set();
  /** Blocks in line, or whose turn has come; an attempt has one at most. */
  readonly #waits: Map<Attempt, WaitingBlock> = new Map();

  constructor(core: RunCore, admissions: Admissions, driver: BlockDriver) {
    this.#core = core;
    this.#admissions = admissions;
    this.#driver = driver;
  }

  /** Runs a block while it holds a permit of each. USE_NESTED inside another permit; BREAKER_OPEN, QUOTA_EXCEEDED. */
  async use<T>(
    attempt: Attempt,
    uses: ResourceUse | string | UseList,
    block: () => T | Promise<T>,
  ): Promise<T> {
    const at = attempt.makeGate();
    if (at.permit !== null || at.isInBlock) {
      throw new MillraceError(
        "USE_NESTED",
        `ctx.use of "${attempt.stage}" was called while the attempt holds another permit.`,
        {
          hint: "name all resources of the stage in `uses`, or end the first block before the next",
        },
      );
    }
    at.isInBlock = true;
    at.told = null;
    try {
      const permit = await this.#enter(attempt, uses);
      return await this.#run(attempt, permit, block);
    } finally {
      at.isInBlock = false;
    }
  }

  async #run<T>(attempt: Attempt, permit: Permit, block: () => T | Promise<T>): Promise<T> {
    let ended: EndedCall = { kind: "succeeded" };
    try {
      return await block();
    } catch (error) {
      ended = attempt.abortKind === null ? this.#toFailed(attempt, error) : { kind: "cancelled" };
      throw error;
    } finally {
      permit.release(ended);
    }
  }

  #toFailed({ stageRun, attempt }: Attempt, error: unknown): EndedCall {
    const { classify } = stageRun.definition;
    const classified = classifyError(error, classify, this.#core.world.clock.wallMs());
    const failure = makeFailure({ error, classified, attempts: attempt });
    const { hintMs = null, resetMs = null } = classified;
    return { kind: "failed", failure: { ...failure, error }, hintMs, resetMs };
  }

  async #enter(attempt: Attempt, uses: ResourceUse | string | UseList): Promise<Permit> {
    const { gate } = this.#core.world.limits;
    const called = { resolve: (): void => {} };
    const request = this.#admissions.toBlockRequest(attempt, uses, BLOCK_SLOT);
    const asker: Asker = { request, wake: () => called.resolve() };
    const visit = gate.visit(asker);
    for (;;) {
      // Before it asks: its turn may come before its answer is looked at.
      const turn = new Promise<void>((resolve) => (called.resolve = resolve));
      const entered = await gate.enter(visit);
      if (attempt.phase !== "running") return this.#abandon(attempt, visit, entered);
      if (entered.kind === "granted") return this.#goOn(attempt, entered.permit);
      if (entered.kind === "refused") throw this.#admissions.toRefusal(attempt, entered).error;
      const vain = this.#admissions.findVain(attempt, entered.hindrance);
      if (vain !== null) {
        gate.leave(visit);
        throw vain.error;
      }
      await this.#wait(attempt, visit, { turn, hindrance: entered.hindrance });
    }
  }

  /** What was told to wait is told to run again. */
  #goOn(attempt: Attempt, permit: Permit): Permit {
    if (attempt.atGate?.told !== null && this.#core.sink !== null) {
      const { index } = attempt;
      const address = attempt.address();
      if (index < 0) this.#core.tell({ type: "stage.started", ...address });
      else this.#core.tell({ type: "item.started", ...address, data: { index } });
    }
    return permit;
  }

  /** Waits for its turn without a slot, then for a slot. Rejects when the attempt is aborted. */
  async #wait(
    attempt: Attempt,
    visit: Visit,
    { turn, hindrance }: { readonly turn: Promise<void>; readonly hindrance: Hindrance },
  ): Promise<void> {
    const sinceMs = this.#core.world.clock.monotonicMs();
    const over = Promise.withResolvers<never>();
    this.#waits.set(attempt, { visit, end: over.reject });
    const at = attempt.makeGate();
    at.visit = visit;
    at.waits = { hindrance, sinceMs };
    try {
      this.#driver.heldBack();
      this.#giveSlotUp(attempt);
      await untilAborted(attempt, [turn, over.promise]);
      await untilAborted(attempt, [this.#takeSlot(attempt), over.promise]);
    } catch (error) {
      this.#core.world.limits.gate.leave(visit);
      throw error;
    } finally {
      this.#waits.delete(attempt);
      at.visit = null;
      at.waits = null;
      countWait(this.#core, attempt, { hindrance, sinceMs });
    }
  }

  #abandon(attempt: Attempt, visit: Visit, entered: Entered): never {
    if (entered.kind === "granted") entered.permit.release({ kind: "cancelled" });
    else this.#core.world.limits.gate.leave(visit);
    throw reasonOf(attempt);
  }

  /** An attempt is over: a block of it that still waits, for which nobody waits, leaves its line. */
  ended(attempt: Attempt): void {
    const waits = this.#waits.get(attempt);
    if (waits === undefined) return;
    this.#core.world.limits.gate.leave(waits.visit);
    waits.end(reasonOf(attempt));
  }

  #giveSlotUp(attempt: Attempt): void {
    const at = attempt.makeGate();
    if (at.isSlotAway) return;
    at.isSlotAway = true;
    if (attempt.index >= 0) this.#driver.maps.movePlace(attempt.stageRun, -1);
    this.#core.world.slots.release();
    this.#driver.pump();
  }

  #takeSlot(attempt: Attempt): Promise<void> {
    return new Promise((resolve) => {
      this.#called.add({ attempt, goOn: resolve });
      this.#driver.pump();
    });
  }

  /** Attempts of which a block waits. */
  get waiting(): Iterable<Attempt> {
    return this.#waits.keys();
  }

  /** True while some block has its turn and no slot. */
  get isWaiting(): boolean {
    return this.#called.size > 0;
  }

  /** Gives slots to blocks whose turn has come; false where there is none left. */
  serve(): boolean {
    const { slots } = this.#core.world;
    for (const one of this.#called) {
      const { attempt, goOn } = one;
      const isOver = attempt.phase === "over";
      if (!isOver && attempt.index >= 0 && !this.#driver.maps.hasPlace(attempt.stageRun)) continue;
      if (!isOver && !slots.tryTake()) return false;
      this.#called.delete(one);
      if (!isOver) this.#takeBack(attempt);
      goOn();
    }
    return true;
  }

  #takeBack(attempt: Attempt): void {
    attempt.makeGate().isSlotAway = false;
    if (attempt.index >= 0) this.#driver.maps.movePlace(attempt.stageRun, 1);
  }

  /** The run is over: nobody waits for a slot any more. */
  close(): void {
    for (const attempt of this.#waits.keys()) this.ended(attempt);
    for (const { goOn } of this.#called) goOn();
    this.#called.clear();
  }
}

/** Why the code of an attempt may not go on. */
function reasonOf({ abortReason, stage }: Attempt): AbortReason {
  return abortReason ?? new AbortReason("fenced", `this attempt of "${stage}" is over`);
}

/** What comes first: one of the promises, or the abort of the attempt, which rejects with its reason. */
async function untilAborted(attempt: Attempt, promises: readonly Promise<void>[]): Promise<void> {
  const { signal } = attempt;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([...promises, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
