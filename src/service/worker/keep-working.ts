// Works the queues for as long as a service lives: a fault of the store ends no worker for good. While the file is
// damaged or cannot be written nothing more is claimed or written; every few seconds it is looked at, and once it is
// whole again, restored or mended, work goes on at once.

import { isMillraceError, type ErrorCode } from "../../model/errors.ts";
import { isMemoryUrl } from "../../storage/open-store.ts";
import { openUpkeep } from "../../storage/open-upkeep.ts";
import { contextOf, type MillContext } from "../mill-context.ts";
import type { WorkOptions, WorkSummary } from "./worker.ts";

/** Time between two looks at a store that failed, ms. */
const AGAIN_MS = 2_000;

/** Faults that somebody can mend while the service lives. */
const MENDABLE: readonly ErrorCode[] = [
  "STORE_DAMAGED",
  "STORE_INVALID",
  "STORE_READ_ONLY",
  "STORE_FAILED",
  "STORE_FULL",
  "STORE_BUSY",
];

/** What works. */
export interface WorkingMill {
  work(options: WorkOptions): Promise<WorkSummary>;
}

/** How it is told. */
export interface KeepWorkingOptions extends WorkOptions {
  /** Ends it when aborted, as of `work`. */
  readonly signal: AbortSignal;
  /** Told why nothing is worked on for now; null: it goes on. */
  readonly onTrouble?: (reason: string | null) => void;
}

/** Works until the signal is aborted. Rejects for what waiting cannot mend. */
export async function keepWorking(mill: WorkingMill, options: KeepWorkingOptions): Promise<void> {
  const { signal, onTrouble, ...work } = options;
  const context = contextOf(mill);
  for (;;) {
    try {
      await mill.work({ ...work, signal });
      return;
    } catch (error) {
      if (!isMendable(error) || context.closing) throw error;
      onTrouble?.(error.message);
      await waitUntilWhole(context, error, signal);
      if (signal.aborted) return;
      onTrouble?.(null);
    }
  }
}

function isMendable(error: unknown): error is Error {
  return isMillraceError(error) && MENDABLE.includes(error.code);
}

async function waitUntilWhole(mill: MillContext, error: Error, signal: AbortSignal): Promise<void> {
  const { standing, world, store } = mill;
  standing.hold("store", error.message);
  standing.storeFailed(error);
  while (!signal.aborted) {
    await world.clock.sleep(AGAIN_MS, signal).catch(() => undefined);
    if (signal.aborted || !(await isWhole(store.url))) continue;
    standing.letGo("store");
    standing.storeAnswered();
    return;
  }
}

/** True if nothing is found wrong with the file. It is only read. */
async function isWhole(url: string): Promise<boolean> {
  if (isMemoryUrl(url)) return true;
  try {
    const upkeep = await openUpkeep(url, { purpose: "check" });
    try {
      return upkeep.check().length === 0;
    } finally {
      upkeep.close();
    }
  } catch {
    return false;
  }
}
