// A store in memory for tests of what is built on millrace: the same rules as on disk, nothing durable.

import { systemClock, type Clock } from "../std/clock.ts";
import { MemoryStore } from "../storage/memory/memory-store.ts";
import type { Store } from "../storage/store.ts";

/** A fresh store. `clock` judges its leases; default: the system's. */
export function memoryStore(options: { readonly clock?: Clock } = {}): Store {
  return new MemoryStore({ clock: options.clock ?? systemClock });
}
