// Real daily prices, as their sources write them: one newest first with dates as "19-Sep-03", both with more columns
// than are needed. Prices are rounded to ticks.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import * as z from "zod";
import { getInstrument, toTicks, type Instrument } from "../instrument.ts";

const FOLDER = join(import.meta.dirname, "..", "fixtures", "daily");

/** What one day did. Prices in ticks. */
export interface DailyPrice {
  readonly instrument: Instrument;
  /** "2019-11-01" */
  readonly day: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** 0: nothing was traded. */
  readonly volume: number;
}

const ROWS = z.array(
  z.object({
    date: z.string().transform(toDay),
    open: z.coerce.number(),
    high: z.coerce.number(),
    low: z.coerce.number(),
    close: z.coerce.number(),
    volume: z.coerce.number().int(),
  }),
);

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** "19-Sep-03" or "2003-09-19" as the latter. */
function toDay(date: string): string {
  const [, day = "", month = "", year = ""] =
    /^(\d{1,2})-([A-Z][a-z]{2})-(\d{2})$/.exec(date) ?? [];
  if (day === "") return z.iso.date().parse(date);
  const number = String(MONTHS.indexOf(month) + 1).padStart(2, "0");
  return z.iso.date().parse(`20${year}-${number}-${day.padStart(2, "0")}`);
}

/** The days of a source, oldest first. */
async function readSource(file: string, name: string): Promise<DailyPrice[]> {
  const columns = (header: string[]): string[] => header.map((column) => column.toLowerCase());
  const rows: unknown = parse(await readFile(join(FOLDER, file)), { columns });
  const instrument = getInstrument(name);
  const days = ROWS.parse(rows).map((row) => ({
    instrument,
    day: row.date,
    open: toTicks(row.open, instrument),
    high: toTicks(row.high, instrument),
    low: toTicks(row.low, instrument),
    close: toTicks(row.close, instrument),
    volume: row.volume,
  }));
  return days.toSorted((a, b) => (a.day < b.day ? -1 : 1));
}

/** All days there are prices of, and the two Sundays on which the clocks change. */
export async function readDailyPrices(): Promise<DailyPrice[]> {
  const [index, sundays, share] = await Promise.all([
    readSource("sp500.csv", "ES"),
    readSource("sundays.csv", "ES"),
    readSource("msft.csv", "MSFT"),
  ]);
  return [...index, ...sundays, ...share];
}
