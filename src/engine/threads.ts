// The worker threads of a process, from the engine's side: none until a stage needs one, and the library for them is
// loaded then. Who opened a mill or a run in memory closes them with it.

import type { Threads, ThreadStarter } from "./executors/isolated/far-side.ts";
import type { ThreadPool, ThreadPoolOptions } from "./executors/thread.ts";

/** The threads of one mill or run in memory. */
export class LazyThreads implements Threads {
  readonly #options: ThreadPoolOptions;
  #pool: Promise<ThreadPool> | null = null;

  /** Starts nothing. */
  constructor(options: ThreadPoolOptions) {
    this.#options = options;
  }

  async open(): Promise<ThreadStarter> {
    this.#pool ??= this.#make();
    return await this.#pool;
  }

  async #make(): Promise<ThreadPool> {
    const { ThreadPool } = await import("./executors/thread.ts");
    return new ThreadPool(this.#options);
  }

  /** Ends all threads, busy ones too. Safe to repeat. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    if (pool !== null) await (await pool).close();
  }
}
