// The example as people start it, once, over all its files; its results against the prices they were made of, against
// figures that were worked out by hand, and against a search in another way. Then what later runs find to do.
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMillrace } from "millrace";
import type { RunResult } from "millrace";
import { marketData } from "./pipeline.ts";
import { readCentBars, searchRow, type CentBar } from "./support/brute-force.ts";
import { CONFIG, makePlace, type Ended, type Place } from "./support/run-example.ts";

let place: Place;
let first: Ended;
beforeAll(async () => {
  place = makePlace();
  first = await place.start(join("scripts", "example.ts"), "02-market-data", "--json").ended;
}, 120_000);
afterAll(() => place.remove());

function readOut(file: string): string {
  return readFileSync(join(place.out, file), "utf8");
}

/** Lines of a file without its header, cut at commas. */
function readCells(text: string): string[][] {
  const [, ...lines] = text.trim().split("\n");
  return lines.map((line) => line.split(","));
}

function readDay(instrument: string, day: string): CentBar[] {
  return readCentBars(readOut(`translated/${instrument}_1m_${day}.csv`));
}

function listTables(): string[] {
  const folders = readdirSync(join(place.out, "merged"), { recursive: true, encoding: "utf8" });
  return folders.filter((name) => name.endsWith(".csv")).toSorted();
}

function readRows(table: string): Record<string, string>[] {
  const text = readOut(join("merged", table));
  const columns = text.slice(0, text.indexOf("\n")).split(",");
  return readCells(text).map((cells) =>
    Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ""])),
  );
}

/** Every file of the results with its bytes and the time it was written. */
function readState(): Record<string, { readonly bytes: string; readonly writtenMs: number }> {
  const names = readdirSync(place.out, { recursive: true, encoding: "utf8" }).toSorted();
  const files = names.filter((name) => statSync(join(place.out, name)).isFile());
  const state = files.map((name) => {
    const path = join(place.out, name);
    return [name, { bytes: readFileSync(path, "latin1"), writtenMs: statSync(path).mtimeMs }];
  });
  return Object.fromEntries(state);
}

test("R35 R302: one damaged file is one failed item and one warning; the run succeeds with 27 written, 1 skipped, 1 failed", () => {
  expect(first.code).toBe(0);
  expect(JSON.parse(first.stdout)).toMatchObject({
    run: { state: "succeeded", warnings: 1, items: { succeeded: 55, failed: 1, skipped: 1 } },
    metrics: { written: 27, skipped: 1, failed: 1, bars: 25_920 },
    failures: [
      {
        stage: "translate",
        count: 1,
        class: "permanent",
        message: expect.stringContaining('row 500: time "2020-03-16 at 13:19:00Z"'),
      },
    ],
  });
  const summary: unknown = JSON.parse(readOut("summary.json"));
  expect(summary).toMatchObject({ days: 29, written: 27, skipped: 1, failed: 1, rows: 189 });
  expect(summary).toMatchObject({
    leftOut: [
      { day: "ES/2019-12-25", stage: "analyze", reason: "no_bars" },
      { day: "ES/2020-03-16", stage: "translate" },
    ],
  });
});

test("R302: a day has 960 bars, the Sundays on which clocks change 1,020 and 900, a holiday its header alone", () => {
  const counts = readdirSync(join(place.out, "translated")).map((name) => [
    name,
    readCentBars(readOut(join("translated", name))).length,
  ]);
  expect(counts).toHaveLength(28);
  const others = counts.filter(([, count]) => count !== 960);
  expect(others).toEqual([
    ["ES_1m_2019-11-03.csv", 1_020],
    ["ES_1m_2019-12-25.csv", 0],
    ["ES_1m_2020-03-08.csv", 900],
  ]);
  const stamps = readDay("ES", "2019-11-03").map(({ stamp }) => stamp.slice(11));
  expect([stamps[119], stamps[120]]).toEqual(["01:59:00-05:00", "01:00:00-06:00"]);
  const spring = readDay("ES", "2020-03-08").map(({ stamp }) => stamp.slice(11));
  expect([spring[119], spring[120]]).toEqual(["01:59:00-06:00", "03:00:00-05:00"]);
});

