// Runs attempts: calls the author's code, checks what it gave, and ends it when its time is up. An attempt is
// `running`, then perhaps `overdue` (aborted, within its grace), then perhaps `stuck` (did not stop), then
// `over`, which it reports exactly once. Nothing else of its stage starts before that: attempts never overlap.

import type { AbortKind } from "../../model/context.ts";
import { MillraceError } from "../../model/errors.ts";
import type { ErrorClass } from "../../model/outcome.ts";
import { isSkip } from "../../model/outcome.ts";
import type { Schema } from "../../model/schema.ts";
import { redact } from "../../std/redact.ts";
import { nextLimit } from "../../policy/timeout.ts";
import type { Attempt } from "./attempt.ts";
import type { CacheHit } from "../cache/cache-hit.ts";
import { runCommandStage } from "./command-stage.ts";
import { runThreadStage } from "./thread-stage.ts";
import { recordResult } from "./record-result.ts";
import type { RunCore } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";
import { Verification } from "./verify.ts";

/** How an attempt ended, before anything is decided about it. */
export type RawOutcome =
  | { readonly kind: "succeeded"; readonly value: unknown }
  | { readonly kind: "skipped"; readonly reason: string }
  /** Its result was in the cache: its code was not called. */
  | { readonly kind: "cached"; readonly hit: CacheHit }
  | {
      readonly kind: "failed";
      readonly error: unknown;
      readonly class?: ErrorClass;
      readonly stuck?: boolean;
    }
  /** Ended because the run wanted it to: cancelled, draining, no longer needed. */
  | { readonly kind: "aborted"; readonly abort: AbortKind };

/** What the runner reports to. */
export type OutcomeListener = (attempt: Attempt, outcome: RawOutcome) => void;

/** Runs the attempts of one run. */
export class AttemptRunner {
  /** Attempts whose code may still be working, for aborts and for the worker's beat. */
  readonly running: Set<Attempt> = new Set();
  readonly #core: RunCore;
  readonly #report: OutcomeListener;
  readonly #verification: Verification;
  #runDeadlineMs: number | null = null;
  /** True once the run itself ends: then nothing is waited for longer than its grace. */
  #isEnding: boolean = false;

  constructor(core: RunCore, report: OutcomeListener) {
    this.#core = core;
    this.#report = report;
    this.#verification = new Verification(core.world.files);
  }

  /** Monotonic ms when every attempt of the run must be over. */
  set runDeadlineMs(atMs: number | null) {
    this.#runDeadlineMs = atMs;
  }

