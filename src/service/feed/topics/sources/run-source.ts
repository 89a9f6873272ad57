// One run: itself, its stages, and the states of its items.

import type { MillraceEvent } from "../../../../model/event.ts";
import { isRunOver } from "../../../../model/run.ts";
import type { MillContext } from "../../../mill-context.ts";
import { findRun } from "../../../queries/find-run.ts";
import { readRunFacts } from "../../../queries/run-facts.ts";
import { toRunView } from "../../../views/run-view.ts";
import { toStageViews } from "../../../views/stage-view.ts";
import type { EntrySource } from "../entry-source.ts";
import { RunItems } from "../run-items.ts";

/** What runs now in other processes is told by their beats, which come so often, ms. */
const BEAT_MS = 1_000;

/** The entries `run` and `stage/NAME`. */
export class RunSource implements EntrySource {
  readonly items: RunItems;
  readonly #mill: MillContext;
  readonly #runId: string;
  #isOver = false;

  constructor(mill: MillContext, runId: string) {
    this.#mill = mill;
    this.#runId = runId;
    this.items = new RunItems(mill.store, runId, (id) => mill.live.get(id));
  }

  /** Null: it has ended, and only an event can change it. */
  get everyMs(): number | null {
    return this.#isOver ? null : BEAT_MS;
  }

  touch({ run, type }: MillraceEvent): "all" | null {
    // A line that is logged changes nothing that is shown.
    return run === this.#runId && type !== "stage.logged" ? "all" : null;
  }

  async read(): Promise<ReadonlyMap<string, unknown>> {
    const { store, machine } = this.#mill;
    const facts = await readRunFacts(store, await findRun(store, this.#runId), machine);
    await this.items.load(facts);
    this.#isOver = isRunOver(facts.run.state);
    const entries = new Map<string, unknown>([["run", toRunView(facts)]]);
    for (const stage of toStageViews(facts)) entries.set(`stage/${stage.stage}`, stage);
    return entries;
  }

  summarize(find: (id: string) => unknown, ids: Iterable<string>): unknown {
    const stages: Record<string, unknown> = {};
    for (const id of ids) {
      if (!id.startsWith("stage/")) continue;
      const view = find(id);
      if (typeof view !== "object" || view === null) continue;
      const state = "state" in view ? view.state : undefined;
      const items = "items" in view ? view.items : undefined;
      stages[id.slice("stage/".length)] = items === undefined ? { state } : { state, items };
    }
    return { stages };
  }
}
