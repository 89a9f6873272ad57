// What a process that is measured uses, said by itself once a second.

import { monitorEventLoopDelay } from "node:perf_hooks";

/** Of the time since the figures before. */
export interface ProcessFigures {
  readonly rssMb: number;
  readonly heapMb: number;
  /** Share of one core, 0 to 1; more than 1 with threads. */
  readonly cpuShare: number;
  /** How late the event loop came at most, ms. */
  readonly loopMsMax: number;
}

/** Resolution of the delays, ms; it is part of each. */
const RESOLUTION_MS = 5;

/** Takes figures again and again. */
export class FiguresTaker {
  readonly #delays: ReturnType<typeof monitorEventLoopDelay> | null;
  #cpu: NodeJS.CpuUsage = process.cpuUsage();
  #takenMs: number = performance.now();

  /** To watch the loop wakes the process every 5 ms, which one that should idle cannot bear. */
  constructor({ watchesLoop = true }: { readonly watchesLoop?: boolean } = {}) {
    this.#delays = watchesLoop ? monitorEventLoopDelay({ resolution: RESOLUTION_MS }) : null;
    this.#delays?.enable();
  }

  /** Since the last call. */
  take(): ProcessFigures {
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage(this.#cpu);
    const { rss, heapUsed } = process.memoryUsage();
    const figures = {
      rssMb: rss / 2 ** 20,
      heapMb: heapUsed / 2 ** 20,
      cpuShare: (user + system) / 1_000 / (nowMs - this.#takenMs),
      loopMsMax: Math.max(0, (this.#delays?.max ?? 0) / 1e6 - RESOLUTION_MS),
    };
    this.#cpu = process.cpuUsage();
    this.#takenMs = nowMs;
    this.#delays?.reset();
    return figures;
  }
}
