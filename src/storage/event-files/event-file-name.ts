// Names of files of events. They are made of a day or of the id of a run, each checked by its grammar, so that nothing
// a stranger wrote ever becomes a path:
//
//   2026-07-14.jsonl, 2026-07-14.2.jsonl …            a day, and what followed when a file was full
//   runs/0194f3a0-….jsonl                             one run
//   archive/2026-07-01.jsonl, archive/runs/….jsonl    what is old

import { join } from "node:path";
import { assert } from "../../std/error/assert.ts";
import { isUuid } from "../../std/id.ts";

/** Whose lines a file holds: a day as `2026-07-14`, or a run by id. */
export type EventSeries =
  | { readonly kind: "day"; readonly name: string }
  | { readonly kind: "run"; readonly name: string };

/** Folder of what is old. */
export const ARCHIVE_FOLDER = "archive";
/** Folder of the files of runs. */
export const RUNS_FOLDER = "runs";

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const FILE = /^(?:\d{4}-\d{2}-\d{2}|[0-9a-f-]{36})(?:\.\d{1,6})?\.jsonl$/;

/** The series of a day, by a time in UTC ms. */
export function seriesOfDay(atMs: number): EventSeries {
  return { kind: "day", name: new Date(atMs).toISOString().slice(0, 10) };
}

/** The series of a run. */
export function seriesOfRun(runId: string): EventSeries {
  return { kind: "run", name: runId.toLowerCase() };
}

/** Path of the n-th file of a series within a folder, from 1. */
export function toEventPath(folder: string, { kind, name }: EventSeries, part: number): string {
  assert(kind === "day" ? DAY.test(name) : isUuid(name), `No file can be named "${name}".`);
  const file = part === 1 ? `${name}.jsonl` : `${name}.${part}.jsonl`;
  return kind === "day" ? join(folder, file) : join(folder, RUNS_FOLDER, file);
}

/** Whether a file of this name is one of ours. */
export function isEventFile(name: string): boolean {
  return FILE.test(name);
}