test("R302: the Saturday file joins Friday, which is whole again, and there is no Saturday", () => {
  const cells = readCells(readOut("translated/ES_1m_2020-03-13.csv"));
  const sources = cells.map((row) => row[7]);
  expect(sources.filter((source) => source === "ES_1m_2020-03-14.csv")).toHaveLength(60);
  expect(sources.indexOf("ES_1m_2020-03-14.csv")).toBe(900);
  expect(readdirSync(join(place.out, "translated"))).not.toContain("ES_1m_2020-03-14.csv");
});

test("R302: open, high, low, close and volume of every day are those of its source, rounded to ticks", () => {
  const source = (name: string): string[][] =>
    readCells(readFileSync(join(import.meta.dirname, "fixtures", "daily", name), "utf8"));
  const toQuarter = (price: string | undefined): number => Math.round(Number(price) * 4) * 25;
  const index = source("sp500.csv").map(([day = "", ...cells]) => ({
    file: `translated/ES_1m_${day}.csv`,
    prices: cells.slice(0, 4).map(toQuarter),
    volume: Number(cells[5]),
  }));
  const share = source("msft.csv").map(([date = "", ...cells]) => ({
    file: `translated/MSFT_1m_2003-09-${date.slice(0, 2)}.csv`,
    prices: cells.slice(0, 4).map((price) => Math.round(Number(price) * 100)),
    volume: Number(cells[4]),
  }));
  const days = [...index, ...share];
  expect(days).toHaveLength(25);
  for (const { file, prices, volume } of days) {
    const text = readOut(file);
    const bars = readCentBars(text);
    const high = Math.max(...bars.map((bar) => bar.high));
    const low = Math.min(...bars.map((bar) => bar.low));
    expect([bars[0]?.open, high, low, bars.at(-1)?.close], file).toEqual(prices);
    const traded = readCells(text).map((cells) => Number(cells[5]));
    expect(
      traded.reduce((sum, one) => sum + one, 0),
      file,
    ).toBe(volume);
  }
});

test.each([
  ["2019-11-01", "2019-11-01T07:00:00Z"],
  ["2019-11-03", "2019-11-03T08:00:00Z"],
  ["2019-11-04", "2019-11-04T08:00:00Z"],
  ["2020-03-06", "2020-03-06T08:00:00Z"],
  // 03:00 in Chicago: there is no two o'clock on this day.
  ["2020-03-08", "2020-03-08T08:00:00Z"],
  ["2020-03-09", "2020-03-09T07:00:00Z"],
])("R302: the first session of %s begins at %s", (day, instant) => {
  const rows = readRows(`ES/${day.slice(0, 7)}_S1.csv`).filter(({ Date: date }) => date === day);
  const starts = rows.map(({ RangeStart }) => Date.parse(RangeStart ?? ""));
  expect(starts).toEqual([Date.parse(instant), Date.parse(instant), Date.parse(instant)]);
});

test("R302: seven rows a day lie in 8 monthly tables, in order, each key once", () => {
  const tables = listTables();
  const perMonth = new Map<string, number>();
  const keys = tables.flatMap((table) => {
    const rows = readRows(table);
    const month = table.slice(0, table.indexOf("_"));
    perMonth.set(month, (perMonth.get(month) ?? 0) + rows.length);
    const own = rows.map((row) =>
      ["Date", "Time", "Session", "Instrument", "Stream"].map((column) => row[column]).join(),
    );
    expect(own, table).toEqual(own.toSorted());
    return own;
  });
  expect(tables).toHaveLength(8);
  expect(Object.fromEntries(perMonth)).toEqual({
    "ES/2019-10": 28,
    "ES/2019-11": 49,
    "ES/2020-03": 77,
    "MSFT/2003-09": 35,
  });
  expect(new Set(keys).size).toBe(154 + 35);
});

