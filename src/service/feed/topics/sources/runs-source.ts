// The newest runs, and all that change while somebody looks.

import type { MillraceEvent } from "../../../../model/event.ts";
import type { RunRecord } from "../../../../model/run.ts";
import type { MillContext } from "../../../mill-context.ts";
import { readRunFacts } from "../../../queries/run-facts.ts";
import { toRunView } from "../../../views/run-view.ts";
import type { EntrySource } from "../entry-source.ts";

/** Runs that a snapshot begins with. */
const RUNS_MAX = 100;
/** Ids of which it is remembered that they were told. */
const TOLD_MAX = 1_000;

/** The entries `run/ID`. */
export class RunsSource implements EntrySource {
  readonly everyMs = null;
  readonly #mill: MillContext;
  /** Runs that clients may hold, in the order of their last change. */
  readonly #told: Set<string> = new Set();

  constructor(mill: MillContext) {
    this.#mill = mill;
  }

  touch({ run, type }: MillraceEvent): readonly string[] | null {
    const isItem = type.startsWith("item.") && type !== "item.failed" && type !== "item.waiting";
    if (run === "" || isItem || type === "stage.logged" || type === "stage.progressed") return null;
    return [`run/${run}`];
  }

  async read(ids: ReadonlySet<string> | "all"): Promise<ReadonlyMap<string, unknown>> {
    const { store } = this.#mill;
    const entries = new Map<string, unknown>();
    if (ids === "all") {
      const newest = await store.listRuns({ limit: RUNS_MAX });
      for (const run of newest) await this.#view(entries, run);
    }
    const known = ids === "all" ? [...this.#told] : [...ids];
    for (const id of known) {
      if (entries.has(id)) continue;
      const run = await store.findRun(id.slice("run/".length));
      if (run !== undefined) await this.#view(entries, run);
      else if (this.#told.delete(id)) entries.set(id, null);
    }
    return entries;
  }

  async #view(entries: Map<string, unknown>, run: RunRecord): Promise<void> {
    const id = `run/${run.id}`;
    const { store, machine } = this.#mill;
    entries.set(id, toRunView(await readRunFacts(store, run, machine)));
    this.#told.delete(id);
    this.#told.add(id);
    const [oldest] = this.#told;
    if (this.#told.size <= TOLD_MAX || oldest === undefined) return;
    this.#told.delete(oldest);
  }
}
