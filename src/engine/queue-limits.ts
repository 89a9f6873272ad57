// How long a stage may stand in line for a slot: its `queueTimeout`, anew for every attempt, and what is left of
// its `deadline`. One that waits longer fails without being called. Items stand in the line of their map.

import { AbortReason } from "../model/context.ts";
import type { Failure } from "../model/outcome.ts";
import { makeFailure } from "../policy/failure.ts";
import { nextLimit } from "../policy/timeout.ts";
import type { Timer } from "../std/clock.ts";
import type { RunCore } from "./run-core.ts";
import type { RunTimers } from "./run-timers.ts";
import { isEnded, type StageRun } from "./stage-run.ts";

/** Ends a stage that waited too long. */
export type QueueFailure = (stageRun: StageRun, failure: Failure) => void;

/** The line of one run. */
export class QueueLimits {
  readonly #core: RunCore;
  readonly #timers: RunTimers;
  readonly #fail: QueueFailure;
  /** By position; made for the first stage that has a limit. */
  #waiting: Map<number, Timer> | null = null;

  constructor(core: RunCore, timers: RunTimers, fail: QueueFailure) {
    this.#core = core;
    this.#timers = timers;
    this.#fail = fail;
  }

  /** A stage gets in line for its next attempt. */
  enter(stageRun: StageRun): void {
    const { queueTimeoutMs, deadlineMs } = stageRun.definition;
    if (queueTimeoutMs === null && deadlineMs === null) return;
    this.leave(stageRun);
    const nowMs = this.#core.world.clock.monotonicMs();
    const readyMs = stageRun.history?.readySince ?? stageRun.readyMs;
    const limit = nextLimit({
      timeoutMs: queueTimeoutMs,
      deadlineAtMs: deadlineMs === null ? null : readyMs + deadlineMs,
      runDeadlineAtMs: null,
      nowMs,
    });
    if (limit === null) return;
    const timer = this.#timers.after(limit.atMs - nowMs, () => {
      this.#waiting?.delete(stageRun.index);
      if (!isEnded(stageRun)) this.#fail(stageRun, toFailure(stageRun, limit.kind));
    });
    this.#waiting ??= new Map();
    this.#waiting.set(stageRun.index, timer);
  }

  /** Its turn has come. */
  leave(stageRun: StageRun): void {
    const timer = this.#waiting?.get(stageRun.index);
    if (timer === undefined) return;
    this.#waiting?.delete(stageRun.index);
    this.#timers.cancel(timer);
  }
}

function toFailure(stageRun: StageRun, kind: "timeout" | "deadline"): Failure {
  const { history } = stageRun;
  const { name, queueTimeoutMs } = stageRun.definition;
  const message =
    kind === "timeout"
      ? `"${name}" waited ${queueTimeoutMs} ms for a slot, as long as its queueTimeout allows`
      : `"${name}" did not finish before its deadline`;
  return makeFailure({
    error: new AbortReason(kind, message),
    classified: { class: kind },
    attempts: history?.attempts ?? 0,
    first: history === null ? undefined : { message: history.firstMessage },
  });
}
