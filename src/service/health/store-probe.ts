// Whether the store can be read and written now, for whoever decides where to send work. One small write, asked for
// at most every few seconds however often the question comes, and never waited for long.

import type { Timer } from "../../std/clock.ts";
import { contextOf, type MillContext } from "../mill-context.ts";
import { STORE_FILE_HOLD } from "../watchdog/survey-process.ts";

/** How long a good answer holds, ms: probes come every few seconds from several places. */
const WELL_MS = 5_000;

/** How long a bad one holds, ms: that the store is back is to be seen soon. */
const UNWELL_MS = 500;

/** How long the store may take, ms: a healthy one takes a few. */
const WAIT_MS_MAX = 2_000;

/** Asks one store. */
export class StoreProbe {
  readonly #mill: MillContext;
  #answer: Promise<boolean> | undefined;
  #untilMs: number = -Infinity;
  /** A write that has not settled: a full disk may hold it up for long, and one is enough. */
  #isWriting: boolean = false;

  constructor(mill: object) {
    this.#mill = contextOf(mill);
  }

  /** Whether it can be read and written. Never rejects. */
  isWell(): Promise<boolean> {
    // Who works on it, or watches it, found out already.
    const { standing } = this.#mill;
    if (standing.fault !== null || standing.isHeldBy(STORE_FILE_HOLD))
      return Promise.resolve(false);
    const nowMs = this.#mill.world.clock.monotonicMs();
    if (this.#answer === undefined || nowMs >= this.#untilMs) {
      this.#untilMs = nowMs + WELL_MS;
      this.#answer = this.#ask();
    }
    return this.#answer;
  }

  async #ask(): Promise<boolean> {
    if (this.#isWriting) {
      this.#untilMs = this.#mill.world.clock.monotonicMs() + UNWELL_MS;
      return false;
    }
    let timer: Timer | undefined;
    const timeUp = new Promise<boolean>((resolve) => {
      const { clock } = this.#mill.world;
      timer = clock.setTimer(WAIT_MS_MAX, () => resolve(false), { unref: true });
    });
    const isWell = await Promise.race([this.#write(), timeUp]);
    timer?.cancel();
    if (!isWell) this.#untilMs = this.#mill.world.clock.monotonicMs() + UNWELL_MS;
    return isWell;
  }

  async #write(): Promise<boolean> {
    this.#isWriting = true;
    try {
      await this.#mill.committer.write({
        kind: "put-records",
        puts: [{ collection: "settings", key: "probe", expected: null, value: null }],
        events: [],
      });
      return true;
    } catch {
      return false; // Why, the next request that needs it says.
    } finally {
      this.#isWriting = false;
    }
  }
}
