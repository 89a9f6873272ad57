// What failed in the runs of a period, by kind: items, stages without items, and runs by themselves. Runs that succeeded
// all the same count, too: what they bore is what a report of them is read for.

import type { Store } from "../../storage/store.ts";
import { listFailures } from "../queries/list-failures.ts";
import { readRunFacts } from "../queries/run-facts.ts";
import { groupFailures, type FailureView } from "../views/failure-view.ts";
import type { EndedRun, RunSummaryView } from "../views/summary-view.ts";

/** Failed items that are read of all its runs; what is beyond is counted without being told apart. */
const ITEMS_READ_MAX = 10_000;

/** Gathers them, run after run. */
export class PeriodFailures {
  readonly #store: Store;
  readonly #found: FailureView[] = [];
  #itemsLeft = ITEMS_READ_MAX;
  #unread = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Equal ones of one stage as one, the most frequent first. */
  get kinds(): readonly FailureView[] {
    return groupFailures(this.#found);
  }

  /** Items that failed and were not read. */
  get unread(): number {
    return this.#unread;
  }

  /** Reads what failed in a run. Costs nothing where nothing did. */
  async note(run: EndedRun, { stages, items, error }: RunSummaryView): Promise<void> {
    const inside = stages.failed + items.failed > 0 ? await this.#read(run) : [];
    this.#found.push(...inside);
    // A run tells what failed it, and of a deadline it has other words than its stages; only what failed nowhere in it
    // is told by nothing else.
    const isKnown = inside.some(
      (one) => one.fingerprint === error?.fingerprint || one.class === error?.class,
    );
    if (error !== undefined && !isKnown) this.#found.push(error);
  }

  async #read(run: EndedRun): Promise<readonly FailureView[]> {
    const facts = await readRunFacts(this.#store, run);
    const { failures, unread } = await listFailures(this.#store, facts, this.#itemsLeft);
    const read = failures.reduce((sum, { count }) => sum + count, 0);
    this.#itemsLeft = Math.max(0, this.#itemsLeft - read);
    this.#unread += unread;
    return failures;
  }
}
