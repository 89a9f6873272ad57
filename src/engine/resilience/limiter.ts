// At most so many at once under each key, for one process: who goes next is `policy/fair-lines`; here are promises,
// time limits and signals. What gets free is handed on at once, keys take turns, and who left the line has taken nothing.

import { MillraceError } from "../../model/errors.ts";
import { KeyedLimiter, type KeyStats } from "../../policy/fair-lines/keyed-limiter.ts";
import type { PermitEnd } from "../../policy/fair-lines/key-ledger.ts";
import type { Permit, Refusal, Ticket } from "../../policy/fair-lines/permit.ts";
import { systemClock, type Clock, type Timer } from "../../std/clock.ts";
import { formatDuration, type Duration } from "../../std/duration.ts";
import { checkOptions, readDurationMs, readName } from "./read-options.ts";

/** What a limiter is made of. */
export interface LimiterSettings {
  /** Told in its errors. Default "limiter". */
  readonly name?: string;
  /** Holders at once of each key, 1 to 10,000. Default: no limit but those of `keys` and `total`. */
  readonly limit?: number;
  /** Limits of keys that have their own, at most 10,000. */
  readonly keys?: Readonly<Record<string, number>>;
  /** Holders at once over all keys, 1 to 10,000; keys take turns. Default: any number. */
  readonly total?: number;
  /** Keys remembered while nobody uses them, at least 32. Their figures go with them. Default 100,000. */
  readonly idleKeysMax?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** How to wait for a permit. */
export interface AcquireOptions {
  /** Rejects with LIMIT_TIMEOUT after so long. Default: waits as long as it takes. */
  readonly timeout?: Duration;
  /** Leaves the line at once; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Who goes first among those who wait for the same key; one unit is worth 60 s of waiting. Default 0. */
  readonly priority?: number;
}

/** Makes a limiter. OPTION_INVALID where a limit is none. */
export function limiter(settings: LimiterSettings = {}): Limiter {
  return new Limiter(settings);
}

/** The right to be at work under a key, until it is released, once. */
export class HeldPermit implements Disposable {
  readonly #limiter: KeyedLimiter;
  readonly #permit: Permit;
  #isOut: boolean = true;

  constructor(keyed: KeyedLimiter, permit: Permit) {
    this.#limiter = keyed;
    this.#permit = permit;
  }

  get key(): string {
    return this.#permit.keys[0] ?? "";
  }

  /** Gives the place to the next one. `end` is for the figures only. USE_INVALID the second time: nothing is freed twice. */
  release(end: PermitEnd = "succeeded"): void {
    this.#isOut = false;
    this.#limiter.release(this.#permit, end);
  }

  /** For `using`: releases it if that was not done. */
  [Symbol.dispose](): void {
    if (this.#isOut) this.release();
  }
}

const NO_OPTIONS: AcquireOptions = {};
const OPTIONS: readonly string[] = ["limit", "keys", "total", "idleKeysMax", "name", "clock"];

/** A limiter; made by `limiter(settings)`. */
export class Limiter {
  /** As in its errors. */
  readonly name: string;
  readonly #keyed: KeyedLimiter;
  readonly #clock: Clock;

  constructor(settings: LimiterSettings) {
    checkOptions("A limiter", settings, OPTIONS);
    const { name, limit, keys, total, idleKeysMax, clock = systemClock } = settings;
    this.name = readName(name, "limiter");
    this.#clock = clock;
    this.#keyed = new KeyedLimiter({
      limits: { default: limit ?? null, ...(keys === undefined ? {} : { keys }) },
      slots: total ?? null,
      ...(idleKeysMax === undefined ? {} : { idleKeysMax }),
    });
  }

