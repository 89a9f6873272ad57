// The questions that an open mill answers: they change nothing, and each loads its answer when it is asked.

import type { RunRecord } from "../model/run.ts";
import type { Explanation } from "./explain.ts";
import type { MillContext } from "./mill-context.ts";
import { findRun } from "./queries/find-run.ts";
import type { ItemListQuery, ItemPage } from "./queries/list-items.ts";
import type { RunListQuery, RunPage } from "./queries/list-runs.ts";
import type { QueueStats } from "./queries/queue-stats.ts";
import type { ResourceListQuery, ResourcePage } from "./resources/list-resources.ts";
import type { RunResult } from "./run-result.ts";

/** What can be asked of a mill. */
export class MillQuestions {
  readonly #mill: MillContext;

  /** Use `openMillrace`. */
  constructor(mill: MillContext) {
    this.#mill = mill;
  }

  /** What a run gave, by short name, id or "last": of one that this process works on when it has ended. A run
   *  that others work on has no result yet: RUN_STATE_CONFLICT. */
  async result(reference: string): Promise<RunResult> {
    const { findResult } = await import("./known-run.ts");
    return await findResult(this.#mill, reference);
  }

  /** A run by short name, id or "last". RUN_NOT_FOUND. */
  async run(reference: string): Promise<RunRecord> {
    return await findRun(this.#mill.store, reference);
  }

  /** A page of runs, newest first. */
  async runs(options: RunListQuery = {}): Promise<RunPage> {
    const { listRuns } = await import("./queries/list-runs.ts");
    return await listRuns(this.#mill.store, options);
  }

  /** A page of the items of a map stage, in item order. */
  async items(
    run: string,
    stage: string,
    options: Omit<ItemListQuery, "run" | "stage"> = {},
  ): Promise<ItemPage> {
    const { listItems } = await import("./queries/list-items.ts");
    return await listItems(this.#mill.store, { ...options, run, stage });
  }

  /** A page of resources: what is declared and what is in force, who has them, and who waits. */
  async resources(query: ResourceListQuery = {}): Promise<ResourcePage> {
    const { listResources } = await import("./resources/list-resources.ts");
    return await listResources(this.#mill, query);
  }

  /** Counts of runs by state and pipeline; costs the same however many there are. */
  async stats(): Promise<QueueStats> {
    const { readQueueStats } = await import("./queries/queue-stats.ts");
    return await readQueueStats(this.#mill.store);
  }

  /** Why a run, stage or item is not running, or how it ended. */
  async why(run: string, stage?: string, item?: string): Promise<Explanation> {
    const { explainRun } = await import("./explain.ts");
    return await explainRun(this.#mill.store, await this.run(run), {
      ...(stage === undefined ? {} : { stage }),
      ...(item === undefined ? {} : { item }),
    });
  }
}
