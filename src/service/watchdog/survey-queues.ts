// Looks at queues: how old what is due has become, and how fast failed runs become more. Counts are maintained by the
// store, so that a look costs the same however many runs there are.

import type { Survey } from "../../engine/upkeep/watchdog.ts";
import { PAGE_ROWS_MAX, QUEUE_AGE_MS_MAX, QUEUE_AHEAD_MAX } from "../../model/limits.ts";
import type { Sighting } from "../../policy/watchdog/finding.ts";
import { judgeFailures, judgeQueueAge, judgeScheduler } from "../../policy/watchdog/judge-queue.ts";
import type { Clock } from "../../std/clock.ts";
import type { Store } from "../../storage/store.ts";

/** What it asks. */
export interface QueueSurveyParts {
  readonly store: Pick<Store, "countRuns" | "countAhead" | "listRuns" | "nowMs">;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** How late schedules are, ms. Default: there are none here. */
  readonly scheduler: { readonly lateMs: number } | undefined;
}

/** Looks at the queues of a store. */
export class QueueSurvey implements Survey {
  readonly name: string = "queues";
  readonly isShared: boolean = true;
  readonly #parts: QueueSurveyParts;
  /** Failed runs by pipeline at the last look. */
  #failed: ReadonlyMap<string, number> = new Map();
  #lookedMs: number | null = null;

  constructor(parts: QueueSurveyParts) {
    this.#parts = parts;
  }

  async look(): Promise<readonly Sighting[]> {
    const { store, clock, scheduler } = this.#parts;
    const counts = await store.countRuns();
    const nowMs = clock.monotonicMs();
    const passedMs = this.#lookedMs === null ? 0 : nowMs - this.#lookedMs;
    const found: (Sighting | undefined)[] = [];
    for (const [pipeline, { queued = 0, failed: now = 0 }] of counts) {
      if (queued > 0) found.push(await this.#judgeAge(pipeline, queued));
      const before = this.#failed.get(pipeline) ?? 0;
      found.push(judgeFailures({ pipeline, before, now, passedMs }));
    }
    this.#failed = new Map([...counts].map(([name, { failed = 0 }]) => [name, failed]));
    this.#lookedMs = nowMs;
    if (scheduler !== undefined) found.push(judgeScheduler(scheduler.lateMs));
    return found.filter((one) => one !== undefined);
  }

  async #judgeAge(pipeline: string, queued: number): Promise<Sighting | undefined> {
    const overdue = await this.#countOverdue(pipeline, queued);
    return judgeQueueAge({ pipeline, queued, overdue, overdueMax: QUEUE_AHEAD_MAX });
  }

  /** What stands in the queue before a run that has just become too old. In a long queue priority counts as age. */
  async #countOverdue(pipeline: string, queued: number): Promise<number> {
    const { store } = this.#parts;
    const dueAtMs = store.nowMs() - QUEUE_AGE_MS_MAX;
    const place = { pipeline, dueAtMs, priority: 0, number: Number.MAX_SAFE_INTEGER };
    const ahead = await store.countAhead(place, QUEUE_AHEAD_MAX);
    if (ahead === 0 || queued > PAGE_ROWS_MAX) return ahead;
    const runs = await store.listRuns({ pipeline, states: ["queued"], limit: PAGE_ROWS_MAX });
    return runs.filter((run) => run.dueAtMs <= dueAtMs).length;
  }
}
