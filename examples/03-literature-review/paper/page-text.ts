// Pieces of text to lines, and lines to the body of a page: running heads, page numbers and the marks of
// footnotes are taken out, since what a publisher prints on every page is no evidence of anything.
import type { TextPiece } from "./pdf-file.ts";

/** One line of a page. */
export interface Line {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** Height of most of its type. */
  readonly size: number;
}

/** Pieces with the same baseline, in reading order, joined. Raised marks of footnotes are left out. */
export function toLines(pieces: readonly TextPiece[]): Line[] {
  const rows: TextPiece[][] = [];
  let y = Number.NaN;
  for (const piece of pieces) {
    const row = rows.at(-1);
    // Raised and lowered type stays in its line, which keeps the place of its first piece.
    if (row === undefined || !(Math.abs(piece.y - y) < 0.55 * Math.max(piece.size, 6))) {
      rows.push([piece]);
      y = piece.y;
    } else {
      row.push(piece);
    }
  }
  return rows.map(toLine).filter(({ text }) => text !== "");
}

function toLine(row: readonly TextPiece[]): Line {
  const size = mainSize(row);
  const kept = row.filter((piece) => !isFootnoteMark(piece, size));
  const text = kept.map((piece) => piece.text).join("");
  const [first] = row;
  return { text: text.replace(/\s+/g, " ").trim(), x: first?.x ?? 0, y: first?.y ?? 0, size };
}

/** The size of most letters of a row. */
function mainSize(row: readonly TextPiece[]): number {
  const letters = new Map<number, number>();
  for (const { text, size } of row) {
    letters.set(size, (letters.get(size) ?? 0) + text.trim().length);
  }
  const [most] = [...letters].sort((one, other) => other[1] - one[1]);
  return most?.[0] ?? 0;
}

function isFootnoteMark({ text, size }: TextPiece, lineSize: number): boolean {
  return size < 0.85 * lineSize && /^\d{1,2}$/.test(text.trim());
}

/** What stays of a line when its page number is taken off; undefined when it has none. */
function withoutNumber(text: string, page: number): string | undefined {
  const rest = text.replace(new RegExp(`^${page}(?:\\s+|$)|(?:^|\\s+)${page}$`), "");
  return rest === text ? undefined : rest.trim();
}

/**
 * Takes the running heads and feet off. A first or last line that stands apart is one when it bears the number
 * of its page, or when pages share it; numbers may begin anywhere.
 */
export function removeRunningHeads(pages: readonly (readonly Line[])[]): Line[][] {
  const offset = findNumberOffset(pages);
  const edges = pages.flatMap((lines, index) => {
    const ends = [...new Set([lines[0], lines.at(-1)])];
    return ends.flatMap((line) => (line === undefined ? [] : plainEdge(line, index + offset)));
  });
  const shared = new Set(edges.filter((edge, at) => edges.indexOf(edge) < at));
  return pages.map((lines, index) => {
    const isHead = (line: Line | undefined): boolean => {
      if (line === undefined || !isApart(line, lines)) return false;
      const hasNumber = withoutNumber(line.text, index + offset) !== undefined;
      return hasNumber || shared.has(plainEdge(line, index + offset));
    };
    const body = isHead(lines[0]) ? lines.slice(1) : [...lines];
    return isHead(body.at(-1)) && body.length > 0 ? body.slice(0, -1) : body;
  });
}

function plainEdge({ text }: Line, page: number): string {
  return (withoutNumber(text, page) ?? text).toLowerCase();
}

/** A head stands further from the text than one line of it from the next. */
function isApart(line: Line, lines: readonly Line[]): boolean {
  const at = lines.indexOf(line);
  const neighbour = at === 0 ? lines[1] : lines[at - 1];
  return neighbour === undefined || Math.abs(line.y - neighbour.y) > 1.8 * line.size;
}

/** What to add to a page's index to get the number printed on it; 1 when nothing better is found. */
function findNumberOffset(pages: readonly (readonly Line[])[]): number {
  const votes = new Map<number, number>([[1, 1]]);
  for (const [index, lines] of pages.entries()) {
    for (const line of new Set([lines[0], lines.at(-1)])) {
      const number = /^(\d{1,4})(?:\s|$)|(?:^|\s)(\d{1,4})$/.exec(line?.text ?? "");
      if (number === null) continue;
      const offset = Number(number[1] ?? number[2]) - index;
      votes.set(offset, (votes.get(offset) ?? 0) + 1);
    }
  }
  const [best] = [...votes].sort((one, other) => other[1] - one[1]);
  return best?.[0] ?? 1;
}
