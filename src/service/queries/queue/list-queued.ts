// Runs in the queue, newest first, each with how many are claimed before it.

import { QUEUE_AHEAD_MAX } from "../../../model/limits.ts";
import { parseCrockford } from "../../../std/crockford.ts";
import type { Store } from "../../../storage/store.ts";
import { toRunView, type RunView } from "../../views/run-view.ts";
import { toIso } from "../../views/time-view.ts";
import { findPlaceBlocker } from "../find-place-blocker.ts";
import { runName } from "../find-run.ts";
import { checkPageLimit, cursorInvalid } from "../page-limit.ts";
import { readRunFacts } from "../run-facts.ts";
import { toBlockerView } from "../../views/blocker-view.ts";

/** Which. */
export interface QueuedListQuery {
  readonly pipeline?: string;
  /** 1 to 500. Default 20. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** A run in the queue. */
export interface QueuedRunView {
  readonly run: RunView;
  /** Runs of its pipeline that are claimed before it; QUEUE_AHEAD_MAX stands for so many or more. */
  readonly ahead: number;
  readonly dueAt: string;
}

/** A page. */
export interface QueuedPage {
  readonly queued: readonly QueuedRunView[];
  readonly nextCursor?: string;
}

/** Lists them. OPTION_INVALID. */
export async function listQueued(store: Store, query: QueuedListQuery): Promise<QueuedPage> {
  const limit = checkPageLimit(query.limit);
  const beforeNumber = query.cursor === undefined ? undefined : parseCrockford(query.cursor);
  if (query.cursor !== undefined && beforeNumber === undefined) throw cursorInvalid(query.cursor);
  const found = await store.listRuns({
    states: ["queued"],
    limit,
    ...(query.pipeline === undefined ? {} : { pipeline: query.pipeline }),
    ...(beforeNumber === undefined ? {} : { beforeNumber }),
  });
  const queued: QueuedRunView[] = [];
  for (const run of found) {
    const facts = await readRunFacts(store, run);
    const full = await findPlaceBlocker(store, facts);
    const view = toRunView(facts);
    queued.push({
      run: full === undefined ? view : { ...view, blocker: toBlockerView(full) },
      ahead: await store.countAhead(run, QUEUE_AHEAD_MAX),
      dueAt: toIso(run.dueAtMs),
    });
  }
  const last = found.at(-1);
  const hasMore = last !== undefined && found.length === limit;
  return { queued, ...(hasMore ? { nextCursor: runName(last) } : {}) };
}
