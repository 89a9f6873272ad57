// A breaker around any block of code, for one process. Closed it lets calls go; open it fails them at once; half open
// it lets a few probes go. Modes, moves and what counts as a failure are those of `policy/breaker`; here are the calls,
// the time, and who is told. A call that succeeds while nothing is wrong is only counted, which is most of them.

import { MillraceError } from "../../model/errors.ts";
import type { BreakerDeclared, BreakerOptions } from "../../model/resource/resource.ts";
import {
  askBreaker,
  findOverride,
  newBreaker,
  probePermitMs,
  type BreakerAnswer,
  type BreakerState,
} from "../../policy/breaker/breaker.ts";
import { countsSince, newCounts, type BreakerCounts } from "../../policy/breaker/breaker-counts.ts";
import { breakerOutcome, type CallOutcome } from "../../policy/breaker/breaker-outcome.ts";
import { resetBreaker, tripBreaker } from "../../policy/breaker/override-breaker.ts";
import { recordCall } from "../../policy/breaker/record-call.ts";
import { classifyError } from "../../policy/classify/classify.ts";
import type { ClassifyHook } from "../../policy/classify/classify-hook.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import { formatDuration, type Duration } from "../../std/duration.ts";
import { systemRandom, type Random } from "../../std/random.ts";
import { checkOptions, readDurationMs, readName, readPart } from "./read-options.ts";
import { tell } from "./tell.ts";

/** What a breaker is made of; its numbers are those of a resource's breaker. */
export interface BreakerSettings extends Omit<BreakerOptions, "whenOpen"> {
  /** Told in its errors and changes. Default "breaker". */
  readonly name?: string;
  /** Names a class of what only you know; undefined leaves it to the table. */
  readonly classify?: ClassifyHook;
  /** Hears of every change of state; one that fails harms nobody. */
  readonly onChange?: (change: BreakerChange) => unknown;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the machine's. Spreads every opening but the first. */
  readonly random?: Random;
}

/** The three states. */
export type BreakerStateName = BreakerState["state"];

/** A change of state. */
export interface BreakerChange {
  /** Its name. */
  readonly breaker: string;
  readonly from: BreakerStateName;
  readonly to: BreakerStateName;
  /** `breaker`: it moved by itself. `program`: `trip` or `reset` was called. */
  readonly actor: "breaker" | "program";
  readonly reason: string;
  /** When it may change again, UTC ms; null: nobody knows. */
  readonly untilMs: number | null;
}

/** Figures of a breaker. */
export interface BreakerStats {
  readonly state: BreakerStateName;
  /** Counted failures in a row; while it is open, those that opened it. */
  readonly failures: number;
  readonly threshold: number;
  readonly recoveryMs: number;
  /** Null: none yet. UTC ms. */
  readonly lastFailureAtMs: number | null;
  /** How long it has been in its state, ms. */
  readonly inStateMs: number;
  /** When it lets a probe go, UTC ms; null: it is not open. */
  readonly untilMs: number | null;
  /** Since it was made. `calls`: ended; `refused`: not let go. */
  readonly totals: {
    readonly calls: number;
    readonly successes: number;
    readonly failures: number;
    readonly refused: number;
  };
}

/** How to open a breaker by hand. */
export interface TripOptions {
  /** Told to whoever is refused. Default "tripped". */
  readonly reason?: string;
  /** How long it stays open; then it is probed. Default: its `recovery`. */
  readonly for?: Duration;
}

/** Not those of a resource that say what becomes of who waits, or of keys. */
const OPTIONS: readonly string[] = [
  "threshold",
  "recovery",
  "ratio",
  "probes",
  "successes",
  "exclude",
  "name",
  "classify",
  "onChange",
  "clock",
  "random",
];

interface Probe {
  readonly expiresAtMs: number;
}

/** Makes a breaker. OPTION_INVALID tells every impossible number. */
export function breaker(settings: BreakerSettings = {}): Breaker {
  return new Breaker(settings);
}

/** A breaker; made by `breaker(settings)`. */
export class Breaker {
  /** As in its errors. */
  readonly name: string;
  readonly #terms: BreakerDeclared;
  readonly #settings: BreakerSettings;
  readonly #clock: Clock;
  /** All its times are monotonic ms: a wall clock that jumps neither opens nor closes it. */
  #state: BreakerState;
  #counts: BreakerCounts = newCounts();
  /** Calls that succeeded while nothing was wrong, and are not in the counts yet. */
  #plainSuccesses: number = 0;
  /** True: closed, no failure in a row, no override, no window: a success changes nothing but totals. */
  #isPlain: boolean = false;
  #refused: number = 0;
  readonly #probes: Set<Probe> = new Set();
  /** What `trip` said. */
  #reason: string = "";

