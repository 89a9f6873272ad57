// A day of bars in the exchange's time: the rows of all its files in order, with what tells them apart once they lie
// among others.
import { stringify } from "csv-stringify/sync";
import { toLocal } from "../chicago.ts";
import { getInstrument } from "../instrument.ts";
import { BarFault } from "./bar-fault.ts";
import { readBars } from "./read-bars.ts";

/** A file that holds rows of the day. */
export interface BarText {
  readonly file: string;
  readonly text: string;
}

/** The text of the translated file. */
export interface TranslatedText {
  readonly text: string;
  readonly bars: number;
  /** Rows of other days, left out. */
  readonly dropped: number;
}

/** Throws a BarFault when a row is wrong, or when two rows are of the same minute. */
export function translateDay(
  { instrument, day }: { readonly instrument: string; readonly day: string },
  files: readonly BarText[],
): TranslatedText {
  const all = files.flatMap(({ file, text }) =>
    readBars(text, file, getInstrument(instrument)).map((bar) => ({
      file,
      bar,
      local: toLocal(bar.startMs),
    })),
  );
  const rows = all
    .filter(({ local }) => local.day === day)
    .toSorted((a, b) => a.bar.startMs - b.bar.startMs);
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1];
    if (before?.bar.startMs !== row.bar.startMs) continue;
    const where = before.file === row.file ? `twice in "${row.file}"` : `in two files`;
    throw new BarFault(`${row.local.stamp} of ${instrument} is ${where}, expected once`);
  }
  const records = rows.map(({ file, bar, local }) => ({
    timestamp: local.stamp,
    open: bar.open,
    high: bar.high,
    low: bar.low,
    close: bar.close,
    volume: bar.volume,
    instrument,
    source: file,
    interval: "1m",
    // Nobody traded: the feed filled the minute in.
    synthetic: bar.volume === 0 ? "true" : "false",
  }));
  const text = stringify(records, { header: true, columns: [...TRANSLATED_COLUMNS] });
  return { text, bars: rows.length, dropped: all.length - rows.length };
}

const TRANSLATED_COLUMNS = [
  "timestamp",
  "open",
  "high",
  "low",
  "close",
  "volume",
  "instrument",
  "source",
  "interval",
  "synthetic",
] as const;
