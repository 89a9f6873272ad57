// Which day the rows of each file belong to. The name of a file says it, unless all its rows are of one other day: then
// they join that day. What a row says beyond its time is judged when its day is translated.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { toLocal } from "../chicago.ts";
import { hashOf } from "../disk/replace-file.ts";

/** A file whose rows belong to a day. */
export interface BarSource {
  readonly file: string;
  readonly sha256: string;
}

/** A day of an instrument, with every file that has rows of it. */
export interface Day {
  readonly instrument: string;
  /** "2019-11-01" */
  readonly day: string;
  /** By name; never empty. */
  readonly sources: readonly BarSource[];
}

const NAME = /^([A-Z]{1,8})_1m_(\d{4}-\d{2}-\d{2})\.csv$/;

/** All days that the files of a folder speak of, by instrument and day; and names that say nothing. */
export async function listDays(
  folder: string,
): Promise<{ readonly days: readonly Day[]; readonly unknown: readonly string[] }> {
  const names = (await readdir(folder)).toSorted();
  const sourcesByDay = new Map<string, BarSource[]>();
  for (const file of names) {
    const [, instrument = "", named = ""] = NAME.exec(file) ?? [];
    if (instrument === "") continue;
    const text = await readFile(join(folder, file), "utf8");
    const key = `${instrument} ${findDay(text, named)}`;
    const source = { file, sha256: hashOf(text) };
    sourcesByDay.set(key, [...(sourcesByDay.get(key) ?? []), source]);
  }
  const days = [...sourcesByDay].map(([key, sources]) => {
    const [instrument = "", day = ""] = key.split(" ");
    return { instrument, day, sources };
  });
  days.sort((a, b) => (a.instrument + a.day < b.instrument + b.day ? -1 : 1));
  return { days, unknown: names.filter((name) => !NAME.test(name)) };
}

/** The one day that all rows are of; else the one that the name says. */
function findDay(text: string, named: string): string {
  const rows = text.split("\n").slice(1);
  const instants = rows.map((row) => Date.parse(row.split(",", 1)[0] ?? ""));
  const found = new Set(instants.filter(Number.isFinite).map((instant) => toLocal(instant).day));
  const [only] = found;
  return found.size === 1 && only !== undefined ? only : named;
}
