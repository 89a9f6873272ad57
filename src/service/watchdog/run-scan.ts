// Looks through all runs in one state, page by page, a bounded number of pages at a time, and remembers which were
// suspicious: those are looked at every time, whichever page it goes on at.

import { FINDINGS_MAX, PAGE_ROWS_MAX, WATCH_PAGES_MAX } from "../../model/limits.ts";
import type { RunRecord, RunState } from "../../model/run.ts";
import type { Store } from "../../storage/store.ts";

/** One way through the runs of a store. */
export class RunScan {
  readonly #store: Pick<Store, "listRuns" | "findRun">;
  readonly #state: RunState;
  readonly #suspects: Set<string> = new Set();
  /** Number of the last run that was looked at; undefined: it begins anew. */
  #before: number | undefined;

  constructor(store: Pick<Store, "listRuns" | "findRun">, state: RunState) {
    this.#store = store;
    this.#state = state;
  }

  /** Those that are suspicious now, as far as it came, at most FINDINGS_MAX. */
  async look(isSuspicious: (run: RunRecord) => boolean): Promise<readonly RunRecord[]> {
    const found = new Map<string, RunRecord>();
    for (const id of this.#suspects) {
      const run = await this.#store.findRun(id);
      if (run?.state === this.#state && isSuspicious(run)) found.set(id, run);
    }
    for (let pages = 0; pages < WATCH_PAGES_MAX; pages += 1) {
      const page = await this.#readPage();
      for (const run of page) {
        if (found.size < FINDINGS_MAX && isSuspicious(run)) found.set(run.id, run);
      }
      this.#before = page.length < PAGE_ROWS_MAX ? undefined : page.at(-1)?.number;
      if (this.#before === undefined) break;
    }
    this.#suspects.clear();
    for (const id of found.keys()) this.#suspects.add(id);
    return [...found.values()];
  }

  async #readPage(): Promise<readonly RunRecord[]> {
    return await this.#store.listRuns({
      states: [this.#state],
      limit: PAGE_ROWS_MAX,
      ...(this.#before === undefined ? {} : { beforeNumber: this.#before }),
    });
  }
}
