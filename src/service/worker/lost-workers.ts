// What was reclaimed from a process that was lost, kept for a day beside what it had said of itself.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import type { Owner } from "../../model/lease.ts";
import { LOST_RUNS_MAX, PAGE_ROWS_MAX, WORKER_SILENT_MS_MAX } from "../../model/limits.ts";
import type { RunRecord } from "../../model/run.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { MillContext } from "../mill-context.ts";
import { runName } from "../queries/find-run.ts";

/** A process that was lost. */
export interface LostWorker {
  /** Id of the worker. */
  readonly worker: string;
  readonly host: string;
  readonly pid: number;
  /** When its first run was reclaimed, UTC ms of the store. */
  readonly lostAtMs: number;
  readonly reason: string;
  /** Names of runs that were reclaimed from it, at most LOST_RUNS_MAX. */
  readonly runs: readonly string[];
  /** All of them. */
  readonly count: number;
}

/** A run that was reclaimed. */
export interface LostRun {
  readonly owner: Owner;
  readonly run: RunRecord;
  readonly reason: string;
}

type Mill = Pick<MillContext, "store" | "committer">;

/** Tries to write it while others write the same. */
const TRIES_MAX = 5;

/** Remembers that a run was reclaimed from its owner. Only lists of workers show it: it never rejects. */
export async function noteLostRun(mill: Mill, lost: LostRun): Promise<void> {
  try {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) if (await tryNote(mill, lost)) return;
  } catch {
    // The run is back in its queue, and its event tells from whom.
  }
}

async function tryNote({ store, committer }: Mill, lost: LostRun): Promise<boolean> {
  const { owner, run, reason } = lost;
  const record = await store.findRecord("workers", owner.worker);
  const known = record === undefined ? undefined : parseLost(record);
  const nowMs = store.nowMs();
  const result = await committer.write({
    kind: "put-records",
    puts: [
      {
        collection: "workers",
        key: owner.worker,
        expected: record?.revision ?? 0,
        value: {
          host: owner.host,
          pid: owner.pid,
          lostAtMs: known?.lostAtMs ?? nowMs,
          reason: known?.reason ?? reason,
          runs: [...(known?.runs ?? []), runName(run)].slice(0, LOST_RUNS_MAX),
          count: (known?.count ?? 0) + 1,
        },
        dueAtMs: nowMs + WORKER_SILENT_MS_MAX,
      },
    ],
    events: [],
  });
  return result.kind !== "record-conflict";
}

/** Those that were lost within the last day, by id of the worker; the first PAGE_ROWS_MAX. */
export async function listLostWorkers(
  store: Mill["store"],
): Promise<ReadonlyMap<string, LostWorker>> {
  const records = await store.listRecords({ collection: "workers", limit: PAGE_ROWS_MAX });
  const found = records.map(parseLost).filter((one) => one !== undefined);
  return new Map(found.map((one) => [one.worker, one]));
}

/** Forgets those whose day is over. */
export async function forgetLostWorkers({ store, committer }: Mill): Promise<void> {
  const untilMs = store.nowMs();
  const old = await store.listDueRecords({ collection: "workers", untilMs, limit: 100 });
  if (old.length === 0) return;
  const puts = old.map(({ key, revision }) => ({
    collection: "workers" as const,
    key,
    expected: revision,
    value: undefined,
  }));
  await committer.write({ kind: "put-records", puts, events: [] });
}

/** Undefined: damaged. */
function parseLost({ key, value }: StoreRecord): LostWorker | undefined {
  if (!isPlainRecord(value)) return undefined;
  const { host, pid, lostAtMs, reason, runs, count } = value;
  if (typeof host !== "string" || typeof pid !== "number") return undefined;
  if (typeof lostAtMs !== "number" || typeof reason !== "string") return undefined;
  if (!Array.isArray(runs) || typeof count !== "number") return undefined;
  const names = runs.filter((name) => typeof name === "string");
  return { worker: key, host, pid, lostAtMs, reason, runs: names, count };
}
