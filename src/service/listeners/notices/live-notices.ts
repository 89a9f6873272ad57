// The notices of a process that lives long: they are made while its settings name somebody to tell, and begin and end
// when that changes. While nobody is told nothing of them is loaded.

import { contextOf } from "../../mill-context.ts";
import type { NoticeOptions, RunningNotices } from "./watch-notices.ts";

/** Makes notices while there is somebody to tell. Its calls follow one another. */
export class LiveNotices {
  readonly #mill: object;
  readonly #options: NoticeOptions;
  #running: RunningNotices | null = null;

  constructor(mill: object, options: NoticeOptions) {
    this.#mill = mill;
    this.#options = options;
  }

  /** Begins or ends, as the settings of the mill are now. */
  async renew(): Promise<void> {
    if (contextOf(this.#mill).notices.settings === null) return await this.stop();
    const { startNotices } = await import("./watch-notices.ts");
    this.#running ??= startNotices(this.#mill, this.#options);
  }

  /** Resolves when nothing of it goes on. Safe to repeat. */
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }
}
