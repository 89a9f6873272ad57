// The questions that an open mill answers: they change nothing, and each loads its answer when it is asked.

import type { MillraceEvent } from "../../model/event.ts";
import type { RunRecord } from "../../model/run.ts";
import type { ReadEventsOptions } from "../events/read-events.ts";
import type { Explanation } from "../explain.ts";
import type { HealthOptions } from "../health/show-health.ts";
import type { SnapshotOptions } from "../health/read-snapshot.ts";
import type { StatusOptions } from "../health/read-status.ts";
import type { HistoryPage, HistoryQuery } from "../history/list-history.ts";
import { LateEvents } from "../feed/late-events.ts";
import type { MillContext } from "../mill-context.ts";
import { findRun } from "../queries/find-run.ts";
import type { ItemListQuery, ItemPage } from "../queries/list-items.ts";
import type { RunListQuery, RunPage } from "../queries/list-runs.ts";
import type { QueueStats } from "../queries/queue/queue-stats.ts";
import type { ResourceListQuery, ResourcePage } from "../resources/list-resources.ts";
import type { PipelineDurations } from "../rollups/read-durations.ts";
import type { RateQuery, RateSeries, ResourceSeries, SeriesQuery } from "../rollups/read-series.ts";
import type { RunResult } from "../run-result.ts";
import type { ScheduleListQuery, SchedulePage } from "../schedules/list-schedules.ts";
import type { HealthView } from "../views/health-view.ts";
import type { WorkerView } from "../views/worker-view.ts";
import type { SnapshotView, StatusView } from "../views/status-view.ts";

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
    const { findResult } = await import("../known-run.ts");
    return await findResult(this.#mill, reference);
  }

  /** A run by short name, id or "last". RUN_NOT_FOUND. */
  async run(reference: string): Promise<RunRecord> {
    return await findRun(this.#mill.store, reference);
  }

  /** A page of runs, newest first. */
  async runs(options: RunListQuery = {}): Promise<RunPage> {
    const { listRuns } = await import("../queries/list-runs.ts");
    return await listRuns(this.#mill.store, options);
  }

  /** A page of the items of a map stage, in item order. */
  async items(
    run: string,
    stage: string,
    options: Omit<ItemListQuery, "run" | "stage"> = {},
  ): Promise<ItemPage> {
    const { listItems } = await import("../queries/list-items.ts");
    return await listItems(this.#mill.store, { ...options, run, stage });
  }

  /** Name of this process among those that work. */
  get workerName(): string {
    return this.#mill.self.name;
  }

  /** The processes that work on the store, with what each runs now; those that were lost stay for a day. */
  async workers(): Promise<readonly WorkerView[]> {
    const { listWorkers } = await import("../queries/list-workers.ts");
    return await listWorkers(this);
  }

  /** A page of resources: what is declared and what is in force, who has them, and who waits. */
  async resources(query: ResourceListQuery = {}): Promise<ResourcePage> {
    const { listResources } = await import("../resources/list-resources.ts");
    return await listResources(this.#mill, query);
  }

  /** A page of schedules, in order of name. */
  async schedules(query: ScheduleListQuery = {}): Promise<SchedulePage> {
    const { listSchedules } = await import("../schedules/list-schedules.ts");
    return await listSchedules(this.#mill, query);
  }

  /** Counts of runs by state and pipeline; costs the same however many there are. */
  async stats(): Promise<QueueStats> {
    const { readQueueStats } = await import("../queries/queue/queue-stats.ts");
    return await readQueueStats(this.#mill.store);
  }

  /** How every pipeline is doing by its last runs, whether stages and resources have what they depend on, and what a
   *  watchdog found. Never rejects for what it finds. */
  async health(options: HealthOptions = {}): Promise<HealthView> {
    const { readMillHealth } = await import("../health/mill-health.ts");
    return await readMillHealth(this.#mill, options);
  }

  /** Where every pipeline stands: one of four words, what is under way, and its health. */
  async status(options: StatusOptions = {}): Promise<StatusView> {
    const { readStatus } = await import("../health/read-status.ts");
    return await readStatus(this.#mill, options);
  }

  /** All that an overview shows, in one answer. */
  async snapshot(options: SnapshotOptions = {}): Promise<SnapshotView> {
    const { readSnapshot } = await import("../health/read-snapshot.ts");
    return await readSnapshot(this.#mill, options);
  }

  /** A page of summaries of finished runs, newest first. */
  async history(query: HistoryQuery = {}): Promise<HistoryPage> {
    const { listHistory } = await import("../history/list-history.ts");
    return await listHistory(this.#mill.store, query);
  }

  /** Runs that began and ended, and how their queues stood, by minute (24 h) or by day (two years). Kept by a process
   *  that serves, also for the time in which none did; how queues stood was seen only while one did. */
  async rates(query: RateQuery = {}): Promise<RateSeries> {
    const { readRates } = await import("../rollups/read-series.ts");
    return await readRates(this.#mill.store, query);
  }

  /** What was held and waited for of a resource, what its quotas had left and how many breakers were open, by minute or
   *  by day. RESOURCE_UNKNOWN. */
  async resourceHistory(name: string, query: SeriesQuery = {}): Promise<ResourceSeries> {
    const { readResourceSeries } = await import("../rollups/read-series.ts");
    return await readResourceSeries(this.#mill, name, query);
  }

  /** Half, 95 % and the longest of the last 200 durations of a pipeline's runs and of each of its stages. Kept by a
   *  process that serves. */
  async durations(pipeline: string): Promise<PipelineDurations> {
    const { readDurations } = await import("../rollups/read-durations.ts");
    return await readDurations(this.#mill.store, pipeline);
  }

  /** Events of the store and of this process in the order of their numbers: stored ones after `after` first, then live
   *  ones, without a gap and none twice; without `after` those from this call on. Ends when it is returned, aborted or
   *  the mill closes. SUBSCRIBERS_FULL, RUN_NOT_FOUND, OPTION_INVALID. */
  events(options: ReadEventsOptions = {}): AsyncIterableIterator<MillraceEvent> {
    return new LateEvents(this.#mill, options);
  }

  /** Why a run, stage or item is not running, or how it ended. */
  async why(run: string, stage?: string, item?: string): Promise<Explanation> {
    const { explainRun } = await import("../explain.ts");
    return await explainRun(this.#mill.store, await this.run(run), {
      ...(stage === undefined ? {} : { stage }),
      ...(item === undefined ? {} : { item }),
    });
  }
}
