// The rows of a file of bars, each checked: a column that is missing, a time that is none, a price off its tick or
// outside its own high and low, a volume that is not whole, fail the whole file.
import { parse } from "csv-parse/sync";
import * as z from "zod";
import { BarFault } from "./bar-fault.ts";
import type { Instrument } from "../instrument.ts";

/** A checked row. Prices as the file writes them. */
export interface BarRow {
  /** UTC ms. */
  readonly startMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: number;
}

const COLUMNS = ["timestamp_utc", "open", "high", "low", "close", "volume"] as const;
const TABLE = z.array(z.array(z.string()));
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** Reads the text of a file. Throws a BarFault for the first thing that is wrong. */
export function readBars(text: string, file: string, instrument: Instrument): BarRow[] {
  const [header = [], ...rows] = TABLE.parse(parse(text, { relaxColumnCount: true }));
  const places = COLUMNS.map((column) => header.indexOf(column));
  const missing = COLUMNS.filter((_, index) => places[index] === -1);
  if (missing.length > 0) {
    throw new BarFault(
      `"${file}" has no column "${missing.join('", "')}", only "${header.join()}"`,
    );
  }
  return rows.map((row, index) => {
    const cells = places.map((place) => row[place] ?? "");
    return readRow(cells, { where: `"${file}", row ${index + 1}`, instrument });
  });
}

interface RowPlace {
  readonly where: string;
  readonly instrument: Instrument;
}

function readRow(cells: readonly string[], { where, instrument }: RowPlace): BarRow {
  const [time = "", open = "", high = "", low = "", close = "", volume = ""] = cells;
  const startMs = TIME.test(time) ? Date.parse(time) : Number.NaN;
  if (!Number.isFinite(startMs)) {
    throw new BarFault(`${where}: time "${time}", expected one like "2020-03-16T13:00:00Z"`);
  }
  if (!/^\d+$/.test(volume)) {
    throw new BarFault(`${where}: volume "${volume}", expected a whole number from 0`);
  }
  const ticks = [open, high, low, close].map((price) => Number(price) * instrument.ticksPerPoint);
  if (!ticks.every((count) => Number.isInteger(Number(count.toFixed(6))) && count > 0)) {
    throw new BarFault(
      `${where}: prices "${cells.slice(1, 5).join()}", expected multiples of a tick`,
    );
  }
  const [openTicks = 0, highTicks = 0, lowTicks = 0, closeTicks = 0] = ticks;
  if (highTicks < Math.max(openTicks, closeTicks) || lowTicks > Math.min(openTicks, closeTicks)) {
    throw new BarFault(`${where}: open ${open} or close ${close} is outside ${low} to ${high}`);
  }
  return { startMs, open, high, low, close, volume: Number(volume) };
}
