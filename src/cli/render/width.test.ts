import { fc, test as check } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { alphabetOf } from "./marks.ts";
import {
  fitEnd,
  fitMiddle,
  padLeft,
  padRight,
  resolveColumns,
  textWidth,
  wrapText,
} from "./width.ts";

test("COLUMNS comes before the terminal, the terminal before 80", () => {
  expect(resolveColumns({ env: { COLUMNS: "120" }, terminalColumns: 60 })).toBe(120);
  expect(resolveColumns({ env: {}, terminalColumns: 60 })).toBe(60);
  expect(resolveColumns({ env: {}, terminalColumns: undefined })).toBe(80);
});

test.each(["", "0", "-5", "wide", "99999", "1001"])("COLUMNS=%j is passed over", (COLUMNS) => {
  expect(resolveColumns({ env: { COLUMNS }, terminalColumns: 60 })).toBe(60);
  expect(resolveColumns({ env: { COLUMNS }, terminalColumns: 0 })).toBe(80);
});

test("names are shortened in the middle, so that both ends stay", () => {
  expect(fitMiddle("row-000000010231", 9)).toBe("row-…0231");
  expect(fitMiddle("row-7", 5)).toBe("row-7");
  expect(fitMiddle("row-000000010231", 9, "..")).toBe("row-..231");
  expect(fitMiddle("abc", 2)).toBe("ab");
  expect(fitMiddle("abc", 0)).toBe("");
});

test("sentences are shortened at their end", () => {
  expect(fitEnd("no answer from scorer", 12)).toBe("no answer f…");
  expect(fitEnd("no answer from scorer", 11)).toBe("no answer…");
});

test("wide signs count twice and colour counts nothing", () => {
  expect(textWidth("日本")).toBe(4);
  expect(textWidth("\x1b[31mab\x1b[39m")).toBe(2);
  expect(fitMiddle("日本語の鍵", 7)).toBe("日…鍵");
  expect(padRight("日", 4)).toBe("日  ");
  expect(padLeft("12", 4)).toBe("  12");
});

test("text is wrapped at blanks, and inside a word only when it must be", () => {
  expect(wrapText("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrapText("abcdefgh ij", 3)).toEqual(["abc", "def", "gh", "ij"]);
  expect(wrapText("", 5)).toEqual([""]);
  expect(wrapText("日本", 1)).toEqual(["日本"]);
});

const anyText = fc.string({ unit: "grapheme" });

check.prop([anyText, fc.nat(30)])("no fitted text is wider than its place", (text, columns) => {
  expect(textWidth(fitMiddle(text, columns))).toBeLessThanOrEqual(columns);
  expect(textWidth(fitEnd(text, columns))).toBeLessThanOrEqual(columns);
});

check.prop([anyText, fc.integer({ min: 2, max: 30 })])(
  "wrapping loses no sign",
  (text, columns) => {
    expect(wrapText(text, columns).join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
  },
);

test("every sign of both alphabets is counted as the tables count it: one column", async () => {
  const { default: stringWidth } = await import("string-width");
  for (const name of ["unicode", "ascii"] as const) {
    const { marks, bar, ellipsis, name: _name, ...signs } = alphabetOf(name);
    for (const sign of [
      ...Object.values(marks),
      ...bar,
      ...Array.from(ellipsis),
      ...Object.values(signs),
    ]) {
      expect([sign, textWidth(sign), stringWidth(sign)]).toEqual([sign, 1, 1]);
    }
  }
});
