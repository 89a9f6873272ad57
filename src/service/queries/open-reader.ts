// Opens a store for questions alone: nothing is claimed, rescued or written. Loads neither engine nor facade,
// so that a question is answered quickly.

import { openStore } from "../../storage/open-store.ts";
import type { Store } from "../../storage/store.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import { systemMachine } from "../../std/machine.ts";

/** A store that is asked and never written. */
export type StoreReader = Store;

/** How a store is read. */
export interface ReaderOptions {
  /** "plan": not even the files that readers share are made. Default "read". */
  readonly mode?: "read" | "plan";
  readonly busyTimeoutMs?: number;
  readonly clock?: Clock;
}

/** Opens a store for reading. STORE_NOT_FOUND if there is none; close it. */
export function openReader(url: string, options: ReaderOptions = {}): Promise<StoreReader> {
  return openStore(url, {
    clock: options.clock ?? systemClock,
    machine: systemMachine,
    mode: options.mode ?? "read",
    ...(options.busyTimeoutMs === undefined ? {} : { busyTimeoutMs: options.busyTimeoutMs }),
  });
}
