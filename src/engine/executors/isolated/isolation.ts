// What the engine asks about a run that has lost its process again and again: what is suspected of it, what is not
// started any more, and how an attempt is made apart from the worker. Other runs have none, and pay one comparison.

import type { Failure } from "../../../model/outcome.ts";
import type { Attempt } from "../../attempt/attempt.ts";
import type { ReadyHeap } from "../../ready-heap.ts";
import type { StageRun } from "../../stage-run.ts";

/** How often something has crashed, this time included. */
export interface CrashNote {
  readonly crashes: number;
  /** What it fails with if it is not tried again. */
  readonly failure: Failure;
  /** Why the whole run ends; null: it goes on. */
  readonly abortRun: string | null;
}

/** What becomes of an item that is found in its list. */
export interface ItemVerdict {
  /** It is not started. */
  readonly poison: Failure | null;
  /** It goes before the others. */
  readonly isSuspect: boolean;
}

/** The isolation of one run under one claim. */
export interface Isolation {
  /** True while whatever starts is isolated: alone, and its start recorded. */
  readonly isActive: boolean;
  /** A heap that gives suspects first. */
  makeHeap(size: number): ReadyHeap;
  /** Why a stage is not started; null: it may be. */
  judgeStage(stageRun: StageRun): Failure | null;
  judgeItem(stageRun: StageRun, index: number): ItemVerdict;
  /** Makes the attempt in a process of its own, and says when its code is called; null: it is made here. */
  call(attempt: Attempt, needs: unknown, begun: () => void): Promise<unknown> | null;
  /** Counts a process that died with its attempt; null: that is not what went wrong. */
  noteCrash(attempt: Attempt, error: unknown): CrashNote | null;
}
