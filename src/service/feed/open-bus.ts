// The bus of a mill, made when somebody wants to read.

import type { MillContext } from "../mill-context.ts";
import type { EventBus } from "./event-bus.ts";
import { StoreBus } from "./store-bus.ts";

/** The one bus of this mill. Costs nothing until somebody subscribes. */
export function busOf(mill: MillContext): EventBus {
  const { events, store, world, committer, warn } = mill;
  events.bus ??= new StoreBus({
    store,
    clock: world.clock,
    committed: committer.committed,
    live: events.live,
    subscribersMax: events.settings.subscribersMax,
    warn,
  });
  return events.bus;
}
