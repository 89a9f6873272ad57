// Everything that an overview shows, in one answer: where pipelines stand, what runs, what has ended, what waits and for
// what, and what is to come. The number of the last event is read first, so that who follows from there misses nothing.

import { toEffective } from "../../model/schedule/schedule-state.ts";
import type { RunRecord } from "../../model/run.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { Store } from "../../storage/store.ts";
import { ENDED_STATES, summarize } from "../history/list-history.ts";
import type { MillContext } from "../mill-context.ts";
import { runName } from "../queries/find-run.ts";
import { readRunFacts } from "../queries/run-facts.ts";
import { findRunBlocker, toRunView, type RunView } from "../views/run-view.ts";
import type { NextTickView, SnapshotView, WaitingRunView } from "../views/status-view.ts";
import { toIso } from "../views/time-view.ts";
import { parseScheduleState } from "../schedules/schedule-record.ts";
import { readStatus } from "./read-status.ts";

/** What a snapshot is of. */
export interface SnapshotOptions {
  /** Only of this pipeline; schedules are those of all. Default: all. */
  readonly pipeline?: string;
}

const RUNNING_MAX = 50;
const RECENT_MAX = 20;
const WAITING_MAX = 50;
const NEXT_MAX = 20;

/** Takes a snapshot. */
export async function readSnapshot(
  mill: Pick<MillContext, "store" | "pipelines">,
  { pipeline }: SnapshotOptions = {},
): Promise<SnapshotView> {
  const { store } = mill;
  const of = pipeline === undefined ? {} : { pipeline };
  const [newest] = await store.listEvents({ after: 0, newestFirst: true, limit: 1 });
  const { at, pipelines } = await readStatus(mill, of);
  const running = await store.listRuns({ ...of, states: ["running"], limit: RUNNING_MAX });
  const waiting = await store.listRuns({ ...of, states: ["waiting"], limit: WAITING_MAX });
  const ended = await store.listRuns({ ...of, states: ENDED_STATES, limit: RECENT_MAX });
  return {
    schema: "millrace.snapshot/1",
    at,
    seq: newest?.seq ?? 0,
    pipelines,
    running: await mapEach(running, (run) => viewRun(store, run)),
    recent: await summarize(store, ended),
    waiting: await mapEach(waiting, (run) => viewWaiting(store, run)),
    next: await listNext(store),
  };
}

async function mapEach<T>(
  runs: readonly RunRecord[],
  view: (run: RunRecord) => Promise<T>,
): Promise<readonly T[]> {
  const views: T[] = [];
  for (const run of runs) views.push(await view(run));
  return views;
}

async function viewRun(store: Store, run: RunRecord): Promise<RunView> {
  return toRunView(await readRunFacts(store, run));
}

async function viewWaiting(store: Store, run: RunRecord): Promise<WaitingRunView> {
  const blocker = findRunBlocker(await readRunFacts(store, run));
  const expectedAtMs = blocker?.expectedAtMs;
  return {
    run: run.id,
    name: runName(run),
    pipeline: run.pipeline,
    text: blocker?.text ?? `waits: ${run.reason ?? "interrupted"}`,
    ...(expectedAtMs === undefined ? {} : { expectedAt: toIso(expectedAtMs) }),
  };
}

/** Schedules by when they are due: that is when they fire. */
async function listNext(store: Pick<Store, "listDueRecords">): Promise<readonly NextTickView[]> {
  const due = await store.listDueRecords({
    collection: "schedules",
    untilMs: Number.MAX_SAFE_INTEGER,
    limit: NEXT_MAX,
  });
  return due.flatMap(toTick);
}

function toTick({ key, value }: StoreRecord): readonly NextTickView[] {
  const state = parseScheduleState(value);
  if (state === undefined || state.nextMs === null || !toEffective(state).enabled) return [];
  return [{ schedule: key, pipeline: state.declared.pipeline, at: toIso(state.nextMs) }];
}