  /** Calls the author's code with `needs` (and the item, in a map). */
  start(attempt: Attempt, needs: unknown): void {
    const stage = attempt.stageRun.definition;
    const nowMs = this.#core.world.clock.monotonicMs();
    attempt.startedMs = nowMs;
    if (attempt.stageRun.startedMs < 0) attempt.stageRun.startedMs = nowMs;
    this.running.add(attempt);
    const { timeoutMs, deadlineMs } = stage;
    if (timeoutMs !== null || deadlineMs !== null) this.#armLimit(attempt, timeoutMs);
    if (attempt.purpose === "run" && stage.verify !== null && "files" in stage.verify) {
      this.#verification.note(attempt, stage.verify).then(
        () => this.#call(attempt, needs),
        (error: unknown) => this.#failed(attempt, error),
      );
      return;
    }
    this.#call(attempt, needs);
  }

  #call(attempt: Attempt, needs: unknown): void {
    if (attempt.phase !== "running") {
      this.#endLate(attempt, null); // aborted while it was prepared: its code is not called
      return;
    }
    let result: unknown;
    let isPromised: boolean;
    try {
      const { around } = this.#core;
      result =
        around === null
          ? this.#invoke(attempt, needs)
          : around(attempt, () => this.#invoke(attempt, needs));
      isPromised = isThenable(result);
    } catch (error) {
      this.#failed(attempt, error);
      return;
    }
    if (!isPromised) {
      this.#returned(attempt, result);
      return;
    }
    // A real promise stays itself; around anything else one stands, which settles once and never throws.
    Promise.resolve(result).then(
      (value) => this.#returned(attempt, value),
      (error: unknown) => this.#failed(attempt, error),
    );
  }

  #invoke(attempt: Attempt, needs: unknown): unknown {
    const { stageRun, index, purpose } = attempt;
    const { run, command, when, map, runIn } = stageRun.definition;
    if (purpose === "when") return when?.(needs, attempt);
    if (purpose === "over")
      return map?.over.kind === "function" ? map.over.make(needs, attempt) : [];
    if (command !== null) return runCommandStage(this.#core, attempt, needs);
    if (run === null) return undefined;
    const { isolation } = this.#core;
    const isolated =
      isolation === null ? null : isolation.call(attempt, needs, () => this.#begin(attempt));
    if (isolated !== null) return this.#awaitBegin(attempt, isolated);
    if (runIn === "thread") {
      const threaded = runThreadStage(this.#core, attempt, {
        needs,
        begun: () => this.#begin(attempt),
      });
      return this.#awaitBegin(attempt, threaded);
    }
    return index >= 0 ? run(stageRun.map?.items[index], needs, attempt) : run(needs, attempt);
  }

  /** Its timeout counts from when its code is called: its process is only being started, or it waits for a thread.
   *  A deadline counts all the while. */
  #awaitBegin(attempt: Attempt, result: Promise<unknown>): Promise<unknown> {
    attempt.timer?.cancel();
    attempt.timer = null;
    if (attempt.stageRun.definition.deadlineMs !== null) this.#armLimit(attempt, null);
    return result;
  }

  /** The code of an attempt that is made apart is called now. */
  #begin(attempt: Attempt): void {
    if (attempt.phase !== "running") return;
    attempt.timer?.cancel();
    attempt.startedMs = this.#core.world.clock.monotonicMs();
    const { timeoutMs, deadlineMs } = attempt.stageRun.definition;
    if (timeoutMs !== null || deadlineMs !== null) this.#armLimit(attempt, timeoutMs);
  }

  #returned(attempt: Attempt, value: unknown): void {
    const { output, verify } = attempt.stageRun.definition;
    const isChecked = output === null && verify === null;
    if (attempt.phase !== "running") {
      // Of a condition or a list nothing is kept: what would follow it does not start any more.
      const isResult = attempt.purpose === "run" && isChecked && !isSkip(value);
      this.#endLate(attempt, isResult ? { value } : null);
      return;
    }
    if (attempt.purpose !== "run") {
      this.#end(attempt, { kind: "succeeded", value });
      return;
    }
    if (isSkip(value)) {
      this.#end(attempt, { kind: "skipped", reason: redact(value.reason) });
      return;
    }
    if (isChecked) {
      this.#end(attempt, { kind: "succeeded", value });
      return;
    }
    this.#check(attempt, value).then(
      (checked) => {
        if (attempt.phase === "running") this.#end(attempt, { kind: "succeeded", value: checked });
        else this.#endLate(attempt, { value: checked });
      },
      (error: unknown) => this.#failed(attempt, error),
    );
  }

  async #check(attempt: Attempt, value: unknown): Promise<unknown> {
    const { output, verify, name } = attempt.stageRun.definition;
    const checked = output === null ? value : await checkOutput(output, value, name);
    if (verify !== null) await this.#verification.check(attempt, verify, checked);
    return checked;
  }

  #failed(attempt: Attempt, error: unknown): void {
    if (attempt.phase !== "running" || attempt.abortKind !== null) this.#endLate(attempt, null);
    else this.#end(attempt, { kind: "failed", error });
  }

  /** The code of an aborted attempt has stopped. `given`: a result that needs no further check. */
  #endLate(attempt: Attempt, given: { readonly value: unknown } | null): void {
    const { abortKind, abortReason } = attempt;
    if (abortKind === null) return;
    if (abortKind === "timeout" || abortKind === "deadline") {
      this.#end(attempt, { kind: "failed", error: abortReason, class: abortKind });
      return;
    }
    // Finished work is kept: whoever resumes need not do it again.
    this.#end(
      attempt,
      given === null
        ? { kind: "aborted", abort: abortKind }
        : { kind: "succeeded", value: given.value },
    );
  }

  #end(attempt: Attempt, outcome: RawOutcome): void {
    if (attempt.phase === "over") return;
    if (outcome.kind === "succeeded") recordResult(this.#core, attempt, outcome.value);
    attempt.phase = "over";
    if (attempt.timer !== null) {
      attempt.timer.cancel();
      attempt.timer = null;
    }
    this.running.delete(attempt);
    this.#report(attempt, outcome);
  }

  /** @param timeoutMs From `startedMs` on; null: only the deadlines count. */
  #armLimit(attempt: Attempt, timeoutMs: number | null): void {
    const { deadlineMs, name } = attempt.stageRun.definition;
    const limit = nextLimit({
      timeoutMs,
      deadlineAtMs: deadlineMs === null ? null : attempt.readyMs + deadlineMs,
      runDeadlineAtMs: this.#runDeadlineMs,
      nowMs: attempt.startedMs,
    });
    if (limit === null) return;
    const leftMs = Math.max(0, limit.atMs - attempt.startedMs);
    const text =
      limit.kind === "timeout"
        ? `"${name}" did not finish within its timeout of ${timeoutMs} ms`
        : `"${name}" did not finish before its deadline`;
    attempt.timer = this.#core.world.clock.setTimer(leftMs, () =>
      this.abort(attempt, limit.kind, text),
    );
  }

  /** Aborts an attempt: its signal fires, it has the grace to stop, then it counts as stuck. */
  abort(attempt: Attempt, kind: AbortKind, message: string): void {
    if (attempt.phase !== "running") return;
    attempt.phase = "overdue";
    attempt.timer?.cancel();
    attempt.timer = this.#core.world.clock.setTimer(this.#core.world.graceMs, () =>
      this.#giveUp(attempt),
    );
    attempt.abort(kind, message);
  }

  /** True while code of this stage may be working. */
  isWorkingOn(stageRun: StageRun): boolean {
    for (const attempt of this.running) if (attempt.stageRun === stageRun) return true;
    return false;
  }

  /** Aborts everything that runs. */
  abortAll(kind: AbortKind, message: string): void {
    this.#isEnding = true;
    for (const attempt of this.running) {
      if (attempt.phase === "stuck") this.#endStuck(attempt);
      else this.abort(attempt, kind, message);
    }
  }

  /** After the grace: work that the run no longer wants is let go; a timed-out one keeps its slot for a while,
   *  because its next attempt must not run beside it. */
  #giveUp(attempt: Attempt): void {
    const kind = attempt.abortKind;
    if (kind !== null && kind !== "timeout" && kind !== "deadline") {
      this.#end(attempt, { kind: "aborted", abort: kind });
      return;
    }
    attempt.phase = "stuck";
    if (this.#isEnding) {
      this.#endStuck(attempt);
      return;
    }
    const { clock, stuckMs } = this.#core.world;
    attempt.timer = clock.setTimer(stuckMs, () => this.#endStuck(attempt));
  }

  #endStuck(attempt: Attempt): void {
    const { stuck } = this.#core.world;
    if (stuck !== undefined) stuck.count += 1;
    const kind = attempt.abortKind === "deadline" ? "deadline" : "timeout";
    this.#end(attempt, { kind: "failed", error: attempt.abortReason, class: kind, stuck: true });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

async function checkOutput(schema: Schema, value: unknown, stage: string): Promise<unknown> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return result.value;
  const list = result.issues.slice(0, 5).map((issue) => {
    const path = (issue.path ?? []).map((part) =>
      String(typeof part === "object" ? part.key : part),
    );
    return path.length === 0 ? issue.message : `${path.join(".")}: ${issue.message}`;
  });
  throw new OutputMismatch(
    `the output of "${stage}" does not match its schema: ${list.join("; ")}`,
  );
}

/** A result that is not what the stage promised. Permanent: the same code gives the same shape again. */
class OutputMismatch extends MillraceError {
  readonly millraceClass = "permanent" as const;
  constructor(message: string) {
    super("INPUT_INVALID", message, { hint: "mend the stage, or its `output` schema" });
  }
}
