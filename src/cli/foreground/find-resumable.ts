// Which run a verb is about, read before anything is changed: the one that was named, or the newest that can be
// resumed.

import type { RunRecord } from "../../model/run.ts";
import type { RunHistory } from "../../service/plan/plan-forecast.ts";
import type { PlanRecords } from "../../service/plan/plan-selection.ts";
import { findRun } from "../../service/queries/find-run.ts";
import type { StoreReader } from "../../service/queries/open-reader.ts";
import { toPlanRecords } from "../../service/queries/plan-basis.ts";
import { readRunHistory } from "../../service/queries/run-history.ts";
import { readRunFacts } from "../../service/queries/run-facts.ts";
import { showRun, type RunDetail } from "../../service/queries/show-run.ts";
import type { CliContext } from "../cli-context.ts";
import { withStore, withStoreIfAny } from "../with-store.ts";

/** A run as it was before a verb touched it. */
export interface FoundRun {
  readonly record: RunRecord;
  readonly detail: RunDetail;
  /** What a plan of going on, or of doing it again, rests on. */
  readonly basis: { readonly records: PlanRecords; readonly history: RunHistory };
}

/** Runs looked through for one that can be resumed. */
const LOOKED_THROUGH_MAX = 500;

/** The run that `reference` names. STORE_NOT_FOUND, RUN_NOT_FOUND. */
export function readNamedRun(context: CliContext, reference: string): Promise<FoundRun> {
  return withStore(context, async (store) => readFound(store, await findRun(store, reference)));
}

/**
 * The newest run that failed, was interrupted, or lost its process; undefined: there is none, or nothing was
 * ever run here. STORE_NOT_FOUND for a store that was named.
 */
export function findNewestResumable(context: CliContext): Promise<FoundRun | undefined> {
  return withStoreIfAny(context, async (store) => {
    const record = await findOpen(store);
    return record === undefined ? undefined : await readFound(store, record);
  });
}

async function findOpen(store: StoreReader): Promise<RunRecord | undefined> {
  const runs = await store.listRuns({
    states: ["failed", "waiting", "running"],
    limit: LOOKED_THROUGH_MAX,
  });
  for (const record of runs) {
    if (record.state !== "running" || (await readRunFacts(store, record)).isAbandoned)
      return record;
  }
  return undefined;
}

async function readFound(store: StoreReader, record: RunRecord): Promise<FoundRun> {
  return {
    record,
    detail: await showRun(store, record.id),
    basis: {
      records: await toPlanRecords(store, record),
      history: await readRunHistory(store, record.pipeline),
    },
  };
}
