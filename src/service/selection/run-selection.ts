// What verbs over many runs share: the runs that match, page by page, and what became of them.

import { isMillraceError, MillraceError } from "../../model/errors.ts";
import { PAGE_ROWS_MAX, RUN_ERRORS_MAX } from "../../model/limits.ts";
import type { RunRecord } from "../../model/run.ts";
import { parseDuration, type Duration } from "../../std/duration.ts";
import type { RunQuery, Store } from "../../storage/store.ts";
import { runName } from "../queries/find-run.ts";

/** A run that a verb left as it was. */
export interface SkippedRun {
  /** Short name. */
  readonly run: string;
  readonly reason: string;
}

/** What became of the runs that a verb was asked about. */
export interface SelectionOutcome {
  readonly matching: number;
  /** 0 in a dry run. */
  readonly changed: number;
  /** At most 1,000. */
  readonly skipped: readonly SkippedRun[];
}

/** Counts what becomes of runs. */
export class Selection {
  #matching = 0;
  #changed = 0;
  readonly #skipped: SkippedRun[] = [];

  match(count: number = 1): void {
    this.#matching += count;
  }

  change(count: number = 1): void {
    this.#changed += count;
  }

  skip(run: RunRecord, reason: string): void {
    if (this.#skipped.length < RUN_ERRORS_MAX) this.#skipped.push({ run: runName(run), reason });
  }

  /** Does something to runs, all at once, so that what they write is committed together. */
  async changeEach(
    runs: readonly RunRecord[],
    change: (run: RunRecord) => Promise<unknown>,
  ): Promise<void> {
    const outcomes = await Promise.allSettled(runs.map(change));
    for (const [index, outcome] of outcomes.entries()) {
      const run = runs[index];
      if (outcome.status === "fulfilled") this.change();
      else if (run !== undefined && isAboutRun(outcome.reason))
        this.skip(run, outcome.reason.message);
      else throw outcome.reason;
    }
  }

  get outcome(): SelectionOutcome {
    return { matching: this.#matching, changed: this.#changed, skipped: this.#skipped };
  }
}

/** True for what one run refuses; what concerns the store concerns them all. */
function isAboutRun(error: unknown): error is Error {
  return isMillraceError(error) && !error.code.startsWith("STORE_");
}

/** How old runs are to be, in ms; OPTION_INVALID naming the option. */
export function parseAge(name: string, age: Duration): number {
  const parsed = parseDuration(age);
  if (parsed.ok) return parsed.value;
  throw new MillraceError("OPTION_INVALID", `${name}: ${parsed.error}.`);
}

/** Pages of runs, newest first. A run that is deleted or moved on meanwhile shifts no other. */
export async function* listRunPages(
  store: Store,
  query: Omit<RunQuery, "limit" | "beforeNumber">,
): AsyncGenerator<readonly RunRecord[]> {
  for (let beforeNumber: number | undefined; ;) {
    const page = await store.listRuns({
      ...query,
      limit: PAGE_ROWS_MAX,
      ...(beforeNumber === undefined ? {} : { beforeNumber }),
    });
    if (page.length > 0) yield page;
    if (page.length < PAGE_ROWS_MAX) return;
    beforeNumber = page.at(-1)?.number;
  }
}
