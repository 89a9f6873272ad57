// The processes that work on a store: those that live, and those that were lost within the last day.

import { MillraceError } from "../../model/errors.ts";
import type { WorkerRecord } from "../../storage/store.ts";
import { contextOf } from "../mill-context.ts";
import { toWorkerView, type WorkerView } from "../views/worker-view.ts";
import { listLostWorkers, type LostWorker } from "../worker/lost-workers.ts";

/** Lists them: those that live first, then by name. A process that ended in peace, with nothing left, is no more. */
export async function listWorkers(mill: object): Promise<readonly WorkerView[]> {
  const { store, machine } = contextOf(mill);
  const [records, lost] = await Promise.all([store.listWorkers(), listLostWorkers(store)]);
  const nowMs = store.nowMs();
  const known = new Set(records.map(({ owner }) => owner.worker));
  const unheard = [...lost.values()].filter(({ worker }) => !known.has(worker)).map(toRecord);
  return [...records, ...unheard]
    .map((record) => {
      const one = lost.get(record.owner.worker);
      return {
        view: toWorkerView(record, { machine, nowMs, lost: one }),
        isMissed: one !== undefined || record.running.length > 0,
      };
    })
    .filter(({ view, isMissed }) => view.alive !== "gone" || isMissed)
    .map(({ view }) => view)
    .sort((left, right) => rank(left) - rank(right) || (left.name < right.name ? -1 : 1));
}

/** One of them, by id or name. WORKER_UNKNOWN. */
export async function getWorker(mill: object, reference: string): Promise<WorkerView> {
  const workers = await listWorkers(mill);
  const found =
    workers.find(({ id }) => id === reference) ?? workers.find(({ name }) => name === reference);
  if (found !== undefined) return found;
  const known = workers.map(({ name }) => name);
  throw new MillraceError("WORKER_UNKNOWN", `There is no worker "${reference}".`, {
    hint:
      known.length === 0 ? "none works on this store" : `known: ${known.slice(0, 20).join(", ")}`,
    details: { given: reference, known: known.slice(0, 100) },
  });
}

/** Of one that was lost before it could say anything of itself. */
function toRecord({ worker, host, pid, lostAtMs }: LostWorker): WorkerRecord {
  const owner = { worker, host, pid, bootId: "", processStart: "" };
  return { owner, beatAtMs: lostAtMs, running: [], facts: null };
}

const RANKS = { yes: 0, silent: 1, gone: 2 } as const;

function rank({ alive }: WorkerView): number {
  return RANKS[alive];
}
