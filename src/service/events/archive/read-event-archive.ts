// Lists events from files. A line that is damaged, cut off or too long is passed over and counted: it takes nothing
// with it.

import { MillraceError } from "../../../model/errors.ts";
import { PAGE_ROWS_MAX, RECENT_EVENTS_MAX } from "../../../model/limits.ts";
import { isUuid } from "../../../std/id.ts";
import type { EventArchivePage } from "./archive-page.ts";

/** Which events. */
export interface EventArchiveQuery {
  /** As it was set up. */
  readonly folder: string;
  /** Only of this run, by id. Default: of all, and of none. */
  readonly run?: string;
  /** Only with a number above this one. Default 0. */
  readonly after?: number;
  /** 1 to 1,000. Default 500. */
  readonly limit?: number;
}

/** Reads a page. OPTION_INVALID for an id that is none, whatever it looks like. */
export async function readEventArchive(query: EventArchiveQuery): Promise<EventArchivePage> {
  const { folder, run, after = 0, limit = PAGE_ROWS_MAX } = query;
  if (run !== undefined && !isUuid(run)) {
    throw new MillraceError("OPTION_INVALID", `"${run.slice(0, 100)}" is not the id of a run.`, {
      hint: "files are named by ids: `millrace show RUN --json` tells it",
    });
  }
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > RECENT_EVENTS_MAX) {
    const message = `"limit" is a whole number from 1 to ${RECENT_EVENTS_MAX}; got ${limit}.`;
    throw new MillraceError("OPTION_INVALID", message);
  }
  const { readArchivePage } = await import("./archive-page.ts");
  return await readArchivePage({ folder, run, after, limit });
}
