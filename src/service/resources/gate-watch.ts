// While runs of this process wait for resources: looks whether other processes have given permits back, and whether
// an owner died with some. A hint may be lost: once a second the heads of all lines ask again.

import { HINT_POLL_MS_DEFAULT, PRESENCE_MS_DEFAULT } from "../../model/defaults.ts";
import { isMillraceError } from "../../model/errors.ts";
import type { Gate } from "../../engine/limits/gate.ts";
import type { Timer } from "../../std/clock.ts";
import type { MillContext } from "../mill-context.ts";
import { rescueRuns } from "../worker/rescuer.ts";

/** Watches the store of a mill for those who wait at its gate. */
export class GateWatch {
  readonly #mill: MillContext;
  readonly #gate: Gate;
  #mark: number = -1;
  #poll: Timer | null = null;
  #look: Timer | null = null;
  /** Monotonic ms of the next look, as it was planned last. */
  #lookAtMs: number = -Infinity;

  constructor(mill: MillContext, gate: Gate) {
    this.#mill = mill;
    this.#gate = gate;
    gate.onWaiting = (isWaiting) => (isWaiting ? this.#begin() : this.#end());
  }

  #begin(): void {
    this.#lookLater();
    if (this.#mill.store.capabilities.shared) this.#pollLater();
  }

  #end(): void {
    this.#poll?.cancel();
    this.#look?.cancel();
    this.#poll = null;
    this.#look = null;
  }

  #pollLater(): void {
    this.#poll = this.#mill.world.clock.setTimer(HINT_POLL_MS_DEFAULT, () => {
      this.#pollLater();
      if (this.#gate.isUntimed) void this.#askForChanges();
    });
  }

  async #askForChanges(): Promise<void> {
    const mark = await this.#mill.store.changeMark().catch(() => this.#mark);
    if (mark === this.#mark) return;
    this.#mark = mark;
    this.#gate.look(false);
  }

  #lookLater(): void {
    const { clock } = this.#mill.world;
    const nowMs = clock.monotonicMs();
    // Who asks again does not wait meanwhile: what others write, once a second too, must not put the look off for ever.
    const isPlanned = this.#lookAtMs > nowMs - PRESENCE_MS_DEFAULT;
    if (!isPlanned) this.#lookAtMs = nowMs + PRESENCE_MS_DEFAULT;
    this.#look = clock.setTimer(Math.max(1, this.#lookAtMs - nowMs), () => {
      this.#lookAtMs = clock.monotonicMs() + PRESENCE_MS_DEFAULT;
      this.#lookLater();
      this.#gate.look(true);
      // A worker looks for the runs of the dead by itself.
      if (this.#mill.workers.size === 0) void this.#rescue();
    });
  }

  async #rescue(): Promise<void> {
    try {
      await rescueRuns(this.#mill);
    } catch (error) {
      // The next look tries again; what waits here is none the worse for it.
      if (!isMillraceError(error)) throw error;
    }
  }
}
