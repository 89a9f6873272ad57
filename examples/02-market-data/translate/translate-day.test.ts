// What a file of bars may not say, and what a day does with rows that are not its own.
import { expect, test } from "vitest";
import { BarFault } from "./bar-fault.ts";
import { translateDay } from "./translate-day.ts";

const DAY = { instrument: "ES", day: "2019-11-01" };
const HEADER = "timestamp_utc,open,high,low,close,volume";
const ROW = "2019-11-01T05:00:00Z,3050.75,3051.00,3050.50,3050.75,7";

function translate(...lines: readonly string[]): ReturnType<typeof translateDay> {
  return translateDay(DAY, [{ file: "ES_1m_2019-11-01.csv", text: `${lines.join("\n")}\n` }]);
}

test.each([
  { what: "a time that is none", row: ROW.replace("T05", " 05"), says: 'row 2: time "2019-11-01 ' },
  { what: "a day that is none", row: ROW.replace("11-01", "11-32"), says: "row 2: time" },
  { what: "a fractional volume", row: ROW.replace(/7$/, "7.5"), says: 'volume "7.5"' },
  { what: "a negative volume", row: ROW.replace(/7$/, "-7"), says: 'volume "-7"' },
  { what: "a price between ticks", row: ROW.replace("3051.00", "3051.10"), says: "a tick" },
  { what: "a price that is none", row: ROW.replace("3051.00", ""), says: "a tick" },
  { what: "a high under its open", row: ROW.replace("3051.00", "3050.50"), says: "is outside" },
  { what: "a row that is too short", row: "2019-11-01T05:00:00Z,3050.75", says: "volume" },
  { what: "a minute that comes twice", row: ROW, says: "twice" },
])("R302: $what fails the file, which says where", ({ row, says }) => {
  expect(() => translate(HEADER, ROW, row)).toThrow(BarFault);
  expect(() => translate(HEADER, ROW, row)).toThrow(says);
});

test("R302: a column that is missing fails the file by its name", () => {
  expect(() => translate(HEADER.replace(",low", ""), ROW)).toThrow('has no column "low"');
});

test("R302: rows of other days are left out and counted, columns may come in any order", () => {
  const late = "2019-11-02T05:00:00Z,3050.75,3051.00,3050.50,3050.75,7";
  expect(translate(HEADER, ROW, late)).toMatchObject({ bars: 1, dropped: 1 });
  const turned = translate(
    "volume,close,low,high,open,timestamp_utc",
    ROW.split(",").toReversed().join(),
  );
  expect(turned.text).toBe(translate(HEADER, ROW).text);
});

test("R302: a header alone gives a header alone, and a minute without trade is synthetic", () => {
  expect(translate(HEADER).text).toBe(
    "timestamp,open,high,low,close,volume,instrument,source,interval,synthetic\n",
  );
  expect(translate(HEADER, ROW).text).toContain(
    "2019-11-01T00:00:00-05:00,3050.75,3051.00,3050.50,3050.75,7,ES,ES_1m_2019-11-01.csv,1m,false",
  );
  expect(translate(HEADER, ROW.replace(/7$/, "0")).text).toMatch(/,true\n$/);
});
