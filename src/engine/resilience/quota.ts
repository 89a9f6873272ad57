// A quota around any use, for one process: so many units per time. Who has to wait goes in the order of asking, and a
// wait that would be too long is refused before it begins. How units flow is `policy/quota.ts`; here are the line, one
// timer for its head, and the figures. A waiter that leaves has taken nothing.

import { describeValue } from "../../model/compile/option-reader.ts";
import { MillraceError } from "../../model/errors.ts";
import { DURATION_MS_MAX } from "../../model/limits.ts";
import type { QuotaDeclared, QuotaOptions } from "../../model/resource/resource.ts";
import {
  creditQuota,
  quotaAvailable,
  quotaTerms,
  reserveQuota,
  takeQuota,
  type QuotaReservation,
  type QuotaState,
  type QuotaTerms,
} from "../../policy/quota.ts";
import { systemClock, type Clock, type Timer } from "../../std/clock.ts";
import { formatDuration, type Duration } from "../../std/duration.ts";
import { checkOptions, readDurationMs, readName, readPart } from "./read-options.ts";

/** One window: `rate` units per `per`, with bursts of `burst`. */
export type QuotaWindow = Omit<QuotaOptions, "cost">;

interface QuotaCommon {
  /** Told in its errors. Default "quota". */
  readonly name?: string;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** What a quota is made of: one window, or up to 8 that must all grant. */
export type QuotaSettings = QuotaCommon &
  (QuotaWindow | { readonly windows: readonly QuotaWindow[] });

/** How to take. */
export interface TakeOptions {
  /**
   * `true`: as long as it takes, or as `maxWait` allows. `false`: now or not at all. A duration: at most so long.
   * Default true.
   */
  readonly wait?: boolean | Duration;
  /** Ends the wait at once, with nothing taken; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Units that were taken. */
export interface Taken {
  readonly units: number;
  readonly waitedMs: number;
}

/** Figures of a quota. */
export interface QuotaStats {
  /** Whole units that could be taken now, by the tightest window. */
  readonly available: number;
  /** Units taken and not given back, since it was made. */
  readonly consumed: number;
  /** Takes that were refused. */
  readonly throttled: number;
  /** Takes that wait. */
  readonly waiting: number;
}

/** Makes a quota. OPTION_INVALID tells every impossible number, a rate of 0 among them. */
export function quota(settings: QuotaSettings): Quota {
  return new Quota(settings);
}

interface Waiter {
  readonly units: number;
  /** When it should go, as foreseen, monotonic ms. */
  dueMs: number;
  readonly go: () => void;
}

const NO_OPTIONS: TakeOptions = {};
const US_PER_MS = 1_000;
const OPTIONS: readonly string[] = ["rate", "per", "burst", "maxWait", "windows", "name", "clock"];

/** A quota; made by `quota(settings)`. */
export class Quota {
  /** As in its errors. */
  readonly name: string;
  readonly #declared: readonly QuotaDeclared[];
  readonly #terms: readonly QuotaTerms[];
  /** For who waits already: it was told that it may, and is not judged again. */
  readonly #patient: readonly QuotaTerms[];
  readonly #burstMin: number;
  readonly #clock: Clock;
  #states: readonly (QuotaState | undefined)[];
  /** The states once all who wait have gone; null: not known since one of them left. */
  #after: readonly (QuotaState | undefined)[] | null = null;
  readonly #line: Set<Waiter> = new Set();
  #timer: Timer | null = null;
  /** How late the last waiter went, ms: timers are, and those behind it will be as late. */
  #lagMs: number = 0;
  #consumed: number = 0;
  #throttled: number = 0;

  constructor(settings: QuotaSettings) {
    checkOptions("A quota", settings, OPTIONS);
    const { name, clock = systemClock, ...rest } = settings;
    this.name = readName(name, "quota");
    this.#clock = clock;
    const windows = "windows" in rest ? rest.windows : rest;
    this.#declared = readPart("quota", this.name, windows).terms.quotas;
    this.#terms = this.#declared.map(({ maxWaitMs, ...window }) =>
      quotaTerms(maxWaitMs === null ? window : { ...window, maxWaitMs }),
    );
    this.#patient = this.#terms.map((terms) => ({ ...terms, maxWaitMs: null }));
    this.#burstMin = Math.min(...this.#declared.map(({ burst }) => burst));
    this.#states = this.#terms.map(() => undefined);
  }

