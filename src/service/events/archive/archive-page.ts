// A page of events from files, line by line. What is asked for has been checked by who asks.

import { constants } from "node:fs";
import { EVENT_LINE_BYTES_MAX } from "../../../model/limits.ts";
import { openUnlinked } from "../../../std/files/unlinked-file.ts";
import { makeLineSplitter } from "../../../std/json-lines.ts";
import { listDayFiles, listRunFiles } from "../../../storage/event-files/list-event-files.ts";
import { type EventView, parseEventView } from "../../views/event-view.ts";

/** A page of events. */
export interface EventArchivePage {
  /** In order of number, each once. */
  readonly events: readonly EventView[];
  /** Lines that were passed over since they are no events. */
  readonly skipped: number;
}

/** A query with its defaults filled in. */
export interface PageQuery {
  readonly folder: string;
  readonly run: string | undefined;
  readonly after: number;
  readonly limit: number;
}

/** Reads until the page is full. Rejects as the file system does. */
export async function readArchivePage(query: PageQuery): Promise<EventArchivePage> {
  const { folder, run } = query;
  const own = run === undefined ? [] : await listRunFiles(folder, run);
  const paths = own.length > 0 ? own : await listDayFiles(folder);
  const page = new PageReader(query);
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

  constructor({ run, after, limit }: PageQuery) {
    this.#run = run?.toLowerCase();
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
