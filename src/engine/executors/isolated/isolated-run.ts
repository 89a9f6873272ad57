// The isolation of one run under one claim: what crashed its process before, or may have, is worked on first, alone
// and apart from the worker, until it has ended or is poison. Then the run goes on as usual.

import type { CrashRecord } from "../../../model/checkpoint.ts";
import { CHILD_CRASHES_MAX } from "../../../model/limits.ts";
import type { Failure } from "../../../model/outcome.ts";
import {
  canLeaveProcess,
  countCrash,
  findCrash,
  isPoison,
  poisonFailure,
  type IsolationPlan,
} from "../../../policy/crashes.ts";
import { fingerprintOf } from "../../../policy/failure.ts";
import type { Attempt } from "../../attempt/attempt.ts";
import { ReadyHeap } from "../../ready-heap.ts";
import type { RunCore } from "../../run-core.ts";
import type { SlotPool } from "../../slots.ts";
import { isEnded, type StageRun } from "../../stage-run.ts";
import { isCrash, Unavailable, type IsolatedCrash } from "./far-side.ts";
import { callIsolated } from "./isolated-call.ts";
import { IsolatedSlots } from "./isolated-slots.ts";
import type { CrashNote, Isolation, ItemVerdict } from "./isolation.ts";
import { makeCall } from "./make-call.ts";
import { SuspectHeap } from "./suspect-heap.ts";

/** What is known of a run's crashes when it is claimed. */
export interface KnownCrashes {
  /** Null: nothing is isolated, and what is poison is not started all the same. */
  readonly plan: IsolationPlan | null;
  readonly records: readonly CrashRecord[];
  /** Claims lost in a row. */
  readonly lostClaims: number;
}

/** Makes the isolation of one run, and its slots. Loaded on first need: nearly no run has one. */
export interface Isolator {
  makeIsolation(core: RunCore): Isolation;
  makeSlots(pool: SlotPool, isActive: () => boolean): SlotPool;
}

/** From what is known of a run's crashes. */
export function makeIsolator(known: KnownCrashes): Isolator {
  return {
    makeIsolation: (core) => new IsolatedRun(core, known),
    makeSlots: (pool, isActive) => new IsolatedSlots(pool, isActive),
  };
}

/** The isolation of one run. */
class IsolatedRun implements Isolation {
  readonly #core: RunCore;
  #plan: IsolationPlan | null;
  #records: readonly CrashRecord[];
  /** Claims lost in a row; 0 once the run has made progress. */
  #lostClaims: number;
  #childCrashes: number = 0;
  readonly #stages: ReadonlyMap<string, StageRun>;
  /** Where suspected items are in their lists, by stage and key. */
  readonly #places: Map<string, number> = new Map();

  constructor(core: RunCore, { plan, records, lostClaims }: KnownCrashes) {
    this.#core = core;
    this.#plan = plan;
    this.#records = records;
    this.#lostClaims = lostClaims;
    this.#stages = new Map(core.stages.map((stageRun) => [stageRun.definition.name, stageRun]));
  }

  get isActive(): boolean {
    if (this.#plan === null) return false;
    if (this.#plan.kind === "everything") return true;
    if (this.#plan.suspects.some((one) => this.#isOpen(one))) return true;
    this.#plan = null;
    return false;
  }

  #isOpen({ stage, item }: CrashRecord): boolean {
    const stageRun = this.#stages.get(stage ?? "");
    if (stageRun === undefined || isEnded(stageRun)) return false;
    const { map } = stageRun;
    if (item === null || map === null) return true;
    const index = this.#places.get(placeOf(stageRun, item));
    if (index === undefined) return !map.closed;
    const state = map.stateOf(index);
    return state === "pending" || state === "running" || state === "waiting";
  }

  makeHeap(size: number): ReadyHeap {
    const plan = this.#plan;
    if (plan?.kind !== "suspects") return new ReadyHeap(size);
    const names = new Set(plan.suspects.map(({ stage }) => stage));
    return new SuspectHeap(size, (position) =>
      names.has(this.#core.stageAt(position).definition.name),
    );
  }

  judgeStage({ definition }: StageRun): Failure | null {
    return this.#judge({ stage: definition.name, item: null });
  }

  judgeItem(stageRun: StageRun, index: number): ItemVerdict {
    const key = stageRun.map?.keyOf(index) ?? "";
    const subject = { stage: stageRun.definition.name, item: key };
    const isKnown = findCrash(this.#records, subject) !== undefined;
    if (!isKnown) return UNKNOWN_ITEM;
    this.#places.set(placeOf(stageRun, key), index);
    return { poison: this.#judge(subject), isSuspect: this.#plan?.kind === "suspects" };
  }

  #judge(subject: { readonly stage: string; readonly item: string | null }): Failure | null {
    const record = findCrash(this.#records, subject);
    return isPoison(record) ? poisonFailure(record) : null;
  }

  call(attempt: Attempt, needs: unknown, begun: () => void): Promise<unknown> | null {
    if (!this.isActive) return null;
    if (!canLeaveProcess(this.#core.definition, attempt.stageRun.definition)) return null;
    return this.#call(attempt, needs, begun);
  }

  async #call(attempt: Attempt, needs: unknown, begun: () => void): Promise<unknown> {
    try {
      const call = makeCall(this.#core, attempt, needs);
      const value = await callIsolated(this.#core.world, attempt, { call, begun });
      this.#lostClaims = 0;
      return value;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      attempt.log.warn(`works on in its worker's process, although it may crash: ${error.message}`);
      begun();
      const { run, map } = attempt.stageRun.definition;
      if (map === null) return await run?.(needs, attempt);
      return await run?.(attempt.stageRun.map?.items[attempt.index], needs, attempt);
    }
  }

  noteCrash(attempt: Attempt, error: unknown): CrashNote | null {
    if (!isCrash(error)) return null;
    const subject = { stage: attempt.stage, item: attempt.item?.key ?? null };
    const suspects = [{ ...subject, isolated: true }];
    const reason = error.message;
    this.#records = countCrash(this.#records, { suspects, reason, lostBefore: this.#lostClaims });
    const record = findCrash(this.#records, subject);
    this.#core.putCrash({ ...subject, reason });
    this.#childCrashes += 1;
    const isSpent = this.#childCrashes >= CHILD_CRASHES_MAX;
    const died = error.place === "thread" ? "threads" : "processes";
    const abortRun = `${CHILD_CRASHES_MAX} ${died} of this run died in one claim; the last one: ${reason}`;
    const crashes = record?.crashes ?? 1;
    return {
      crashes,
      failure: isPoison(record) ? poisonFailure(record) : crashFailure(subject, error, crashes),
      abortRun: isSpent ? abortRun : null,
    };
  }
}

const UNKNOWN_ITEM: ItemVerdict = { poison: null, isSuspect: false };

function placeOf({ index }: StageRun, key: string): string {
  return `${index}/${key}`;
}

function crashFailure(
  { stage, item }: { readonly stage: string; readonly item: string | null },
  { place, message: reason }: IsolatedCrash,
  crashes: number,
): Failure {
  const what = item === null ? `"${stage}"` : `item "${item}" of "${stage}"`;
  const message = `${what} crashed its ${place}: ${reason}`;
  return {
    class: "crash",
    message,
    attempts: crashes,
    fingerprint: fingerprintOf("crash", undefined, message),
  };
}
