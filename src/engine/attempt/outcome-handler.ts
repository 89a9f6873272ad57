// An attempt is over: makes the move that its outcome asks for, on a stage, an item, a condition or a list.

import type { Ending, Failure } from "../../model/outcome.ts";
import { isSkip } from "../../model/outcome.ts";
import { makeFailure } from "../../policy/failure.ts";
import { classifyOutcome, decideStep, type FailedOutcome, type Step } from "./advance.ts";
import type { Attempt } from "./attempt.ts";
import type { AttemptHistory } from "./attempt-history.ts";
import type { RawOutcome } from "./attempt-runner.ts";
import type { CacheHit } from "../cache/cache-hit.ts";
import type { MapConductor } from "../map/map-conductor.ts";
import type { RunCore } from "../run-core.ts";
import type { StageLedger } from "../ledger/stage-ledger.ts";
import { redact } from "../../std/redact.ts";
import { isEnded, type StageRun } from "../stage-run.ts";

/** What the handler asks of the driver. */
export interface OutcomeHost {
  readonly maps: MapConductor;
  readonly mode: "driving" | "failing" | "ending" | "parking" | "over";
  ready(stageRun: StageRun, history: AttemptHistory | null): void;
  after(delayMs: number, callback: () => void): void;
  /** Ends the run; `first` ends the stage or item that asked for it. */
  abortRun(reason: string, first: () => void): void;
}

type Aborted = Extract<RawOutcome, { kind: "aborted" }>;

type Uncached = Exclude<RawOutcome, { kind: "cached" }>;

const CACHED: Ending = Object.freeze({ state: "succeeded", via: "cache" });
const SUCCEEDED: Ending = Object.freeze({ state: "succeeded", via: "run" });

/** Handles outcomes of one run. */
export class OutcomeHandler {
  readonly #core: RunCore;
  readonly #ledger: StageLedger;
  readonly #host: OutcomeHost;

  constructor(core: RunCore, ledger: StageLedger, host: OutcomeHost) {
    this.#core = core;
    this.#ledger = ledger;
    this.#host = host;
  }

  handle(attempt: Attempt, outcome: RawOutcome): void {
    if (outcome.kind === "cached") {
      this.#cached(attempt, outcome.hit);
      return;
    }
    if (attempt.purpose === "run") {
      if (attempt.index < 0) this.#stage(attempt, outcome);
      else this.#item(attempt, outcome);
      return;
    }
    if (isEnded(attempt.stageRun)) return;
    if (outcome.kind === "aborted") this.#abortStage(attempt, outcome);
    else if (outcome.kind === "failed") this.#preludeFailed(attempt, outcome);
    else if (attempt.purpose === "when") this.#asked(attempt, outcome);
    else this.#host.maps.open(attempt, outcome.kind === "succeeded" ? outcome.value : undefined);
  }

