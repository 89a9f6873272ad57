// Monthly tables: newer rows over older ones, and tables that are not ours.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ANALYSIS_COLUMNS, type AnalysisRow } from "../analyze/analyze-day.ts";
import { mergeRows, TableFault } from "./month-table.ts";

let out = "";
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "month-table-"));
});
afterEach(() => rm(out, { recursive: true }));

function makeRow(day: string, time: string, result: string): AnalysisRow {
  const price = "3050.00";
  return {
    Date: day,
    Time: time,
    Session: "S1",
    Instrument: "ES",
    Stream: "ES1",
    RangeStart: `${day}T02:00:00-05:00`,
    RangeHigh: price,
    RangeLow: price,
    RangeClose: price,
    Entry: price,
    Stop: price,
    Target: price,
    Excursion: "0.00",
    Result: result,
  };
}

const FILE = "merged/ES/2019-11_S1.csv";

test("R302: a newer row takes the place of the older one with its key, others stay, all in order", async () => {
  await mergeRows(out, [
    makeRow("2019-11-04", "08:00", "win"),
    makeRow("2019-11-01", "07:30", "win"),
  ]);
  const tables = await mergeRows(out, [
    makeRow("2019-11-04", "08:00", "loss"),
    makeRow("2019-11-04", "07:30", "time"),
  ]);
  expect(tables).toEqual([{ file: FILE, rows: 3 }]);
  const lines = (await readFile(join(out, FILE), "utf8")).trim().split("\n");
  const shown = lines
    .map((line) => line.split(","))
    .map((cells) => [cells[0], cells[1], cells[13]]);
  expect(shown).toEqual([
    ["Date", "Time", "Result"],
    ["2019-11-01", "07:30", "win"],
    ["2019-11-04", "07:30", "time"],
    ["2019-11-04", "08:00", "loss"],
  ]);
});

test("R302: a table with other columns is left as it is, and nothing of the merge is written", async () => {
  await mergeRows(out, [makeRow("2019-11-01", "07:30", "win")]);
  const own = ANALYSIS_COLUMNS.slice(1).join();
  await writeFile(join(out, FILE), `${own}\n`);
  const rows = [makeRow("2019-10-31", "07:30", "win"), makeRow("2019-11-01", "07:30", "win")];
  await expect(mergeRows(out, rows)).rejects.toThrow(TableFault);
  expect(await readFile(join(out, FILE), "utf8")).toBe(`${own}\n`);
  await expect(readFile(join(out, "merged/ES/2019-10_S1.csv"))).rejects.toThrow("ENOENT");
});
