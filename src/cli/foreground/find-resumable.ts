// Which run a verb is about, read before anything is changed: the one that was named, or the newest that can be
// resumed.

import { isMillraceError } from "../../model/errors.ts";
import type { RunRecord } from "../../model/run.ts";
import { openMillrace, type Millrace } from "../../service/millrace.ts";
import { readRunFacts } from "../../service/queries/run-facts.ts";
import { showRun, type RunDetail } from "../../service/queries/show-run.ts";
import type { CliContext } from "../cli-context.ts";
import { readSettings } from "../settings.ts";

/** A run as it was before a verb touched it. */
export interface FoundRun {
  readonly record: RunRecord;
  readonly detail: RunDetail;
}

/** Runs looked through for one that can be resumed. */
const LOOKED_THROUGH_MAX = 500;

/** The run that `reference` names. STORE_NOT_FOUND, RUN_NOT_FOUND. */
export async function readNamedRun(context: CliContext, reference: string): Promise<FoundRun> {
  await using mill = await openToRead(context);
  const record = await mill.run(reference);
  return { record, detail: await showRun(mill.store, record.id) };
}

/** The newest run that failed, was interrupted, or lost its process; undefined: there is none. */
export async function findNewestResumable(context: CliContext): Promise<FoundRun | undefined> {
  try {
    await using mill = await openToRead(context);
    const runs = await mill.store.listRuns({
      states: ["failed", "waiting", "running"],
      limit: LOOKED_THROUGH_MAX,
    });
    for (const record of runs) {
      const isOpen =
        record.state !== "running" || (await readRunFacts(mill.store, record)).isAbandoned;
      if (isOpen) return { record, detail: await showRun(mill.store, record.id) };
    }
    return undefined;
  } catch (error) {
    // Where nothing was ever run, there is nothing to resume.
    if (isMillraceError(error) && error.code === "STORE_NOT_FOUND") return undefined;
    throw error;
  }
}

async function openToRead(context: CliContext): Promise<Millrace> {
  const settings = await readSettings(context);
  return openMillrace({
    store: settings.store.value,
    busyTimeoutMs: settings.busyTimeoutMs.value,
    mode: "read",
    clock: context.clock,
    random: context.random,
  });
}