  /** The condition was asked. */
  #asked(attempt: Attempt, outcome: Extract<RawOutcome, { kind: "succeeded" | "skipped" }>): void {
    const { stageRun } = attempt;
    const answer = outcome.kind === "succeeded" ? outcome.value : undefined;
    if (isSkip(answer)) {
      this.#ledger.endStage(stageRun, { state: "skipped", reason: redact(answer.reason) });
      return;
    }
    if (answer === true) {
      stageRun.conditionMet = true;
      this.#host.ready(stageRun, null);
      return;
    }
    if (answer === false) {
      this.#ledger.endStage(stageRun, { state: "skipped", reason: "condition" });
      return;
    }
    this.#preludeFailed(attempt, {
      kind: "failed",
      error: new TypeError(`expected true, false or skip(...), got ${typeof answer}`),
    });
  }

  /** A condition or a list that throws fails its own stage and nothing else. */
  #preludeFailed(attempt: Attempt, outcome: FailedOutcome): void {
    const { stageRun } = attempt;
    const { error } = outcome;
    if (attempt.purpose === "over") {
      this.#host.maps.expandFailed(stageRun, error);
      return;
    }
    const classified = classifyOutcome(this.#core, stageRun.definition, outcome);
    const failure = makeFailure({ error, classified, attempts: 0 });
    const message = `the condition (when) of "${stageRun.definition.name}" failed: ${failure.message}`;
    this.#ledger.endStage(stageRun, { state: "failed", failure: { ...failure, message } });
  }

  /** There was no attempt: nothing is counted, timed or retried. */
  #cached({ stageRun, index }: Attempt, hit: CacheHit): void {
    const { map } = stageRun;
    if (index < 0) {
      this.#ledger.keepCached(stageRun, hit);
      this.#ledger.endStage(stageRun, CACHED);
    } else if (map !== null) {
      map.inFlight -= 1;
      map.texts[index] = hit.text;
      map.vias.set(index, "cache");
      map.move(index, "succeeded");
      this.#endItem(stageRun, index, null);
    }
  }

  #stage(attempt: Attempt, outcome: Uncached): void {
    const { stageRun } = attempt;
    switch (outcome.kind) {
      case "succeeded":
        try {
          this.#ledger.keepValue(stageRun, outcome.value);
        } catch (error) {
          this.#stageFailed(attempt, { kind: "failed", error, class: "permanent" });
          return;
        }
        this.#ledger.endStage(stageRun, SUCCEEDED, attempt);
        return;
      case "skipped":
        this.#ledger.endStage(stageRun, { state: "skipped", reason: outcome.reason }, attempt);
        return;
      case "aborted":
        this.#abortStage(attempt, outcome);
        return;
      case "failed":
        this.#stageFailed(attempt, outcome);
    }
  }

  #stageFailed(attempt: Attempt, outcome: FailedOutcome): void {
    const { stageRun } = attempt;
    const step = decideStep(this.#core, attempt, outcome);
    switch (step.kind) {
      case "skip":
        this.#ledger.endStage(stageRun, { state: "skipped", reason: step.reason }, attempt);
        return;
      case "fail": {
        const end = (): void =>
          this.#ledger.endStage(stageRun, { state: "failed", failure: step.failure }, attempt);
        if (step.abortRun === null) end();
        else this.#host.abortRun(step.abortRun, end);
        return;
      }
      case "retry":
        this.#waitStage(attempt, step);
    }
  }

  #waitStage(attempt: Attempt, step: Extract<Step, { kind: "retry" }>): void {
    const { stageRun } = attempt;
    if (!this.#mayGoOn(stageRun)) {
      this.#endUnretried(attempt, step.failure);
      return;
    }
    stageRun.state = "waiting";
    const deferral = step.history.attempts < attempt.attempt;
    if (deferral) stageRun.attempts -= 1;
    const { failure, delayMs, history } = step;
    this.#ledger.noteWait(attempt, { failure, delayMs, history, deferral });
    const sinceMs = this.#core.world.clock.monotonicMs();
    this.#host.after(step.delayMs, () => {
      stageRun.addWait("retry", this.#core.world.clock.monotonicMs() - sinceMs);
      this.#host.ready(stageRun, step.history);
    });
  }

  /** May another attempt of this stage start? */
  #mayGoOn(stageRun: StageRun): boolean {
    const { mode } = this.#host;
    return mode === "driving" || (mode === "failing" && stageRun.isSpared);
  }

  /** No further attempt starts: a drain leaves the stage for the resume, anything else ends it. */
  #endUnretried(attempt: Attempt, failure: Failure): void {
    const { stageRun } = attempt;
    if (this.#host.mode === "parking") {
      stageRun.state = "pending";
      return;
    }
    const reason = this.#host.mode === "failing" ? "fail_fast" : "cancelled";
    this.#ledger.endStage(stageRun, { state: "cancelled", reason, failure }, attempt);
  }

  #abortStage(attempt: Attempt, outcome: Aborted): void {
    const { stageRun } = attempt;
    if (outcome.abort === "fenced" || isEnded(stageRun)) return;
    if (outcome.abort === "shutdown") {
      stageRun.state = "pending";
      this.#takeBackStart(attempt);
      return;
    }
    const reason = attempt.abortReason?.message ?? "cancelled";
    this.#ledger.endStage(stageRun, { state: "cancelled", reason }, attempt);
  }

  /** The start of an isolated attempt was stored; a drain must not look like a crash of it. */
  #takeBackStart(attempt: Attempt): void {
    const { isolation } = this.#core;
    const isStored = isolation !== null && isolation.isActive && attempt.purpose === "run";
    if (!isStored || !attempt.stageRun.definition.idempotent) return;
    this.#ledger.follow(this.#ledger.noteStart(attempt), () => {});
  }

  #item(attempt: Attempt, outcome: Uncached): void {
    const { stageRun, index } = attempt;
    const map = stageRun.map;
    if (map === null) return;
    // A block of it that waits has given its place up already.
    if (attempt.atGate?.isSlotAway !== true) map.inFlight -= 1;
    switch (outcome.kind) {
      case "succeeded":
        try {
          this.#ledger.keepItemValue(stageRun, index, outcome.value);
        } catch (error) {
          this.#itemFailed(attempt, { kind: "failed", error, class: "permanent" });
          return;
        }
        map.move(index, "succeeded");
        this.#endItem(stageRun, index, attempt);
        return;
      case "skipped":
        map.reasons.set(index, outcome.reason);
        map.move(index, "skipped");
        this.#endItem(stageRun, index, attempt);
        return;
      case "aborted":
        this.#abortItem(attempt, outcome);
        return;
      case "failed":
        this.#itemFailed(attempt, outcome);
    }
  }

  #endItem(stageRun: StageRun, index: number, attempt: Attempt | null): void {
    const map = this.#host.maps.find(stageRun.index);
    const version = map?.versionOf(index) ?? null;
    map?.noteEnd(index);
    this.#ledger.endItem(stageRun, index, { attempt, inputVersion: version });
  }

  #itemFailed(attempt: Attempt, outcome: FailedOutcome): void {
    const { stageRun, index } = attempt;
    const map = stageRun.map;
    if (map === null) return;
    const step = decideStep(this.#core, attempt, outcome);
    if (step.kind === "retry" && !map.halted && this.#mayGoOn(stageRun)) {
      this.#waitItem(attempt, step);
      return;
    }
    if (step.kind === "retry" && this.#host.mode === "parking") {
      map.move(index, "pending");
      map.unsettled -= 1;
      return;
    }
    const end = (): void => this.#endFailedItem(attempt, step);
    if (step.kind === "fail" && step.abortRun !== null) this.#host.abortRun(step.abortRun, end);
    else end();
  }

  #endFailedItem(attempt: Attempt, step: Step): void {
    const { stageRun, index } = attempt;
    const map = stageRun.map;
    if (map === null) return;
    if (step.kind === "skip") {
      map.reasons.set(index, step.reason);
      map.move(index, "skipped");
    } else {
      map.failures.set(index, step.failure);
      // With attempts left it has not failed for good; it is only not repeated any more.
      map.move(index, step.kind === "fail" ? "failed" : "cancelled");
      if (step.kind === "fail") this.#core.noteError(stageRun, { failure: step.failure, index });
    }
    this.#endItem(stageRun, index, attempt);
  }

  #waitItem(attempt: Attempt, step: Extract<Step, { kind: "retry" }>): void {
    const { stageRun, index } = attempt;
    const { failure, delayMs, history } = step;
    const map = this.#host.maps.find(stageRun.index);
    map?.noteWait(index, { attempt, failure });
    const deferral = history.attempts < attempt.attempt;
    if (deferral) stageRun.attempts -= 1;
    const inputVersion = map?.versionOf(index) ?? null;
    this.#ledger.noteWait(attempt, { failure, delayMs, history, deferral, inputVersion });
    this.#host.maps.offerMore(stageRun); // it holds no place while it waits
    this.#host.after(delayMs, () => {
      stageRun.addWait("retry", delayMs);
      map?.items.makeTally(index).add("retry", delayMs);
      map?.retryDue(index, history);
    });
  }

  #abortItem(attempt: Attempt, outcome: Aborted): void {
    const { stageRun, index } = attempt;
    const map = stageRun.map;
    if (map === null || outcome.abort === "fenced") return;
    if (outcome.abort === "shutdown") {
      map.move(index, "pending");
      map.unsettled -= 1;
      this.#takeBackStart(attempt);
      return;
    }
    map.reasons.set(index, attempt.abortReason?.message ?? "cancelled");
    map.move(index, "cancelled");
    this.#endItem(stageRun, index, attempt);
  }
}