  /** Calls `work` under a permit and releases it, however that ends. Rejects as `acquire` does, or with what it threw. */
  async run<T>(
    key: string,
    work: () => T | PromiseLike<T>,
    options: AcquireOptions = NO_OPTIONS,
  ): Promise<T> {
    options.signal?.throwIfAborted();
    const taken = this.#keyed.tryTake([{ key }]);
    const permit = taken.kind === "permit" ? taken : await this.#wait(key, options);
    let value: T;
    try {
      value = await work();
    } catch (error) {
      this.#keyed.release(permit, options.signal?.aborted === true ? "cancelled" : "failed");
      throw error;
    }
    this.#keyed.release(permit);
    return value;
  }

  /** A permit under a key, after all who came before for that key. LIMIT_TIMEOUT; USE_INVALID where the key is none. */
  async acquire(key: string, options: AcquireOptions = NO_OPTIONS): Promise<HeldPermit> {
    options.signal?.throwIfAborted();
    return new HeldPermit(this.#keyed, await this.#wait(key, options));
  }

  /** A permit now, or undefined. Overtakes nobody who waits. USE_INVALID where the key is none. */
  tryAcquire(key: string): HeldPermit | undefined {
    const taken = this.#keyed.tryTake([{ key }]);
    return taken.kind === "permit" ? new HeldPermit(this.#keyed, taken) : undefined;
  }

  /**
   * Sets the limit of a key; null takes that back. Raised, waiters start at once; lowered, holders keep what they have
   * and nobody starts until enough of them have ended. OPTION_INVALID where it is none.
   */
  setLimit(key: string, limit: number | null): void {
    this.#keyed.setLimit(key, limit);
  }

  /** Figures of a key: running, waiting, succeeded, failed, total, limit. They begin anew once an idle key is forgotten. */
  stats(key: string): KeyStats {
    return this.#keyed.stats(key);
  }

  /** Keys it remembers, those in use and the most recently used others. */
  get keys(): number {
    return this.#keyed.keys;
  }

  #wait(key: string, options: AcquireOptions): Promise<Permit> {
    const { timeout, signal, priority } = options;
    const timeoutMs =
      timeout === undefined ? null : readDurationMs(`timeout of limiter "${this.name}"`, timeout);
    const nowMs = this.#clock.monotonicMs();
    return new Promise((resolve, reject) => {
      let timer: Timer | null = null;
      const stop = (): void => {
        timer?.cancel();
        signal?.removeEventListener("abort", leave);
      };
      const taken = this.#keyed.acquire([{ key }], {
        nowMs,
        ...(priority === undefined ? {} : { priority }),
        wake: (permit) => {
          stop();
          resolve(permit);
        },
      });
      const leave = (): void => {
        if (taken.kind === "waiting" && this.#keyed.leave(taken)) reject(signal?.reason);
        stop();
      };
      if (taken.kind === "permit") {
        resolve(taken);
        return;
      }
      signal?.addEventListener("abort", leave, { once: true });
      if (timeoutMs === null) return;
      timer = this.#clock.setTimer(timeoutMs, () => {
        const error = this.#timedOut(key, { taken, timeoutMs });
        if (this.#keyed.leave(taken)) reject(error);
        stop();
      });
    });
  }

  #timedOut(
    key: string,
    { taken, timeoutMs }: { readonly taken: Ticket; readonly timeoutMs: number },
  ): MillraceError {
    const by = this.#keyed.refusalOf(taken);
    const waiting = this.#keyed.stats(key).waiting;
    const said = `Limiter "${this.name}" gave no permit for "${key}" within ${formatDuration(timeoutMs)}: ${describe(by)}, ${waiting} waiting.`;
    return new MillraceError("LIMIT_TIMEOUT", said, {
      retryable: true,
      hint: "allow a longer timeout or a higher limit, or look for a permit that is never released",
      details: {
        limiter: this.name,
        key,
        waitedMs: timeoutMs,
        waiting,
        ...(by === undefined ? {} : { holders: by.holders, limit: by.limit }),
      },
    });
  }
}

function describe(refusal: Refusal | undefined): string {
  if (refusal === undefined) return "it was just let go";
  const where = refusal.key === null ? "in all" : "under this key";
  return `${refusal.holders} of ${refusal.limit} are held ${where}`;
}
