// Files of minute bars, as a feed delivers them: one per instrument and day, named for it, times in UTC. Three of them
// have what feeds have: a holiday without rows, a time that is none, and an hour of Friday that came on Saturday.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { replaceFile } from "../disk/replace-file.ts";
import { toPrice } from "../instrument.ts";
import { readDailyPrices, type DailyPrice } from "./daily-price.ts";
import { makeBars, type Bar } from "./minute-bars.ts";

const HEADER = "timestamp_utc,open,high,low,close,volume";

/** The Friday whose last hour lies in a file of the Saturday after it. */
const FRIDAY = "2020-03-13";
const SATURDAY = "2020-03-14";
const LAST_HOUR = 60;

/** A header and nothing more. */
const HOLIDAY = "2019-12-25";

/** Made of the prices of another day. Its 500th row has no time. */
const DAMAGED = "2020-03-16";
const DAMAGED_ROW = 500;

/** A file to write. */
interface BarFile {
  readonly name: string;
  readonly text: string;
}

function toRow(bar: Bar, { instrument }: DailyPrice): string {
  const prices = [bar.open, bar.high, bar.low, bar.close].map((ticks) =>
    toPrice(ticks, instrument),
  );
  const time = new Date(bar.startMs).toISOString().replace(".000Z", "Z");
  return [time, ...prices, bar.volume].join(",");
}

function toFile(instrument: string, day: string, rows: readonly string[]): BarFile {
  return { name: `${instrument}_1m_${day}.csv`, text: `${[HEADER, ...rows].join("\n")}\n` };
}

function toFiles(daily: DailyPrice): BarFile[] {
  const { instrument, day } = daily;
  const rows = makeBars(daily).map((bar) => toRow(bar, daily));
  if (day !== FRIDAY) return [toFile(instrument.name, day, rows)];
  return [
    toFile(instrument.name, day, rows.slice(0, -LAST_HOUR)),
    toFile(instrument.name, SATURDAY, rows.slice(-LAST_HOUR)),
  ];
}

function toDamagedFile(daily: DailyPrice): BarFile {
  const rows = makeBars({ ...daily, day: DAMAGED }).map((bar) => toRow(bar, daily));
  const [first = "", ...rest] = (rows[DAMAGED_ROW - 1] ?? "").split(",");
  const damaged = [first.replace("T", " at "), ...rest].join(",");
  return toFile("ES", DAMAGED, rows.with(DAMAGED_ROW - 1, damaged));
}

/** All files, the same bytes whenever it is called. */
async function makeBarFiles(): Promise<BarFile[]> {
  const days = await readDailyPrices();
  const friday = days.filter(({ day }) => day === FRIDAY);
  return [...days.flatMap(toFiles), toFile("ES", HOLIDAY, []), ...friday.map(toDamagedFile)];
}

/** Writes those whose names are wanted, by default all; gives their number and one hash over them. */
export async function writeBars(
  folder: string,
  isWanted: (name: string) => boolean = () => true,
): Promise<{ readonly files: number; readonly sha256: string }> {
  const files = (await makeBarFiles()).filter(({ name }) => isWanted(name));
  const hash = createHash("sha256");
  for (const { name, text } of files) {
    await replaceFile(join(folder, name), text);
    hash.update(`${name}\n${text}`);
  }
  return { files: files.length, sha256: hash.digest("hex") };
}
