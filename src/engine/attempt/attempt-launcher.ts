// Brings an attempt from "its turn has come" to "its code runs": gathers its needs, says that it starts, and where
// a repetition could do harm has the start stored first.

import { AbortReason, type AbortKind } from "../../model/context.ts";
import { Attempt, type AttemptPlace } from "./attempt.ts";
import type { AttemptRunner, RawOutcome } from "./attempt-runner.ts";
import type { CacheHit } from "../cache/cache-hit.ts";
import type { StageCache } from "../cache/stage-cache.ts";
import type { Admissions, Admitted } from "../limits/admissions.ts";
import { gatherNeeds } from "../needs.ts";
import type { RunCore } from "../run-core.ts";
import { isEnded, type StageRun } from "../stage-run.ts";

/** What a launcher asks of the driver. */
export interface LaunchHost {
  /** Its admissions are made when they are first asked. */
  readonly gate: { readonly admissions: Admissions };
  /** Null where no stage of the run has a cache. */
  readonly cache: StageCache | null;
  /** True when nothing may start any more; then `abortKind` says why. */
  isQuiet(): boolean;
  abortKind(): AbortKind;
  noteStart(attempt: Attempt): Promise<void>;
  ended(attempt: Attempt, outcome: RawOutcome): void;
  /** It has its resources and begins. */
  admitted(attempt: Attempt): void;
  /** It waits for a resource: its slot is free, and it comes back with `readmit`. */
  heldBack(attempt: Attempt): void;
  failed(error: unknown): void;
}

/** Launches the attempts of one run. */
export class AttemptLauncher {
  /** Attempts that are being prepared: they hold a slot, their code does not run yet. */
  preparing: number = 0;
  readonly #core: RunCore;
  readonly #runner: AttemptRunner;
  readonly #host: LaunchHost;

  constructor(core: RunCore, runner: AttemptRunner, host: LaunchHost) {
    this.#core = core;
    this.#runner = runner;
    this.#host = host;
  }

