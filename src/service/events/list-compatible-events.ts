// The last stored events in the shape of an older system, the oldest of them first.

import type { Store } from "../../storage/store.ts";
import { toCompatibleEvent, type CompatibleEvent } from "./compatible-event.ts";

/** Which ones. */
export interface LastEventsQuery {
  /** Id of a run. Default: of all, and of none. */
  readonly run?: string;
  /** 1 to RECENT_EVENTS_MAX. */
  readonly limit: number;
}

/** Lists them. */
export async function listCompatibleEvents(
  store: Pick<Store, "listEvents">,
  { run, limit }: LastEventsQuery,
): Promise<readonly CompatibleEvent[]> {
  const of = run === undefined ? {} : { runId: run };
  const events = await store.listEvents({ ...of, after: 0, newestFirst: true, limit });
  return events.toReversed().map(toCompatibleEvent);
}
