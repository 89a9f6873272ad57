// How many columns text takes, and text made to fit a number of columns. Escape sequences of colour count as
// nothing; a wide sign is never cut in two. Names are shortened in the middle, since both ends tell them apart.

import { createRequire } from "node:module";
import { stripVTControlCharacters } from "node:util";

/** ASCII and our own signs, each one column wide: most of what is printed needs no tables. */
const NARROW = /^[\x20-\x7e·×–…▲│─◌⧗↻◐✓⊘◆◇■▉-▏█]*$/;

/** Columns that a text takes on a terminal; escape sequences take none. */
export function textWidth(text: string): number {
  return NARROW.test(text) ? text.length : measureWide(text);
}

/** Loaded with the first text beyond these: its tables and segmenter would cost every start some 30 ms. */
let stringWidth: ((text: string) => number) | undefined;

function measureWide(text: string): number {
  if (stringWidth === undefined) {
    const found: unknown = createRequire(import.meta.url)("string-width");
    stringWidth = isModule(found) ? found.default : (sign) => sign.length;
  }
  return stringWidth(text);
}

function isModule(found: unknown): found is { default: (text: string) => number } {
  return typeof found === "object" && found !== null && "default" in found;
}

/** Columns when nothing says how many there are. */
const COLUMNS_DEFAULT = 80;

const COLUMNS_MAX = 1_000;

/** What decides the width. */
export interface WidthWish {
  /** Of these COLUMNS is read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Columns of the terminal; undefined: it is none. */
  readonly terminalColumns: number | undefined;
}

/** Width in columns: COLUMNS, then the terminal, then 80. What is no whole number from 1 to 1,000 is passed over. */
export function resolveColumns(wish: WidthWish): number {
  const asked = wish.env["COLUMNS"];
  const wanted = asked !== undefined && /^\d{1,4}$/.test(asked) ? Number(asked) : undefined;
  return (
    [wanted, wish.terminalColumns].find(
      (columns) => columns !== undefined && columns >= 1 && columns <= COLUMNS_MAX,
    ) ?? COLUMNS_DEFAULT
  );
}

let segmenter: Intl.Segmenter | undefined;

/** Signs as a reader sees them, each with its width. Text must be free of escape sequences. */
function measureSigns(text: string): { sign: string; width: number }[] {
  segmenter ??= new Intl.Segmenter();
  return [...segmenter.segment(text)].map(({ segment }) => ({
    sign: segment,
    width: textWidth(segment),
  }));
}

/** The first signs of a text that fit into `columns`. */
function takeStart(signs: readonly { sign: string; width: number }[], columns: number): string {
  let taken = "";
  let used = 0;
  for (const { sign, width } of signs) {
    if (used + width > columns) break;
    taken += sign;
    used += width;
  }
  return taken;
}

/** The last signs of a text that fit into `columns`. */
function takeEnd(signs: readonly { sign: string; width: number }[], columns: number): string {
  let taken = "";
  let used = 0;
  for (const { sign, width } of signs.toReversed()) {
    if (used + width > columns) break;
    taken = sign + taken;
    used += width;
  }
  return taken;
}

/**
 * Plain text in at most `columns`, with `ellipsis` in place of its middle. Text that fits is returned as it
 * is; where not even the ellipsis fits, so many signs of the text's start as do.
 */
export function fitMiddle(text: string, columns: number, ellipsis: string = "…"): string {
  if (textWidth(text) <= columns) return text;
  const signs = measureSigns(text);
  const left = columns - textWidth(ellipsis);
  if (left < 2) return takeStart(signs, Math.max(0, columns));
  const endColumns = left >> 1;
  return takeStart(signs, left - endColumns) + ellipsis + takeEnd(signs, endColumns);
}

/** Plain text in at most `columns`, with `ellipsis` in place of its end. For sentences. */
export function fitEnd(text: string, columns: number, ellipsis: string = "…"): string {
  if (textWidth(text) <= columns) return text;
  const signs = measureSigns(text);
  const left = columns - textWidth(ellipsis);
  return left < 1
    ? takeStart(signs, Math.max(0, columns))
    : `${takeStart(signs, left).trimEnd()}${ellipsis}`;
}

/** Text with blanks behind it up to `columns`; longer text is returned as it is. May hold colour. */
export function padRight(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - textWidth(text)));
}

/** Text with blanks before it up to `columns`; longer text is returned as it is. May hold colour. */
export function padLeft(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - textWidth(text))) + text;
}

/** Plain text cut into lines of at most `columns` at blanks; a longer word is cut within. */
export function wrapText(text: string, columns: number): string[] {
  const width = Math.max(1, columns);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (textWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    line = cutWord(word, width, lines);
  }
  lines.push(line);
  return lines;
}

/** Puts the full lines of an over-long word to `lines`; answers what is left of it. */
function cutWord(word: string, columns: number, lines: string[]): string {
  let rest = word;
  while (textWidth(rest) > columns) {
    const part = takeStart(measureSigns(rest), columns);
    // A sign wider than the whole line would otherwise never go away.
    if (part === "") break;
    lines.push(part);
    rest = rest.slice(part.length);
  }
  return rest;
}

/** Rows that one line takes in a window of so many columns that wraps it; 1 for an empty line. May hold colour. */
export function countRows(line: string, columns: number): number {
  const text = stripVTControlCharacters(line);
  if (NARROW.test(text)) return Math.max(1, Math.ceil(text.length / columns));
  let rows = 1;
  let used = 0;
  for (const { width } of measureSigns(text)) {
    // A wide sign that does not fit into what is left of a row goes to the next one as a whole.
    if (used + width > columns) {
      rows += 1;
      used = 0;
    }
    used += width;
  }
  return rows;
}