  /**
   * Takes `units`, 0 or more; 0 is free. Resolves when they are there, after all who asked before. Rejects with
   * QUOTA_EXCEEDED at once where the wait would be longer than allowed, with USE_INVALID where the units are above the
   * burst, so that no wait helps.
   */
  async take(units: number = 1, options: TakeOptions = NO_OPTIONS): Promise<Taken> {
    this.#checkUnits(units, {
      unitsMax: this.#burstMin,
      hint: `raise "burst", or divide the work`,
    });
    const waitMsMax = this.#readWait(options.wait ?? true);
    options.signal?.throwIfAborted();
    if (units === 0 || (this.#line.size === 0 && this.#takeNow(units)))
      return { units, waitedMs: 0 };
    const answer = this.#foresee(units);
    const waitMs = answer.waitMs + this.#lagMs;
    if (!answer.granted || waitMs > waitMsMax) {
      this.#throttled += 1;
      throw this.#refusal(units, { waitMs: Math.ceil(waitMs), waitMsMax });
    }
    this.#after = answer.states;
    return await this.#wait(units, { waitMs: answer.waitMs, signal: options.signal });
  }

  /**
   * Gives back units that were provably not used, the newest first: at once, before others take. Never above the
   * burst, and what has flowed back meanwhile is not given twice. USE_INVALID where fewer are out.
   */
  refund(units: number = 1): void {
    this.#checkUnits(units, { unitsMax: this.#consumed, hint: "give back what was taken, once" });
    this.#consumed -= units;
    this.#states = creditQuota({
      terms: this.#terms,
      states: this.#states,
      cost: units,
      nowUs: this.#nowUs(),
    });
    this.#after = null;
    this.#pump();
  }

  /** Its figures now. */
  stats(): QuotaStats {
    const nowUs = this.#nowUs();
    const available = this.#terms.map((terms, index) =>
      quotaAvailable(terms, this.#states[index], nowUs),
    );
    return {
      available: Math.min(...available),
      consumed: this.#consumed,
      throttled: this.#throttled,
      waiting: this.#line.size,
    };
  }

  #takeNow(units: number): boolean {
    const answer = takeQuota({
      terms: this.#terms,
      states: this.#states,
      cost: units,
      nowUs: this.#nowUs(),
    });
    if (!answer.granted) return false;
    this.#states = answer.states;
    this.#consumed += units;
    return true;
  }

  /** When one more could go, behind all who wait. */
  #foresee(units: number): QuotaReservation {
    const nowUs = this.#nowUs();
    if (this.#line.size === 0) {
      this.#after = this.#states;
      this.#lagMs = 0;
    }
    this.#after ??= this.#foreseeLine(nowUs);
    return reserveQuota({ terms: this.#terms, states: this.#after, cost: units, nowUs });
  }

  /** The states once all who wait have gone, and when each of them does: O(n), after one of them left. */
  #foreseeLine(nowUs: number): readonly (QuotaState | undefined)[] {
    let states = this.#states;
    for (const waiter of this.#line) {
      const answer = reserveQuota({ terms: this.#patient, states, cost: waiter.units, nowUs });
      if (!answer.granted) continue;
      waiter.dueMs = nowUs / US_PER_MS + answer.waitMs;
      states = answer.states;
    }
    this.#lagMs = 0;
    return states;
  }

  #wait(
    units: number,
    { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<Taken> {
    const sinceMs = this.#clock.monotonicMs();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#line.delete(waiter);
        this.#after = null;
        this.#pump();
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        units,
        dueMs: sinceMs + waitMs,
        go: () => {
          signal?.removeEventListener("abort", leave);
          resolve({ units, waitedMs: this.#clock.monotonicMs() - sinceMs });
        },
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#line.add(waiter);
      if (this.#timer === null) this.#pump();
    });
  }

  /** Lets go who can go, and sleeps until the next one can. */
  #pump(): void {
    this.#timer?.cancel();
    this.#timer = null;
    for (const waiter of this.#line) {
      const waitMs = this.#headWaitMs(waiter.units);
      if (waitMs > 0) {
        this.#timer = this.#clock.setTimer(waitMs, () => this.#pump());
        return;
      }
      this.#line.delete(waiter);
      this.#lagMs = Math.max(0, this.#clock.monotonicMs() - waiter.dueMs);
      waiter.go();
    }
  }

  /** 0: it has taken. */
  #headWaitMs(units: number): number {
    const answer = takeQuota({
      terms: this.#patient,
      states: this.#states,
      cost: units,
      nowUs: this.#nowUs(),
    });
    if (!answer.granted) return Math.max(1, answer.waitMs);
    this.#states = answer.states;
    this.#consumed += units;
    return 0;
  }

  #nowUs(): number {
    return Math.floor(this.#clock.monotonicMs() * US_PER_MS);
  }

  #readWait(wait: boolean | Duration): number {
    if (wait === true) return DURATION_MS_MAX;
    return wait === false ? 0 : readDurationMs(`wait of quota "${this.name}"`, wait);
  }

  #checkUnits(
    units: number,
    { unitsMax, hint }: { readonly unitsMax: number; readonly hint: string },
  ): void {
    if (Number.isFinite(units) && units >= 0 && units <= unitsMax) return;
    const said = `Quota "${this.name}": expected 0 to ${unitsMax} units; got ${describeValue(units)}.`;
    throw new MillraceError("USE_INVALID", said, { hint });
  }

  #refusal(
    units: number,
    { waitMs, waitMsMax }: { readonly waitMs: number; readonly waitMsMax: number },
  ): MillraceError {
    const ownMs = Math.min(...this.#terms.map(({ maxWaitMs }) => maxWaitMs ?? DURATION_MS_MAX));
    const allowedMs = Math.min(ownMs, waitMsMax);
    const allowed =
      allowedMs === 0 ? "and it was not to wait" : `longer than ${formatDuration(allowedMs)}`;
    return new MillraceError(
      "QUOTA_EXCEEDED",
      `Quota "${this.name}" has no ${units} ${units === 1 ? "unit" : "units"} now: the wait would be ${formatDuration(waitMs)}, ${allowed}; waited 0ms.`,
      {
        retryable: true,
        hint: allowedMs === 0 ? "let it wait, or try again after that" : "allow a longer wait",
        details: { quota: this.name, units, waitMs, waitedMs: 0, waiting: this.#line.size },
      },
    );
  }
}
