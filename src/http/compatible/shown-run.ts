// The one run that an older system would speak of: the run of the pipeline that is under way, else the newest.

import { findActiveRun } from "../../service/commands/start-alone.ts";
import type { Millrace } from "../../service/millrace.ts";
import { viewRun } from "../../service/queries/run/view-run.ts";
import type { ShownRun } from "./old-words.ts";

/** That run; null: the pipeline has none. */
export async function showCurrent(mill: Millrace, pipeline: string): Promise<ShownRun | null> {
  const active = await findActiveRun(mill.store, pipeline);
  if (active !== undefined) return await showKnown(mill, active.id);
  const [newest] = await mill.store.listRuns({ pipeline, limit: 1 });
  return newest === undefined ? null : await showKnown(mill, newest.id);
}

/** A run by its id. RUN_NOT_FOUND. */
export async function showKnown(mill: Millrace, id: string): Promise<ShownRun> {
  const record = await mill.run(id);
  return { record, view: await viewRun(mill.store, record), nowMs: mill.store.nowMs() };
}
