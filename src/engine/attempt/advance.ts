// After an attempt: what follows. Asks policy and gives one answer; the driver makes the move.

import type { StageDefinition } from "../../model/definition.ts";
import type { Failure } from "../../model/outcome.ts";
import { classifyError, decideClass, type Classified } from "../../policy/classify/classify.ts";
import { makeFailure, messageOf } from "../../policy/failure.ts";
import { decideRetry, type RetryDecision } from "../../policy/retry.ts";
import type { Attempt } from "./attempt.ts";
import type { RawOutcome } from "./attempt-runner.ts";
import type { CrashNote } from "../executors/isolated/isolation.ts";
import type { RunCore } from "../run-core.ts";
import { newHistory, type AttemptHistory } from "./attempt-history.ts";

/** What follows an attempt that failed. */
export type Step =
  | {
      readonly kind: "retry";
      readonly delayMs: number;
      readonly history: AttemptHistory;
      readonly failure: Failure;
    }
  | { readonly kind: "fail"; readonly failure: Failure; readonly abortRun: string | null }
  | { readonly kind: "skip"; readonly reason: string };

/** An attempt that failed, before anything is decided about it. */
export type FailedOutcome = Extract<RawOutcome, { kind: "failed" }>;

/** Decides what follows a failed attempt. */
export function decideStep(core: RunCore, attempt: Attempt, outcome: FailedOutcome): Step {
  const stage = attempt.stageRun.definition;
  const classified = classifyOutcome(core, stage, outcome);
  const crash = core.isolation === null ? null : core.isolation.noteCrash(attempt, outcome.error);
  const history = noteFailure(attempt, outcome.error);
  const failure = makeFailure({
    error: outcome.error,
    classified,
    // One whose code was never called is no attempt.
    attempts: attempt.startedMs < 0 ? attempt.attempt - 1 : attempt.attempt,
    first: { message: history.firstMessage },
    distinct: history.distinct,
  });
  if (attempt.atGate !== null) {
    const { hintMs = null, resetMs = null } = classified;
    attempt.atGate.failed = {
      kind: "failed",
      failure: { ...failure, error: outcome.error },
      hintMs,
      resetMs,
    };
  }
  // A stuck attempt may still be working: another one beside it could do the work twice.
  if (outcome.stuck === true) return { kind: "fail", failure, abortRun: null };
  const decision = decideRetry({
    policy: stage.retry,
    classified,
    error: outcome.error,
    attempt: history.attempts,
    deferrals: history.deferrals,
    deferredMs: history.deferredMs,
    previousDelayMs: history.previousDelayMs,
    ...(crash === null ? {} : { crashes: crash.crashes }),
    onceUsed: history.onceUsed,
    noRetry: core.settings.noRetry ?? false,
    idempotent: stage.idempotent,
    nowMs: core.world.clock.monotonicMs(),
    deadlineAtMs: earliest(
      stage.deadlineMs === null ? null : history.readySince + stage.deadlineMs,
      core.deadlineAtMs,
    ),
    random: core.world.random,
  });
  tellFaults(core, attempt, { hookFault: classified.hookFault, ruleFaults: decision.ruleFaults });
  const step = toStep(decision, { failure, history, once: classified.retry === "once" });
  return crash === null ? step : toCrashStep(step, crash);
}

/** What the counts of crashes make of a step. */
function toCrashStep(step: Step, { failure, abortRun }: CrashNote): Step {
  if (abortRun !== null) return { kind: "fail", failure, abortRun };
  const isPoison = step.kind === "fail" && step.failure.class === "poison";
  return isPoison ? { ...step, failure } : step;
}

/** A wait that reaches either deadline is no wait: the attempt fails now. */
function earliest(ofStage: number | null, ofRun: number | null): number | null {
  if (ofStage === null || ofRun === null) return ofStage ?? ofRun;
  return Math.min(ofStage, ofRun);
}

/** What kind of failure it was. A class that the engine gave itself goes first. */
export function classifyOutcome(
  core: RunCore,
  stage: StageDefinition,
  outcome: FailedOutcome,
): Classified {
  if (outcome.class === undefined) {
    return classifyError(outcome.error, stage.classify, core.world.clock.wallMs());
  }
  return { class: outcome.class, retry: decideClass(outcome.class) };
}

/** Counts the failure into what the next attempt will know. */
function noteFailure(attempt: Attempt, error: unknown): AttemptHistory {
  const message = messageOf(error);
  const before = attempt.history;
  if (before === null) {
    const deferrals = attempt.atGate?.deferrals ?? 0;
    const { attempt: attempts, readyMs: readySince } = attempt;
    return newHistory({ attempts, message, deferrals, readySince });
  }
  // It was deferred until now, and has failed for the first time.
  if (before.attempts === 0 && before.failure === null) {
    before.firstMessage = message;
    before.lastMessage = message;
  }
  before.attempts = attempt.attempt;
  if (before.lastMessage !== message) before.distinct += 1;
  before.lastMessage = message;
  return before;
}

interface Faults {
  readonly hookFault: string | undefined;
  readonly ruleFaults: number | undefined;
}

/** What of the author's own threw while it was asked about a failure: nothing follows from it but this. */
function tellFaults(core: RunCore, attempt: Attempt, { hookFault, ruleFaults }: Faults): void {
  const tell = (message: string): void =>
    void core.fact({ type: "stage.rule_failed", ...attempt.address(), data: { message } });
  if (hookFault !== undefined) {
    tell(`classify threw while it was asked and counts as silent: ${hookFault}`);
  }
  if (ruleFaults === undefined) return;
  const rules = ruleFaults === 1 ? "1 retry rule" : `${ruleFaults} retry rules`;
  tell(`${rules} threw while being asked; a rule that throws counts as no match`);
}

interface StepParts {
  readonly failure: Failure;
  readonly history: AttemptHistory;
  readonly once: boolean;
}

function toStep(decision: RetryDecision, parts: StepParts): Step {
  const { failure, history, once } = parts;
  switch (decision.kind) {
    case "skip":
      return { kind: "skip", reason: decision.reason };
    case "abort-run":
      return { kind: "fail", failure, abortRun: decision.reason };
    case "fail": {
      const named =
        decision.classAs === undefined ? failure : { ...failure, class: decision.classAs };
      return { kind: "fail", failure: named, abortRun: null };
    }
    case "retry":
      history.previousDelayMs = decision.delayMs;
      history.failure = failure;
      if (once) history.onceUsed = true;
      if (decision.deferral) {
        history.deferrals += 1;
        history.deferredMs += decision.delayMs;
        history.attempts -= 1; // a deferral costs no attempt
      }
      return { kind: "retry", delayMs: decision.delayMs, history, failure };
  }
}
