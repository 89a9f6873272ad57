// The places of a worker: how many runs it may claim besides those it has. A run that rests, waiting for resources
// while nothing of it is at work, occupies none; only so many of them are kept in memory, then the one that has
// rested longest waits in its queue instead.

import type { LiveRun } from "../live-run.ts";

/** Runs at rest for each place that a worker keeps in memory besides. */
const RESTING_PER_PLACE_MAX = 2;

/** A run that a worker has. */
export interface PlacedRun {
  readonly id: string;
  /** True while it waits for resources and nothing of it is at work. */
  readonly isResting: boolean;
  readonly core: { onRest: (isResting: boolean) => void };
  /** Asks it to wait in its queue instead; false: it stays. */
  hurry(): boolean;
}

/** The runs that one worker has. */
export class WorkerPlaces<Run extends PlacedRun = LiveRun> {
  /** Runs at once. */
  readonly count: number;
  readonly #restingMax: number;
  readonly #changed: () => void;
  readonly #runs: Map<string, Run> = new Map();
  /** Those that have rested longest come first. */
  readonly #resting: Set<Run> = new Set();

  /** `changed` is told when a place has become free because a run rests. */
  constructor(count: number, changed: () => void) {
    this.count = count;
    this.#restingMax = count * RESTING_PER_PLACE_MAX;
    this.#changed = changed;
  }

  /** Runs that it has, at rest or not. */
  get size(): number {
    return this.#runs.size;
  }

  /** Runs that occupy a place. */
  get atWork(): number {
    return this.#runs.size - this.#resting.size;
  }

  /** Runs that may be claimed now; below 0 while more came back to work than there are places. */
  get free(): number {
    return Math.min(this.count - this.atWork, this.count + this.#restingMax - this.#runs.size);
  }

  list(): readonly Run[] {
    return [...this.#runs.values()];
  }

  take(run: Run): void {
    this.#runs.set(run.id, run);
    run.core.onRest = (isResting) => this.#rests(run, isResting);
    if (run.isResting) this.#rests(run, true);
  }

  leave(run: Run): void {
    this.#runs.delete(run.id);
    this.#resting.delete(run);
  }

  #rests(run: Run, isResting: boolean): void {
    if (!this.#runs.has(run.id)) return;
    if (!isResting) this.#resting.delete(run);
    else {
      this.#resting.add(run);
      this.#changed();
    }
  }

  /** Sends runs that have rested longest back to wait in their queue, where more rest than are kept. What may go on
   *  soon stays. */
  relieve(): void {
    let over = this.#resting.size - this.#restingMax;
    if (over <= 0) return;
    for (const run of this.#resting) {
      if (run.hurry()) over -= 1;
      if (over <= 0) return;
    }
  }
}
