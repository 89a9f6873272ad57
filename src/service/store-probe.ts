// Whether the store can be read and written now, for whoever decides where to send work. One small write, asked for
// at most every few seconds however often the question comes, and never waited for long.

import type { Timer } from "../std/clock.ts";
import { contextOf, type MillContext } from "./mill-context.ts";

/** How long an answer holds, ms: probes come every few seconds from several places. */
const ANSWER_MS = 5_000;

/** How long the store may take, ms: a healthy one takes a few. */
const WAIT_MS_MAX = 2_000;

/** Asks one store. */
export class StoreProbe {
  readonly #mill: MillContext;
  #answer: Promise<boolean> | undefined;
  #askedMs: number = -Infinity;
  /** A write that has not settled: a full disk may hold it up for long, and one is enough. */
  #isWriting: boolean = false;

  constructor(mill: object) {
    this.#mill = contextOf(mill);
  }

  /** Whether it can be read and written. Never rejects. */
  isWell(): Promise<boolean> {
    // Who works on it found out already.
    if (this.#mill.standing.fault !== null) return Promise.resolve(false);
    const nowMs = this.#mill.world.clock.monotonicMs();
    if (this.#answer === undefined || nowMs - this.#askedMs >= ANSWER_MS) {
      this.#askedMs = nowMs;
      this.#answer = this.#ask();
    }
    return this.#answer;
  }

  async #ask(): Promise<boolean> {
    if (this.#isWriting) return false;
    let timer: Timer | undefined;
    const timeUp = new Promise<boolean>((resolve) => {
      const { clock } = this.#mill.world;
      timer = clock.setTimer(WAIT_MS_MAX, () => resolve(false), { unref: true });
    });
    const isWell = await Promise.race([this.#write(), timeUp]);
    timer?.cancel();
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
