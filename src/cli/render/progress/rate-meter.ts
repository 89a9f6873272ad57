// How fast something comes to an end: endings per second over the last half minute, or since the beginning
// while that is shorter or little has ended. Constant in time and space; reads no clock.

/** Seconds that the meter looks back. */
const WINDOW_S = 30;

/** Endings that the window must hold before it is believed; below, the average since the start is. */
const WINDOW_COUNT_MIN = 5;

/** Counts endings by second. */
export class RateMeter {
  readonly #counts = new Uint32Array(WINDOW_S);
  readonly #firstMs: number;
  #lastSecond: number;
  #total = 0;
  #inWindow = 0;

  /** `startedAtMs`: from when on there was work. */
  constructor(startedAtMs: number) {
    this.#firstMs = startedAtMs;
    this.#lastSecond = Math.floor(startedAtMs / 1000);
  }

  /** One ending at this time. Times may come slightly out of order. */
  add(atMs: number): void {
    this.#moveTo(atMs);
    const second = Math.min(Math.floor(atMs / 1000), this.#lastSecond);
    const index = Math.max(second, this.#lastSecond - WINDOW_S + 1) % WINDOW_S;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
    this.#inWindow += 1;
  }

  /** Endings per second; 0 when nothing has ended. */
  perSecond(nowMs: number): number {
    if (this.#total === 0) return 0;
    this.#moveTo(nowMs);
    const sinceStartS = Math.max(0.001, (nowMs - this.#firstMs) / 1000);
    if (sinceStartS <= WINDOW_S || this.#inWindow < WINDOW_COUNT_MIN) {
      return this.#total / sinceStartS;
    }
    // The newest bucket is only as old as the second it stands for.
    const span = WINDOW_S - 1 + ((nowMs / 1000) % 1);
    return this.#inWindow / span;
  }

  /** Empties the buckets of the seconds that have gone by. */
  #moveTo(atMs: number): void {
    const second = Math.floor(atMs / 1000);
    const steps = Math.min(WINDOW_S, second - this.#lastSecond);
    for (let step = 1; step <= steps; step++) {
      const index = (second - steps + step) % WINDOW_S;
      this.#inWindow -= this.#counts[index] ?? 0;
      this.#counts[index] = 0;
    }
    if (second > this.#lastSecond) this.#lastSecond = second;
  }
}
