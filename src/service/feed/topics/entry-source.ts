// Where the entries of a topic come from.

import type { MillraceEvent } from "../../../model/event.ts";
import type { RunItems } from "./run-items.ts";

/** Reads the entries of one topic. */
export interface EntrySource {
  /** Ids that an event may have changed; `all`: any; null: none. */
  touch(event: MillraceEvent): readonly string[] | "all" | null;
  /** As they are now, by id; null: it is gone. With `all`: all there are. */
  read(ids: ReadonlySet<string> | "all"): Promise<ReadonlyMap<string, unknown>>;
  /** Time after which all are read again although no event came, ms; null: never. */
  readonly everyMs: number | null;
  /** Counts, for who is too slow for more. Default: how many entries there are. */
  summarize?(find: (id: string) => unknown, ids: Iterable<string>): unknown;
  /** Of a run: the states of its items. */
  readonly items?: RunItems;
}
