// Listings: columns without borders, two blanks apart, headings in faint capitals. On a terminal the flexible
// columns are shortened in the middle until the table fits; into a pipe nothing is shortened, and numbers
// never are. The only file that knows the table library.

import CliTable from "cli-table3";
import type { Look } from "./look.ts";
import { fitMiddle, textWidth } from "./width.ts";

/** One column of a listing. */
export interface Column {
  /** Heading, as printed: `STATE`. Empty: none. */
  readonly head: string;
  /** Default "left". Numbers go right. */
  readonly align?: "left" | "right";
  /** True: may be shortened in the middle, for names and reasons. Default false. */
  readonly flexible?: boolean;
}

/** One cell: text without control bytes, and how it is painted once its width is settled. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Columns and rows of a listing. Rows may hold plain text for cells that need no paint. */
export interface Listing {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (Cell | string)[])[];
}

const GAP = "  ";
/** A flexible column is not shortened below this, even if the table then runs over. */
const FLEXIBLE_COLUMNS_MIN = 8;

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: GAP,
};

/** The listing as lines, without blanks at their ends and without a line feed behind the last. */
export function renderTable(listing: Listing, look: Look): string {
  const cells = listing.rows.map((row) => row.map(toCell));
  const widths = fitColumns(listing.columns, cells, look.columnsMax);
  const table = new CliTable({
    chars: NO_BORDERS,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
    colAligns: listing.columns.map((column) => column.align ?? "left"),
  });
  if (listing.columns.some((column) => column.head !== "")) {
    table.push(listing.columns.map((column) => look.paint.tone("faint", column.head)));
  }
  for (const row of cells) {
    table.push(
      row.map((cell, index) => {
        const text = fitMiddle(cell.text, widths[index] ?? Infinity, look.alphabet.ellipsis);
        return cell.paint?.(text) ?? text;
      }),
    );
  }
  return table.length === 0 ? "" : dropTrailingBlanks(table.toString());
}

function toCell(cell: Cell | string): Cell {
  return typeof cell === "string" ? { text: cell } : cell;
}

/** Width of every column: its widest cell, flexible ones taking turns in giving way, the widest first. */
function fitColumns(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  columnsMax: number,
): number[] {
  const widths = columns.map((column, index) =>
    rows.reduce(
      (widest, row) => Math.max(widest, textWidth(row[index]?.text ?? "")),
      textWidth(column.head),
    ),
  );
  const gaps = GAP.length * (columns.length - 1);
  let over = widths.reduce((sum, width) => sum + width, gaps) - columnsMax;
  while (over > 0) {
    const index = findWidestFlexible(columns, widths);
    if (index === undefined) break;
    widths[index] = (widths[index] ?? 0) - 1;
    over -= 1;
  }
  return widths;
}

function findWidestFlexible(
  columns: readonly Column[],
  widths: readonly number[],
): number | undefined {
  let found: number | undefined;
  let widest = FLEXIBLE_COLUMNS_MIN;
  for (const [index, column] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (column.flexible !== true || width <= widest) continue;
    found = index;
    widest = width;
  }
  return found;
}

/** Blanks that only fill the last column, also where a colour ends behind them, are dropped. */
function dropTrailingBlanks(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
