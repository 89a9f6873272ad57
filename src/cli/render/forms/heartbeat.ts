// When a form that writes lines says that work is going on: every so often by the clock, and whenever a map
// stage has passed another share of its items. Without it an hour of silence looks like a hang.

import type { Clock, Timer } from "../../../std/clock.ts";
import type { StageProgress } from "../progress/stage-progress.ts";
import { countEnded } from "../progress/stage-progress.ts";

/** How often it beats. */
export interface HeartbeatOptions {
  readonly clock: Clock;
  /** Longest time without a beat, ms. */
  readonly everyMs: number;
  /** Percent of a map stage's items between two of its beats. */
  readonly everyPercent: number;
  /** Shortest time between two beats of a stage, ms: a fast map would otherwise flood its readers. */
  readonly apartMsMin: number;
  /** Called with the stage whose share was passed; without one when the time was up. */
  readonly onBeat: (stage?: StageProgress) => void;
}

/** Beats until it is stopped. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #passed = new Map<string, { percent: number; atMs: number }>();
  #timer: Timer | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.setTimer(
      this.#options.everyMs,
      () => {
        this.start();
        this.#options.onBeat();
      },
      { unref: true },
    );
  }

  /** Safe to repeat. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** A stage has changed: beats where it has passed another share of its items. */
  look(stage: StageProgress): void {
    const { items } = stage;
    if (items === undefined || items.total === 0 || stage.endedAtMs !== undefined) return;
    const { everyPercent, apartMsMin, clock } = this.#options;
    const percent = Math.floor((countEnded(items) / items.total) * (100 / everyPercent));
    const passed = this.#passed.get(stage.name);
    if (percent <= (passed?.percent ?? 0)) return;
    const atMs = clock.monotonicMs();
    if (passed !== undefined && atMs - passed.atMs < apartMsMin) return;
    this.#passed.set(stage.name, { percent, atMs });
    // The first share comes within moments of the start and says nothing yet.
    if (passed !== undefined) this.#options.onBeat(stage);
  }
}
