import { expect, test } from "vitest";
import { removeRunningHeads, toLines } from "./page-text.ts";
import type { Line } from "./page-text.ts";

function line(text: string, y: number, size = 10): Line {
  return { text, x: 72, y, size };
}

function texts(pages: readonly (readonly Line[])[]): string[][] {
  return pages.map((lines) => lines.map(({ text }) => text));
}

test("pieces on one baseline are a line, and the mark of a footnote is not part of it", () => {
  const piece = { width: 30, size: 10 };
  const lines = toLines([
    { ...piece, text: "Rows for", x: 72, y: 700 },
    { ...piece, text: " matrices.", x: 110, y: 700.2 },
    { ...piece, text: "2", x: 150, y: 703.6, size: 7 },
    { ...piece, text: "  The end", x: 160, y: 700 },
    { ...piece, text: "next line", x: 72, y: 688 },
  ]);
  expect(lines.map(({ text }) => text)).toEqual(["Rows for matrices. The end", "next line"]);
});

test("a first line with the page's number that stands apart is a running head", () => {
  const pages = [
    [line("A title", 720), line("Text of one.", 690), line("It goes on.", 678)],
    [line("2 A title", 760), line("Text of two.", 720), line("It goes on.", 708)],
    [line("Some Author 3", 760), line("Text of three.", 720), line("More.", 708)],
  ];
  expect(texts(removeRunningHeads(pages))).toEqual([
    ["Text of one.", "It goes on."],
    ["Text of two.", "It goes on."],
    ["Text of three.", "More."],
  ]);
});

test("numbers may begin anywhere, and a foot is taken off like a head", () => {
  const pages = [41, 42, 43].map((number) => [
    line(`Only on ${number - 40} is this said.`, 720),
    line("It is said.", 708),
    line(`${number}`, 60),
  ]);
  expect(texts(removeRunningHeads(pages))[2]).toEqual(["Only on 3 is this said.", "It is said."]);
});

test("a line of text that ends in a number which happens to be the page's stays", () => {
  const pages = [
    [line("One line.", 720), line("Another.", 708)],
    [line("The first of all is called 2", 720), line("and the text goes on.", 708)],
  ];
  expect(texts(removeRunningHeads(pages))[1]).toHaveLength(2);
});

test("a page without text stays a page", () => {
  expect(removeRunningHeads([[], [line("Alone.", 700)]])).toEqual([[], [line("Alone.", 700)]]);
});