  makeAttempt(stageRun: StageRun, place: AttemptPlace): Attempt {
    return new Attempt(this.#core, stageRun, place);
  }

  /** Gathers needs, then runs, unless the result is in the cache. */
  launch(attempt: Attempt): void {
    const { cache } = this.#host;
    const definition = attempt.stageRun.definition;
    const asked =
      cache === null ? null : cache.ask(attempt, () => gatherNeeds(this.#core, definition));
    if (asked === null) this.#gather(attempt);
    else this.#await(attempt, asked, () => this.#gather(attempt));
  }

  /** Runs an item's attempt with the needs of its map, unless its result is in the cache. */
  launchItem(attempt: Attempt, needs: unknown): void {
    const { cache } = this.#host;
    const asked = cache === null ? null : cache.ask(attempt, () => needs);
    if (asked === null) this.#run(attempt, needs);
    else this.#await(attempt, asked, () => this.#run(attempt, needs));
  }

  /** The slot is held meanwhile: so many look at once as may work at once. */
  #await(attempt: Attempt, asked: Promise<CacheHit | null>, goOn: () => void): void {
    this.preparing += 1;
    const found = (hit: CacheHit | null): void => {
      this.preparing -= 1;
      if (hit === null || this.#isUnwanted(attempt.stageRun)) goOn();
      else this.#host.ended(attempt, { kind: "cached", hit });
    };
    asked.then(found).catch((error: unknown) => this.#host.failed(error));
  }

  /** Needs are a promise only when something must be loaded. */
  #gather(attempt: Attempt): void {
    const { stageRun } = attempt;
    let needs: unknown;
    try {
      needs = gatherNeeds(this.#core, stageRun.definition);
    } catch (error) {
      this.#host.ended(attempt, { kind: "failed", error });
      return;
    }
    if (needs instanceof Promise) this.#prepare(attempt, needs);
    else this.#run(attempt, needs);
  }

  #prepare(attempt: Attempt, work: Promise<unknown>): void {
    this.preparing += 1;
    work.then(
      (needs) => {
        this.preparing -= 1;
        this.#run(attempt, needs);
      },
      (error: unknown) => {
        this.preparing -= 1;
        this.#host.ended(attempt, { kind: "failed", error });
      },
    );
  }

  /** Runs an attempt whose needs are there. */
  #run(attempt: Attempt, needs: unknown): void {
    const { stageRun, purpose } = attempt;
    if (this.#isUnwanted(stageRun)) {
      this.#host.ended(attempt, { kind: "aborted", abort: this.#host.abortKind() });
      return;
    }
    if (stageRun.definition.deadlineMs !== null && this.#isLate(attempt)) {
      const late = new AbortReason(
        "deadline",
        `"${attempt.stage}" did not finish before its deadline`,
      );
      this.#host.ended(attempt, { kind: "failed", error: late, class: "deadline" });
      return;
    }
    if (purpose === "over") {
      attempt.needs = needs;
      stageRun.startedMs = this.#core.world.clock.monotonicMs();
      if (stageRun.definition.map?.over.kind !== "function") {
        this.#host.ended(attempt, { kind: "succeeded", value: undefined });
        return;
      }
    }
    if (purpose !== "run") this.#runner.start(attempt, needs);
    else if (stageRun.definition.uses === null) this.#begin(attempt, needs);
    else this.readmit(attempt, needs);
  }

  /** Asks for the resources of an attempt whose needs are there; then it begins, or waits. The slot is taken. */
  readmit(attempt: Attempt, needs: unknown): void {
    let asked: ReturnType<Admissions["admit"]>;
    try {
      asked = this.#host.gate.admissions.admit(attempt, needs);
    } catch (error) {
      this.#host.ended(attempt, { kind: "failed", error, class: "permanent" });
      return;
    }
    if (!(asked instanceof Promise)) return this.#admitted(attempt, needs, asked);
    this.preparing += 1;
    asked.then(
      (answer) => {
        this.preparing -= 1;
        this.#admitted(attempt, needs, answer);
      },
      (error: unknown) => this.#host.failed(error),
    );
  }

  #admitted(attempt: Attempt, needs: unknown, answer: Admitted): void {
    if (answer.kind === "refused") {
      this.#host.ended(attempt, { kind: "failed", error: answer.error, class: answer.class });
    } else if (this.#isUnwanted(attempt.stageRun)) {
      this.#host.gate.admissions.leave(attempt);
      this.#host.ended(attempt, { kind: "aborted", abort: this.#host.abortKind() });
    } else if (answer.kind === "waiting") {
      attempt.needs = needs;
      this.#host.heldBack(attempt);
    } else {
      this.#host.admitted(attempt);
      this.#begin(attempt, needs);
    }
  }

  #begin(attempt: Attempt, needs: unknown): void {
    const { stageRun, index } = attempt;
    if (index < 0) {
      stageRun.state = "running";
      stageRun.attempts = attempt.attempt;
    } else stageRun.attempts += 1;
    if (this.#core.sink !== null) {
      const address = attempt.address();
      if (index < 0) this.#core.tell({ type: "stage.started", ...address });
      else this.#core.tell({ type: "item.started", ...address, data: { index } });
    }
    if (this.#core.journal === null || !this.#core.isStartStored(stageRun))
      this.#runner.start(attempt, needs);
    else this.#startRecorded(attempt, needs);
  }

  /** Nothing may start any more, or the stage was ended while its attempt was being prepared. */
  #isUnwanted(stageRun: StageRun): boolean {
    return this.#host.isQuiet() || isEnded(stageRun);
  }

  #isLate({ stageRun, readyMs }: Attempt): boolean {
    const deadlineMs = stageRun.definition.deadlineMs ?? Infinity;
    return this.#core.world.clock.monotonicMs() >= readyMs + deadlineMs;
  }

  /** The start is durable before the author's code runs. */
  #startRecorded(attempt: Attempt, needs: unknown): void {
    this.preparing += 1;
    this.#host.noteStart(attempt).then(
      () => {
        this.preparing -= 1;
        if (this.#isUnwanted(attempt.stageRun)) {
          this.#host.ended(attempt, { kind: "aborted", abort: this.#host.abortKind() });
        } else this.#runner.start(attempt, needs);
      },
      (error: unknown) => this.#host.failed(error),
    );
  }
}
