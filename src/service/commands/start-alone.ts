// Makes a run only where none of its pipeline is under way, queued ones included: for callers that know one run at a
// time. Looking and making are one change of a record, so that of two that ask at once, in any processes, one wins.

import { MillraceError } from "../../model/errors.ts";
import type { RunRecord } from "../../model/run.ts";
import type { Store } from "../../storage/store.ts";
import type { WriteResult } from "../../storage/write-result.ts";
import type { CreateRunWrite } from "../../storage/write.ts";
import type { MillContext } from "../mill-context.ts";
import { runName } from "../queries/find-run.ts";

/** Runs that wait and are looked at for one that goes on by itself. */
const WAITING_MAX = 50;

/** The run of a pipeline that is under way: the newest that runs, else one that waits for what clears by itself, else
 *  the newest in the queue. One that was interrupted and waits for somebody is none. */
export async function findActiveRun(
  store: Pick<Store, "listRuns">,
  pipeline: string,
): Promise<RunRecord | undefined> {
  const [running] = await store.listRuns({ pipeline, states: ["running"], limit: 1 });
  if (running !== undefined) return running;
  const held = await store.listRuns({ pipeline, states: ["waiting"], limit: WAITING_MAX });
  const waiting = held.find(({ reason }) => reason !== "interrupted");
  if (waiting !== undefined) return waiting;
  const [queued] = await store.listRuns({ pipeline, states: ["queued"], limit: 1 });
  return queued;
}

/** A look before anything else is done for a start; `createAlone` decides. RUN_BUSY. */
export async function refuseActive(
  store: Pick<Store, "listRuns">,
  pipeline: string,
): Promise<void> {
  const active = await findActiveRun(store, pipeline);
  if (active !== undefined) throw pipelineActive(active);
}

/** Makes it. RUN_BUSY with the run that is under way; what else may stand in the way is the answer. */
export async function createAlone(mill: MillContext, write: CreateRunWrite): Promise<WriteResult> {
  const { pipeline, id } = write.run;
  const address = { collection: "settings", key: `alone/${pipeline}` } as const;
  for (;;) {
    const known = await mill.store.findRecord(address.collection, address.key);
    await refuseActive(mill.store, pipeline);
    const result = await mill.committer.write({
      kind: "put-records",
      puts: [{ ...address, expected: known?.revision ?? 0, value: { run: id } }],
      run: write,
      events: [],
    });
    // Who was first has made its run by now: the next look finds it.
    if (result.kind !== "record-conflict") return result;
  }
}

function pipelineActive(run: RunRecord): MillraceError {
  const name = runName(run);
  return new MillraceError(
    "RUN_BUSY",
    `A run of pipeline "${run.pipeline}" is under way: ${name} is ${run.state}.`,
    {
      hint: "wait for its end, or stop it",
      next: `npx millrace show ${name}`,
      retryable: true,
      details: { run: run.id, name, state: run.state },
    },
  );
}
