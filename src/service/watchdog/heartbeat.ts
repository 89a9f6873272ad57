// What a beat of the whole system says: how much runs, how much is queued, how many work.

import { WORKER_ALIVE_MS_MAX } from "../../model/limits.ts";
import type { MillContext } from "../mill-context.ts";

/** Counts of the store. */
export type Heartbeat = Readonly<Record<"runs" | "queued" | "workers", number>>;

/** Counts; costs the same however many runs there are. */
export async function readHeartbeat({
  store,
  machine,
}: Pick<MillContext, "store" | "machine">): Promise<Heartbeat> {
  const counts = [...(await store.countRuns()).values()];
  const sum = (of: "running" | "queued"): number =>
    counts.reduce((total, states) => total + (states[of] ?? 0), 0);
  const sinceMs = store.nowMs() - WORKER_ALIVE_MS_MAX;
  const alive = (await store.listWorkers()).filter(({ owner, beatAtMs, facts }) => {
    const gone = machine.isGone(owner);
    return facts?.kind === "worker" && (gone === false || (gone !== true && beatAtMs >= sinceMs));
  });
  return { runs: sum("running"), queued: sum("queued"), workers: alive.length };
}
