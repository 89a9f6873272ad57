// How late the event loop of this process comes.

import { monitorEventLoopDelay } from "node:perf_hooks";

/** What the measure itself takes, ms. */
const RESOLUTION_MS = 20;

/** Delays of the event loop, from its making to its close. */
export class LoopDelay {
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({
    resolution: RESOLUTION_MS,
  });

  constructor() {
    this.#histogram.enable();
  }

  /** 99th percentile since the last call, ms; what the measure itself takes is not counted. */
  takeP99Ms(): number {
    const p99Ms = this.#histogram.percentile(99) / 1e6 - RESOLUTION_MS;
    this.#histogram.reset();
    return Math.max(0, p99Ms);
  }

  close(): void {
    this.#histogram.disable();
  }
}
