// The flags of lists, from text to values: how many, from where, since when, in which states.

import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import { findNearest } from "../../std/nearest.ts";
import { parseDuration } from "../../std/duration.ts";
import type { FlagReader } from "./flag-reader.ts";

/** One page of a list. Absent: not given. */
export interface PageFlags {
  readonly limit?: number;
  readonly cursor?: string;
}

/** Reads `--limit` and `--cursor`. */
export function readPage(reader: FlagReader): PageFlags {
  const limit = reader.whole("limit", { min: 1, max: PAGE_ROWS_MAX });
  const cursor = reader.text("cursor");
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

/** Reads `--state a,b` against the states there are. */
export function readStates<const T extends string>(
  reader: FlagReader,
  known: readonly T[],
): readonly T[] | undefined {
  const names = reader.names("state");
  if (names === undefined) return undefined;
  return names.flatMap((name) => {
    const found = known.find((state) => state === name.toLowerCase());
    if (found !== undefined) return [found];
    const near = findNearest(name, known);
    const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
    reader.fault("state", `expected ${known.join(", ")}; got "${name}"${hint}`);
    return [];
  });
}

/** Reads `--since`: a duration back from now, or an ISO 8601 time. Gives UTC ms. */
export function readSince(reader: FlagReader, nowMs: number): number | undefined {
  const text = reader.text("since");
  if (text === undefined) return undefined;
  const back = parseDuration(text);
  if (back.ok) return nowMs - back.value;
  const atMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(atMs)) return atMs;
  return reader.fault("since", `expected a duration such as 2h, or an ISO time; got "${text}"`);
}

/** Reads `--tag key=value`. */
export function readTag(reader: FlagReader): readonly [key: string, value: string] | undefined {
  const text = reader.text("tag");
  if (text === undefined) return undefined;
  const cut = text.indexOf("=");
  if (cut > 0) return [text.slice(0, cut), text.slice(cut + 1)];
  return reader.fault("tag", `expected key=value; got "${text}"`);
}
