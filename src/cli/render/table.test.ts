import { expect, test } from "vitest";
import { makePaint } from "./color.ts";
import { plainLook, type Look } from "./look.ts";
import { alphabetOf } from "./marks.ts";
import { renderTable, type Listing } from "./table.ts";

const LISTING: Listing = {
  columns: [{ head: "RUN" }, { head: "ITEMS", align: "right" }, { head: "WHY", flexible: true }],
  rows: [
    ["7f4m", "88", "quota scorer, 09:06"],
    ["7f3k", "9,961", "39 × HTTP 502 from the scorer of the third region"],
  ],
};

function terminal(columns: number): Look {
  return { ...plainLook(alphabetOf("unicode")), columnsMax: columns, isTerminal: true };
}

test("into a pipe nothing is shortened, and no line ends in blanks", () => {
  expect(renderTable(LISTING, plainLook(alphabetOf("unicode")))).toBe(
    [
      "RUN   ITEMS  WHY",
      "7f4m     88  quota scorer, 09:06",
      "7f3k  9,961  39 × HTTP 502 from the scorer of the third region",
    ].join("\n"),
  );
});

test("on a terminal flexible columns give way, and numbers never", () => {
  expect(renderTable(LISTING, terminal(40)).split("\n")).toEqual([
    "RUN   ITEMS  WHY",
    "7f4m     88  quota scorer, 09:06",
    "7f3k  9,961  39 × HTTP 502… third region",
  ]);
});

test("a table too narrow for its numbers runs over instead of losing them", () => {
  expect(renderTable(LISTING, terminal(10))).toContain("9,961  39 ×…ion");
});

test("paint is put on after the width is settled", () => {
  const paint = makePaint(true);
  const rows = [[{ text: "failed", paint: (text: string) => paint.mark("failed", text) }, "x"]];
  const columns = [{ head: "" }, { head: "" }];
  expect(renderTable({ columns, rows }, terminal(40))).toBe(
    "\x1b[31m\x1b[1mfailed\x1b[22m\x1b[39m  x",
  );
});

test("no rows and no headings are no text", () => {
  expect(renderTable({ columns: [{ head: "" }], rows: [] }, terminal(40))).toBe("");
});
