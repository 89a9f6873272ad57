// Deletes runs with all they have, a page at a time, each in bounded steps. What is purged twice is gone once.

import { MillraceError } from "../../model/errors.ts";
import { DELETE_ROWS_MAX } from "../../model/limits.ts";
import type { RunRecord, RunState } from "../../model/run.ts";
import type { Duration } from "../../std/duration.ts";
import type { MillContext } from "../mill-context.ts";
import { whileOpen } from "../commands/begin-run.ts";
import { RunFolders } from "./run-folders.ts";
import { listRunPages, parseAge, Selection, type SelectionOutcome } from "./run-selection.ts";

/** Which runs to delete. */
export interface PurgeOptions {
  /** One or several, any but `running`. */
  readonly state: RunState | readonly RunState[];
  readonly pipeline?: string;
  /** Only runs that last moved at least this long ago. Default: all. */
  readonly olderThan?: Duration;
  /** True: only counts. */
  readonly dryRun?: boolean;
}

/** Deletes matching runs. One that moved on meanwhile is skipped. OPTION_INVALID for `running`. */
export async function purgeRuns(
  mill: MillContext,
  options: PurgeOptions,
): Promise<SelectionOutcome> {
  const { state, pipeline, olderThan, dryRun } = options;
  const states = typeof state === "string" ? [state] : state;
  checkStates(states);
  const ageMs = olderThan === undefined ? -Infinity : parseAge("olderThan", olderThan);
  const beforeMs = mill.store.nowMs() - ageMs;
  const selection = new Selection();
  using folders = await RunFolders.list(mill.store.url);
  const query = { states, ...(pipeline === undefined ? {} : { pipeline }) };
  for await (const page of listRunPages(mill.store, query)) {
    const runs = page.filter((run) => run.updatedAtMs <= beforeMs);
    selection.match(runs.length);
    if (dryRun === true || runs.length === 0) continue;
    await whileOpen(mill, () => deleteAll(mill, runs, { states, selection, folders }));
  }
  return selection.outcome;
}

interface Deleting {
  readonly states: readonly RunState[];
  readonly selection: Selection;
  readonly folders: RunFolders;
}

async function deleteAll(
  mill: MillContext,
  runs: readonly RunRecord[],
  { states, selection, folders }: Deleting,
): Promise<void> {
  const left = new Map(runs.map((run) => [run.id, run]));
  while (left.size > 0) {
    const result = await mill.committer.write({
      kind: "delete-runs",
      runIds: [...left.keys()],
      states,
      rowsMax: DELETE_ROWS_MAX,
    });
    if (result.kind !== "deleted")
      throw new MillraceError("STORE_FAILED", `The store deleted nothing: ${result.kind}.`);
    selection.change(result.deleted.length);
    await folders.remove(result.deleted);
    for (const id of result.kept) {
      const run = left.get(id);
      if (run !== undefined) selection.skip(run, `it is no longer ${run.state}`);
    }
    for (const id of [...result.deleted, ...result.kept]) left.delete(id);
  }
}

function checkStates(states: readonly RunState[]): void {
  if (states.length > 0 && !states.includes("running")) return;
  throw new MillraceError(
    "OPTION_INVALID",
    states.length === 0
      ? "state: expected at least one state of runs to delete."
      : "state: a running run is never deleted.",
    { hint: "cancel it first" },
  );
}
