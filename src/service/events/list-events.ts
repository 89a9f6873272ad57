// A page of stored events: after a number in their order, or before one with the newest first.

import { EVENT_SPAN_MAX, RECENT_EVENTS_MAX } from "../../model/limits.ts";
import type { Store } from "../../storage/store.ts";
import { toEventView, type EventView } from "../views/event-view.ts";
import { findRun } from "../queries/find-run.ts";
import { checkPageLimit } from "../queries/page-limit.ts";

/** Which events. */
export interface EventListQuery {
  /** Any name of a run. Default: of all, and of none. */
  readonly run?: string;
  /** Default 0: from the first one on. */
  readonly after?: number;
  /** With it the newest come first; 0: the newest there are. */
  readonly before?: number;
  /** Types, or nouns such as `stage.*`. */
  readonly types?: readonly string[];
  /** Told then or later, UTC ms. */
  readonly sinceMs?: number;
  /** 1 to 500. Default 20. */
  readonly limit?: number;
}

/** One page. */
export interface EventPage {
  readonly events: readonly EventView[];
  /** To be passed on as `after`, or as `before`. Absent: there are no more now. */
  readonly next?: number;
}

/** Lists events. RUN_NOT_FOUND, OPTION_INVALID. */
export async function listEvents(store: Store, query: EventListQuery): Promise<EventPage> {
  const limit = checkPageLimit(query.limit);
  const run = query.run === undefined ? undefined : await findRun(store, query.run);
  const { after = 0, before, types, sinceMs } = query;
  const newestFirst = before !== undefined;
  const shared = {
    ...(run === undefined ? {} : { runId: run.id }),
    ...(types === undefined ? {} : { types }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
  };
  const window = types === undefined || run !== undefined ? null : await findWindow(store, query);
  const found = await store.listEvents({
    ...shared,
    after: window === null ? after : window.after,
    ...(newestFirst ? { newestFirst } : {}),
    ...toBefore(window?.before ?? (before === 0 ? undefined : before)),
    limit: Math.min(limit, RECENT_EVENTS_MAX),
  });
  const events = found.map(toEventView);
  const next = found.length === limit ? found.at(-1)?.seq : window?.next;
  return next === undefined ? { events } : { events, next };
}

function toBefore(before: number | undefined): { readonly before?: number } {
  return before === undefined ? {} : { before };
}

interface Window {
  readonly after: number;
  readonly before: number;
  /** Where to go on if the window holds too little; undefined: it reaches the end. */
  readonly next: number | undefined;
}

/** The numbers that a page may look at; it may be empty although there are more. */
async function findWindow(
  store: Store,
  { after = 0, before, sinceMs }: EventListQuery,
): Promise<Window | null> {
  const [newest] = await store.listEvents({ after: 0, newestFirst: true, limit: 1 });
  if (newest === undefined) return null;
  const end = newest.seq + 1;
  if (before !== undefined) {
    const top = before === 0 ? end : Math.min(before, end);
    const from = Math.max(0, top - 1 - EVENT_SPAN_MAX);
    return { after: from, before: top, next: from > 0 ? from + 1 : undefined };
  }
  // The time is found by its number: only from there on is it a long way.
  if (sinceMs !== undefined && after === 0) return null;
  const top = Math.min(end, after + 1 + EVENT_SPAN_MAX);
  return { after, before: top, next: top < end ? top - 1 : undefined };
}
