// Worker threads for stages that are busy: at most so many at once, started when one is needed, kept for a while for
// the next attempt. An attempt that does not stop is ended with its thread, and the next one gets a new thread.
//
// Who waits for a thread waits here and not in the library's own queue: there nothing starts a new thread for those
// who wait when the last one is ended.

import { Piscina } from "piscina";
import type { Clock } from "../../std/clock.ts";
import type { ThreadSide, ThreadStarter, ThreadTask } from "./isolated/far-side.ts";
import type { Report } from "./isolated/protocol.ts";
import { RunningThread } from "./thread-side.ts";

/** What threads are made with. */
export interface ThreadPoolOptions {
  readonly clock: Clock;
  /** Threads at once, 1 or more. */
  readonly threadsMax: number;
  /** Heap of one thread, MiB: one that needs more dies. Default: Node's own. */
  readonly heapMibMax?: number;
}

// In a build both files lie in one folder as well.
const PROGRAM: URL = new URL(
  import.meta.url.endsWith(".ts") ? "./thread-worker.ts" : "./thread-worker.js",
  import.meta.url,
);

/** How long a thread without work is kept, ms: a map's next item comes at once. */
const IDLE_MS_MAX = 10_000;

/** Threads, and who waits for one. */
export class ThreadPool implements ThreadStarter {
  readonly #clock: Clock;
  readonly #library: Piscina;
  readonly #waiting: Set<RunningThread> = new Set();
  readonly #running: Set<RunningThread> = new Set();
  readonly #threadsMax: number;

  constructor({ clock, threadsMax, heapMibMax }: ThreadPoolOptions) {
    this.#clock = clock;
    this.#threadsMax = threadsMax;
    this.#library = new Piscina({
      filename: PROGRAM.href,
      name: "work",
      minThreads: 0,
      maxThreads: threadsMax,
      idleTimeout: IDLE_MS_MAX,
      // A thread that sleeps in a lock between two attempts hears nothing and lets nothing end that is still open.
      atomics: "disabled",
      recordTiming: false,
      ...(heapMibMax === undefined
        ? {}
        : { resourceLimits: { maxOldGenerationSizeMb: heapMibMax } }),
    });
    // A thread that dies before it takes an attempt up, as where none can be started.
    this.#library.on("error", (error: unknown) => {
      for (const one of this.#running) one.failToStart(error);
    });
  }

  start(task: ThreadTask, hear: (report: Report) => void): ThreadSide {
    const one = new RunningThread({
      clock: this.#clock,
      library: this.#library,
      task,
      hear,
      leave: () => this.#leave(one),
    });
    this.#waiting.add(one);
    this.#startNext();
    return one;
  }

  #startNext(): void {
    for (const one of this.#waiting) {
      if (this.#running.size >= this.#threadsMax) return;
      this.#waiting.delete(one);
      this.#running.add(one);
      one.start();
    }
  }

  #leave(one: RunningThread): void {
    this.#waiting.delete(one);
    this.#running.delete(one);
    this.#startNext();
  }

  /** Ends all threads, and with them what still runs. */
  async close(): Promise<void> {
    for (const one of [...this.#waiting, ...this.#running]) one.kill();
    await Promise.all([...this.#running].map((one) => one.over));
    await this.#library.destroy();
  }
}