  constructor(settings: BreakerSettings) {
    checkOptions("A breaker", settings, OPTIONS);
    const { name, classify, onChange, clock = systemClock, random, ...numbers } = settings;
    this.name = readName(name, "breaker");
    const { terms, hooks } = readPart("breaker", this.name, numbers);
    if (terms.breaker === null) throw new TypeError("A breaker was read without terms.");
    this.#terms = terms.breaker;
    this.#settings = {
      exclude: hooks.exclude,
      ...(classify === undefined ? {} : { classify }),
      ...(onChange === undefined ? {} : { onChange }),
      ...(random === undefined ? {} : { random }),
    };
    this.#clock = clock;
    this.#state = newBreaker(clock.monotonicMs());
    this.#settle();
  }

  /** `open` only while calls are refused: once the opening is over it reads `half_open`, as the next call is a probe. */
  get state(): BreakerStateName {
    const { state } = this.#state;
    return state === "open" && this.#openUntilMs() <= this.#clock.monotonicMs()
      ? "half_open"
      : state;
  }

  /**
   * Calls `work` and answers as it does, or rejects with BREAKER_OPEN without calling it. A failure counts by its
   * class: what proves the other side alive (404) is a success, what says nothing about it (a bug, an abort, 401, 429)
   * does not count.
   */
  async run<T>(work: () => T | PromiseLike<T>): Promise<T> {
    const probe = this.#isPlain ? null : this.#admit();
    const { generation } = this.#state;
    let value: T;
    try {
      value = await work();
    } catch (error) {
      this.#failed(error, { generation, probe });
      throw error;
    }
    if (this.#isPlain && probe === null) this.#plainSuccesses += 1;
    else this.#record("success", { generation, probe }, null);
    return value;
  }

  /** Opens it by hand, for whatever calls; failures of calls that are under way no longer count. */
  trip(options: TripOptions = {}): void {
    const { reason = "tripped", for: lasts } = options;
    const nowMs = this.#clock.monotonicMs();
    const openMs = lasts === undefined ? this.#terms.recoveryMs : readDurationMs("for", lasts, 1);
    this.#reason = reason;
    const override = { reason, actor: "program", untilMs: nowMs + openMs };
    this.#move(tripBreaker(this.#state, override, nowMs), { actor: "program", reason });
  }

  /** As new: closed, without the openings before. Totals stay. */
  reset(reason: string = "reset"): void {
    this.#move(resetBreaker(this.#state, this.#clock.monotonicMs()), { actor: "program", reason });
  }

  /** Its figures now. */
  stats(): BreakerStats {
    const counts = this.#countsNow();
    const nowMs = this.#clock.monotonicMs();
    const { lastFailureAtMs } = counts;
    return {
      state: this.state,
      failures: counts.failuresInARow,
      threshold: this.#terms.threshold,
      recoveryMs: this.#terms.recoveryMs,
      lastFailureAtMs: lastFailureAtMs === null ? null : this.#toWall(lastFailureAtMs),
      inStateMs: nowMs - this.#state.sinceMs,
      untilMs: this.state === "open" ? this.#toWall(this.#openUntilMs()) : null,
      totals: {
        calls: counts.calls,
        successes: counts.successes,
        failures: counts.failures,
        refused: this.#refused,
      },
    };
  }

  /** Lets a call go, and says whether as a probe; throws BREAKER_OPEN. */
  #admit(): Probe | null {
    const nowMs = this.#clock.monotonicMs();
    for (const probe of this.#probes) if (probe.expiresAtMs <= nowMs) this.#probes.delete(probe);
    const probesHeld = this.#probes.size;
    const answer = askBreaker(this.#terms, this.#state, { nowMs, probesHeld });
    this.#move(answer.state, { actor: "breaker", reason: "the opening is over" });
    if (!answer.pass) {
      this.#refused += 1;
      throw this.#refusal(answer, nowMs);
    }
    if (!answer.probe) return null;
    const probe = { expiresAtMs: nowMs + probePermitMs(null) };
    this.#probes.add(probe);
    return probe;
  }

  #failed(error: unknown, call: PendingCall): void {
    const { classify, exclude } = this.#settings;
    const found = classifyError(error, classify, this.#clock.wallMs());
    const failure = {
      class: found.class,
      error,
      ...(found.code === undefined ? {} : { code: found.code }),
    };
    this.#record(breakerOutcome(failure, exclude), call, found.hintMs ?? null);
  }

  #record(outcome: CallOutcome, call: PendingCall, hintMs: number | null): void {
    const nowMs = this.#clock.monotonicMs();
    if (call.probe !== null) this.#probes.delete(call.probe);
    const recorded = recordCall(
      this.#terms,
      { state: this.#state, counts: this.#countsNow() },
      {
        outcome,
        generation: call.generation,
        probe: call.probe !== null,
        nowMs,
        random: this.#settings.random ?? systemRandom,
        ...(hintMs === null ? {} : { hintUntilMs: nowMs + hintMs }),
      },
    );
    this.#counts = recorded.counts;
    this.#plainSuccesses = 0;
    this.#move(withoutRamp(recorded.state), { actor: "breaker", reason: this.#explain(outcome) });
  }

  /** Why a call that ended moves it, if it does. */
  #explain(outcome: CallOutcome): string {
    if (outcome === "success") return "its probes succeeded";
    if (this.#state.state === "half_open") return "a probe failed";
    const { failuresInARow } = this.#counts;
    return failuresInARow >= this.#terms.threshold
      ? `${failuresInARow} failures in a row`
      : "too many calls failed";
  }

  #move(next: BreakerState, why: Pick<BreakerChange, "actor" | "reason">): void {
    const from = this.#state.state;
    this.#state = next;
    this.#settle();
    if (next.state === from) return;
    const untilMs = next.state === "open" ? this.#toWall(this.#openUntilMs()) : null;
    tell(this.#settings.onChange, { breaker: this.name, from, to: next.state, ...why, untilMs });
  }

  /** Moves the plain successes into the counts, and sees whether the next ones are plain. */
  #settle(): void {
    const { state, override, sinceGeneration } = this.#state;
    const counts = this.#countsNow();
    this.#plainSuccesses = 0;
    this.#counts = state === "closed" ? countsSince(counts, sinceGeneration) : counts;
    const { failuresInARow, authInARow } = this.#counts;
    this.#isPlain =
      state === "closed" &&
      override === null &&
      this.#terms.ratio === null &&
      failuresInARow === 0 &&
      authInARow === 0;
  }

  #countsNow(): BreakerCounts {
    if (this.#plainSuccesses === 0) return this.#counts;
    const { calls, successes } = this.#counts;
    return {
      ...this.#counts,
      calls: calls + this.#plainSuccesses,
      successes: successes + this.#plainSuccesses,
    };
  }

  #openUntilMs(): number {
    const ofFailures = this.#state.state === "open" ? this.#state.openUntilMs : 0;
    const override = findOverride(this.#state, this.#clock.monotonicMs());
    return override?.kind === "force-open" ? Math.max(ofFailures, override.untilMs) : ofFailures;
  }

  #toWall(monotonicMs: number): number {
    return Math.round(this.#clock.wallMs() + monotonicMs - this.#clock.monotonicMs());
  }

  #refusal(answer: BreakerAnswer & { readonly pass: false }, nowMs: number): MillraceError {
    const { because, untilMs } = answer;
    const leftMs = untilMs === null ? null : Math.max(0, untilMs - nowMs);
    const until = leftMs === null ? "" : ` for another ${formatDuration(leftMs)}`;
    const said = {
      open: `is open${until}`,
      forced: `is open${until}: ${this.#reason}`,
      probing: "is half_open, and its probe is running",
      // Of breakers whose callers wait.
      ramp: `lets few calls go${until}`,
    }[because];
    return new MillraceError(
      "BREAKER_OPEN",
      `Nothing was called: breaker "${this.name}" ${said}.`,
      {
        hint:
          because === "forced"
            ? "it was opened by hand; reset() closes it"
            : "call again after that",
        details: {
          breaker: this.name,
          because,
          untilMs: untilMs === null ? null : this.#toWall(untilMs),
          leftMs: leftMs === null ? null : Math.ceil(leftMs),
        },
      },
    );
  }
}

/**
 * After an opening a resource lets few calls go at first, so that those who waited do not all come at once. Here nobody
 * waits, and a call refused by a breaker that reads "closed" would be a riddle.
 */
function withoutRamp(state: BreakerState): BreakerState {
  return state.state === "closed" && state.closedAtMs !== null
    ? { ...state, closedAtMs: null }
    : state;
}

/** A call that was let go. */
interface PendingCall {
  readonly generation: number;
  readonly probe: Probe | null;
}
