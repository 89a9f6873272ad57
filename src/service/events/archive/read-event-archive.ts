// Lists events from files. A line that is damaged, cut off or too long is passed over and counted: it takes nothing
// with it.

import { constants } from "node:fs";
import { MillraceError } from "../../../model/errors.ts";
import { EVENT_LINE_BYTES_MAX, PAGE_ROWS_MAX, RECENT_EVENTS_MAX } from "../../../model/limits.ts";
import { openUnlinked } from "../../../std/files/unlinked-file.ts";
import { isUuid } from "../../../std/id.ts";
import { makeLineSplitter } from "../../../std/json-lines.ts";
import { listDayFiles, listRunFiles } from "../../../storage/event-files/list-event-files.ts";
import { type EventView, parseEventView } from "../../views/event-view.ts";

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

/** A page of them. */
export interface EventArchivePage {
  /** In order of number, each once. */
  readonly events: readonly EventView[];
  /** Lines that were passed over since they are no events. */
  readonly skipped: number;
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
  const own = run === undefined ? [] : await listRunFiles(folder, run);
  const paths = own.length > 0 ? own : await listDayFiles(folder);
  const page = new PageReader({ run: run?.toLowerCase(), after, limit });
  for (const path of paths) {
    if (page.isFull) break;
    await page.read(path);
  }
  return page;
}

class PageReader implements EventArchivePage {
  readonly events: EventView[] = [];
  skipped = 0;
  readonly #run: string | undefined;
  readonly #limit: number;
  #lastSeq: number;

  constructor({
    run,
    after,
    limit,
  }: {
    readonly run: string | undefined;
    readonly after: number;
    readonly limit: number;
  }) {
    this.#run = run;
    this.#lastSeq = after;
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.events.length >= this.#limit;
  }

  async read(path: string): Promise<void> {
    const skip = (): void => {
      if (!this.isFull) this.skipped += 1;
    };
    const lines = makeLineSplitter({
      lineBytesMax: EVENT_LINE_BYTES_MAX,
      onLine: (line) => this.#take(line),
      onTooLong: skip,
      onNotText: skip,
    });
    const file = await openUnlinked(path, { flags: constants.O_RDONLY });
    for await (const chunk of file.createReadStream()) {
      if (!(chunk instanceof Uint8Array)) continue;
      lines.push(chunk);
      if (this.isFull) return;
    }
    lines.end();
  }

  #take(line: string): void {
    if (this.isFull || line === "") return;
    const event = parseLine(line);
    if (event === undefined) {
      this.skipped += 1;
      return;
    }
    if (event.seq <= this.#lastSeq) return;
    if (this.#run !== undefined && event.run !== this.#run) return;
    this.#lastSeq = event.seq;
    this.events.push(event);
  }
}

function parseLine(line: string): EventView | undefined {
  try {
    return parseEventView(JSON.parse(line));
  } catch {
    return undefined;
  }
}