test("R302: a search in another way finds the range and the result of every row", () => {
  const terms = { ES: { tick: 25, target: 1_000 }, MSFT: { tick: 1, target: 10 } };
  const toCents = (price: string | undefined): number | null =>
    price === "" ? null : Math.round(Number(price) * 100);
  const results = new Set<string>();
  for (const row of listTables().flatMap(readRows)) {
    const { Instrument: name, Date: day = "", Time: end = "", Session: session } = row;
    const found = searchRow(
      readDay(name ?? "", day),
      [session === "S1" ? "02:00" : "08:00", end],
      name === "ES" ? terms.ES : terms.MSFT,
    );
    expect(
      {
        start: row["RangeStart"],
        high: toCents(row["RangeHigh"]),
        low: toCents(row["RangeLow"]),
        close: toCents(row["RangeClose"]),
        entry: toCents(row["Entry"]),
        stop: toCents(row["Stop"]),
        target: toCents(row["Target"]),
        excursion: toCents(row["Excursion"]),
        result: row["Result"],
      },
      `${name} ${day} ${session} ${end}`,
    ).toEqual(found);
    results.add(found.result);
  }
  // All kinds occur, so none of the rules goes untried.
  expect([...results].toSorted()).toEqual(["break_even", "loss", "no_trade", "time", "win"]);
});

/** Keys of the items that a run worked, by stage; and its result. */
async function runAgain(): Promise<{
  readonly worked: string[];
  readonly result: RunResult<unknown>;
}> {
  await using mill = await openMillrace({ store: place.store, pipelines: [marketData] });
  const run = await mill.start(marketData, { bars: place.bars, out: place.out });
  const result = await run.result();
  const worked = ["translate", "analyze"].map(async (stage) => {
    const { items } = await mill.items(run.id, stage, { limit: 100 });
    return items.filter(({ attempts }) => attempts > 0).map(({ key }) => `${stage} ${key}`);
  });
  return { worked: (await Promise.all(worked)).flat(), result };
}

// What has no cache is asked each time: the damaged day, and the holiday, of which only its name is looked at.
const ALWAYS = ["translate ES/2020-03-16", "analyze ES/2019-12-25"];

// One story, told in order.
test("R302: a second run changes no byte; of days that were deleted or changed just those are done again", async () => {
  const before = readState();
  const second = await runAgain();
  expect(second.result).toMatchObject({ state: "succeeded", warnings: 1 });
  expect(second.worked).toEqual(ALWAYS);
  expect(second.result.metrics).toMatchObject({ "cache.hit": 55, written: 27, bars: 25_920 });
  expect(readState()).toEqual(before);

  const file = join("translated", "ES_1m_2019-11-05.csv");
  rmSync(join(place.out, file));
  const third = await runAgain();
  // Its rows need no second analysis: the file that came back is the same.
  expect(third.worked).toEqual(["translate ES/2019-11-05", ...ALWAYS]);
  const after = readState();
  const changed = Object.keys(after).filter(
    (name) => after[name]?.writtenMs !== before[name]?.writtenMs,
  );
  // The ledger says which making of the file lies there.
  expect(changed).toEqual(["ledger.json", file]);
  expect(after[file]?.bytes).toBe(before[file]?.bytes);
  expect((await runAgain()).worked).toEqual(ALWAYS);
});

test("R198: analyze alone works from what translate left; without that it is refused with 2", async () => {
  const args = ["run", CONFIG, "--only", "analyze", "--json"];
  // The run before named its folders; this one is over the same input.
  const input = JSON.stringify({ bars: place.bars, out: place.out });
  const alone = await place.millrace(...args, "--input", input);
  expect(alone.code).toBe(0);
  expect(JSON.parse(alone.stdout)).toMatchObject({
    run: { state: "succeeded" },
    stages: [
      { stage: "index", state: "skipped" },
      { stage: "translate", state: "succeeded", via: "checkpoint" },
      { stage: "analyze", state: "succeeded" },
      { stage: "merge", state: "skipped" },
    ],
  });
  const refused = await place.millrace(...args, "--input", JSON.stringify({ out: place.folder }));
  expect([refused.code, refused.stderr.includes('the results of "translate"')]).toEqual([2, true]);
});
