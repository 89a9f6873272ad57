// One line of counts a minute, for a process that works for as long as it lives.

import { RUN_STATES, type RunState } from "../../model/run.ts";
import type { Millrace } from "../../service/millrace.ts";
import type { RunHandle } from "../../service/run-handle.ts";
import type { QueueStats } from "../../service/queries/queue/queue-stats.ts";
import { toIso } from "../../service/views/time-view.ts";
import type { Timer } from "../../std/clock.ts";
import type { CliContext } from "../cli-context.ts";
import { printRemark } from "../print.ts";
import { showCount, showDuration } from "../../std/shown/figures.ts";

/** Time between two lines, ms. */
const EVERY_MS = 60_000;

/** Counts, and says them until it is closed. */
export class CountLine {
  readonly #context: CliContext;
  readonly #mill: Pick<Millrace, "stats">;
  readonly #ended: Map<RunState, number> = new Map();
  #timer: Timer;

  constructor(context: CliContext, mill: Pick<Millrace, "stats">) {
    this.#context = context;
    this.#mill = mill;
    this.#timer = this.#arm();
  }

  /** Counts a run when it is over. */
  count(run: Pick<RunHandle, "result">): void {
    run.result().then(
      ({ state }) => this.#ended.set(state, (this.#ended.get(state) ?? 0) + 1),
      () => undefined,
    );
  }

  /** Safe to repeat. */
  close(): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    return this.#context.clock.setTimer(EVERY_MS, () => {
      this.#timer = this.#arm();
      void this.#say();
    });
  }

  async #say(): Promise<void> {
    try {
      const stats = await this.#mill.stats();
      const at = toIso(this.#context.clock.wallMs());
      printRemark(this.#context, `${at}  ${toCountText(stats, this.#ended)}`);
      this.#ended.clear();
    } catch {
      // A store that does not answer is told by who works on it.
    }
  }
}

/** `3 running, 120 queued (oldest due 2m), 4 waiting; here in the last minute: 12 succeeded`. */
function toCountText(stats: QueueStats, ended: ReadonlyMap<RunState, number>): string {
  const oldestMs = Math.max(...stats.pipelines.map(({ oldestDueMs }) => oldestDueMs ?? 0), 0);
  const oldest = stats.queued === 0 ? "" : ` (oldest due ${showDuration(oldestMs)})`;
  const here = RUN_STATES.flatMap((state) => {
    const count = ended.get(state) ?? 0;
    return count === 0 ? [] : [`${showCount(count)} ${state}`];
  });
  const now = `${showCount(stats.running)} running, ${showCount(stats.queued)} queued${oldest}, ${showCount(stats.waiting)} waiting`;
  return `${now}; here in the last minute: ${here.length === 0 ? "none ended" : here.join(", ")}`;
}
