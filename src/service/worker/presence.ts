// Says that a worker is there although it has nothing to do: once when it has been idle for a second, not again and
// again, since every word of it is a commit. Who reads it asks the machine whether that process still lives. While a
// worker has runs its beats speak for it, and what was said here is overwritten.

import type { MillContext } from "../mill-context.ts";
import { toQueueMark } from "../queries/queue/queue-mark.ts";

/** Pipelines that are named at most. */
const PIPELINES_NAMED_MAX = 100;

/** The presence of one worker while it is idle. */
export class Presence {
  readonly #mill: Pick<MillContext, "store" | "owner" | "self" | "standing">;
  readonly #listPipelines: () => readonly string[];
  /** Why it claims nothing, as it said last; null: it has not said that it is idle. */
  #told: string | null = null;
  /** What it said may still stand: a run that is over within a second overwrites nothing. */
  #mayStand: boolean = false;

  constructor(
    mill: Pick<MillContext, "store" | "owner" | "self" | "standing">,
    listPipelines: () => readonly string[],
  ) {
    this.#mill = mill;
    this.#listPipelines = listPipelines;
  }

  /** It has had nothing to do for a while. */
  async idle(): Promise<void> {
    const heldBy = this.#mill.standing.heldBy ?? "";
    if (this.#told === heldBy) return;
    this.#told = heldBy;
    this.#mayStand = true;
    await this.#tell(this.#listPipelines().slice(0, PIPELINES_NAMED_MAX).map(toQueueMark));
  }

  /** It has something to do: next time it is idle it says so again. */
  busy(): void {
    this.#told = null;
  }

  /** It is over. */
  async leave(): Promise<void> {
    if (this.#mayStand) await this.#tell([]);
    this.#mayStand = false;
  }

  async #tell(marks: readonly string[]): Promise<void> {
    const { store, owner, self } = this.#mill;
    // Only `why` reads it: a store that is busy, or closed by now, is no fault of this.
    await store.beat(owner, marks, self.describe([])).catch(() => undefined);
  }
}
