// Where every pipeline stands, read from maintained counts and a few of the newest rows of each.

import type { RunRecord, RunState } from "../../model/run.ts";
import type { MillContext } from "../mill-context.ts";
import { runName } from "../queries/find-run.ts";
import { readRunFacts } from "../queries/run-facts.ts";
import { toHealthView } from "../views/health-view.ts";
import { toRunView, type RunView } from "../views/run-view.ts";
import type { PipelineStatus, PipelineStatusView, StatusView } from "../views/status-view.ts";
import { toIso } from "../views/time-view.ts";
import type { FinishedRun } from "./finished-runs.ts";
import { listHealthNames, readHealth } from "./read-health.ts";

/** Which pipelines. */
export interface StatusOptions {
  /** Default: all that the store has runs of or this process knows. */
  readonly pipeline?: string;
}

/** Running runs of one pipeline that are shown. */
const RUNS_MAX = 20;
/** Waiting runs of one pipeline that are looked at for one that goes on by itself. */
const WAITING_MAX = 50;

/** Reads the status of pipelines. One that nobody knows is `idle` and has no gate. */
export async function readStatus(
  mill: Pick<MillContext, "store" | "pipelines">,
  { pipeline }: StatusOptions = {},
): Promise<StatusView> {
  const names =
    pipeline === undefined ? await listHealthNames(mill.store, mill.pipelines.keys()) : [pipeline];
  const counts = await mill.store.countRuns();
  const pipelines: PipelineStatusView[] = [];
  for (const name of names) pipelines.push(await readOne(mill, name, counts.get(name) ?? {}));
  return { schema: "millrace.status/1", at: toIso(mill.store.nowMs()), pipelines };
}

async function readOne(
  { store, pipelines }: Pick<MillContext, "store" | "pipelines">,
  pipeline: string,
  counts: Readonly<Partial<Record<RunState, number>>>,
): Promise<PipelineStatusView> {
  const { running = 0, queued = 0, waiting = 0 } = counts;
  const health = await readHealth(store, pipeline);
  const active =
    running === 0 ? [] : await store.listRuns({ pipeline, states: ["running"], limit: RUNS_MAX });
  const held =
    waiting === 0
      ? []
      : await store.listRuns({ pipeline, states: ["waiting"], limit: WAITING_MAX });
  const definition = pipelines.get(pipeline);
  const runs: RunView[] = [];
  for (const run of active) runs.push(toRunView(await readRunFacts(store, run)));
  const { pipeline: _name, ...view } = toHealthView(health);
  return {
    pipeline,
    status: decideStatus([...active, ...held], health.last),
    ...(definition === undefined ? {} : { gate: definition.gate }),
    running,
    queued,
    waiting,
    runs,
    ...(health.last === null ? {} : { last: toLast(health.last) }),
    health: view,
  };
}

/** The word for runs that are under way or wait, and for the one that ended last. */
export function decideStatus(
  open: readonly Pick<RunRecord, "state" | "reason" | "number" | "startedAtMs">[],
  last: Pick<FinishedRun, "state" | "number"> | null,
): PipelineStatus {
  // What was only enqueued for later has not begun.
  const begun = open.filter(
    ({ startedAtMs, state }) => startedAtMs !== null || state === "running",
  );
  if (begun.some(({ reason, state }) => state === "running" || reason !== "interrupted"))
    return "running";
  if (begun.some(({ number }) => number > (last?.number ?? 0))) return "stopped";
  if (last === null) return "idle";
  if (last.state === "cancelled") return "stopped";
  return last.state === "failed" ? "error" : "idle";
}

function toLast(run: FinishedRun): NonNullable<PipelineStatusView["last"]> {
  return {
    id: run.id,
    name: runName(run),
    state: run.state,
    endedAt: toIso(run.endedAtMs ?? run.updatedAtMs),
    ...(run.reason === null ? {} : { reason: run.reason }),
  };
}
