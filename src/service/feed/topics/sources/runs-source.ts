// The newest runs, and all that change while somebody looks: a thousand at most, since the topic is kept up as long as
// anybody looks. Those that ended leave first.

import type { MillraceEvent } from "../../../../model/event.ts";
import { isRunOver, type RunRecord } from "../../../../model/run.ts";
import type { MillContext } from "../../../mill-context.ts";
import { readRunFacts } from "../../../queries/run-facts.ts";
import { toRunView } from "../../../views/run-view.ts";
import { assert } from "../../../../std/error/assert.ts";
import type { EntrySource } from "../entry-source.ts";

/** Runs that a snapshot begins with. */
const RUNS_MAX = 100;
/** Entries of the topic. */
const TOLD_MAX = 1_000;

/** The entries `run/ID`. */
export class RunsSource implements EntrySource {
  readonly everyMs = null;
  readonly #mill: MillContext;
  /** The entries, and whether their runs are over; in the order of their last change. */
  readonly #told: Map<string, boolean> = new Map();

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
    const newest = ids === "all" ? await store.listRuns({ limit: RUNS_MAX }) : [];
    const apart = new Set(newest.map((run) => `run/${run.id}`));
    for (const id of ids === "all" ? [...this.#told.keys()] : ids) {
      if (apart.has(id)) continue;
      const run = await store.findRun(id.slice("run/".length));
      if (run !== undefined) await this.#view(entries, run);
      else if (this.#told.delete(id)) entries.set(id, null);
    }
    // Told last, oldest first: they are the last to leave.
    for (const run of newest.toReversed()) await this.#view(entries, run);
    return entries;
  }

  async #view(entries: Map<string, unknown>, run: RunRecord): Promise<void> {
    const id = `run/${run.id}`;
    const { store, machine } = this.#mill;
    entries.set(id, toRunView(await readRunFacts(store, run, machine)));
    this.#told.delete(id);
    this.#told.set(id, isRunOver(run.state));
    if (this.#told.size <= TOLD_MAX) return;
    const left = this.#findOldest();
    this.#told.delete(left);
    entries.set(left, null);
  }

  /** Of those that are over; of all where none is. */
  #findOldest(): string {
    for (const [id, isOver] of this.#told) if (isOver) return id;
    const [oldest] = this.#told.keys();
    assert(oldest !== undefined, "There are more entries than may be.");
    return oldest;
  }
}
