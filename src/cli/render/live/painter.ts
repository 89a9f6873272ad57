// Draws on a terminal: permanent lines, each once, and below them one block that is redrawn in place. At most
// ten redraws a second, changed lines only, each inside synchronised output. Never the alternate screen, and
// nothing that has scrolled away is touched.
//
// Modes: `idle` (before the first draw, and after `stop`: the terminal is as we found it) and `drawing` (the
// cursor is hidden and rests on the first line of the block). Because it rests there, a window that changes
// its size can wrap and move the block as it likes: what has to be erased is always what is below the cursor.

import type { Clock, Timer } from "../../../std/clock.ts";

/** Rows and columns of a window. */
export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}

/** What a painter needs. */
export interface PainterOptions {
  /** Writes to the terminal, in order, at once. */
  readonly write: (text: string) => void;
  readonly clock: Clock;
  readonly size: () => WindowSize;
  /** The block as it should look now: at most `rowsMax` lines of at most `columnsMax` columns. */
  readonly block: (columnsMax: number, rowsMax: number) => readonly string[];
  /** Permanent lines that have come up since it was last asked. Longer ones are wrapped by the terminal. */
  readonly takePermanent: (columnsMax: number) => readonly string[];
}

/** Rows that a block never exceeds, and rows of the window that it always leaves free. */
const BLOCK_ROWS_MAX = 14;
const FREE_ROWS_MIN = 3;
/** Shortest time between two redraws: ten a second. */
const REDRAW_MS_MIN = 100;
/** Time after which the block is redrawn although nothing was told: elapsed time goes on. */
const TICK_MS = 1_000;

const BEGIN_SYNC = "\x1b[?2026h";
const END_SYNC = "\x1b[?2026l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
// Inside the block a line that was measured wrongly is cut at the edge instead of becoming two.
const WRAP_OFF = "\x1b[?7l";
const WRAP_ON = "\x1b[?7h";
const ERASE_BELOW = "\r\x1b[J";
const ERASE_LINE_REST = "\x1b[K";

/** Rows that the block may take in a window of so many. */
export function blockRowsMax(rows: number): number {
  return Math.max(0, Math.min(rows - FREE_ROWS_MIN, BLOCK_ROWS_MAX));
}

/** Owns what one terminal shows below the last permanent line. */
export class Painter {
  readonly #options: PainterOptions;
  /** Lines of the block as the terminal shows them. */
  #drawn: readonly string[] = [];
  #isDrawing = false;
  #isWhole = true;
  #lastMs = -Infinity;
  #redraw: Timer | undefined;
  #tick: Timer | undefined;

  constructor(options: PainterOptions) {
    this.#options = options;
  }

  /** Hides the cursor and draws. Ignored while drawing. */
  start(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    this.#options.write(HIDE_CURSOR);
    this.#draw();
    this.#armTick();
  }

  /** Something has changed: draws soon, and at once if the last time is long enough ago. */
  invalidate(): void {
    if (!this.#isDrawing || this.#redraw !== undefined) return;
    const { clock } = this.#options;
    const waitMs = Math.max(0, this.#lastMs + REDRAW_MS_MIN - clock.monotonicMs());
    this.#redraw = clock.setTimer(waitMs, () => {
      this.#redraw = undefined;
      this.#draw();
    });
  }

  /** The window has changed: what it shows is no longer known, so all of the block is drawn anew. */
  resized(): void {
    this.#isWhole = true;
    this.invalidate();
  }

  /** Erases the block, writes the last permanent lines, shows the cursor. Safe to repeat; `start` begins anew. */
  stop(): void {
    if (!this.#isDrawing) return;
    this.#leave();
    const lines = this.#options.takePermanent(this.#columnsMax());
    this.#options.write(`${ERASE_BELOW}${toText(lines)}${WRAP_ON}${SHOW_CURSOR}`);
    this.#drawn = [];
  }

  /** Leaves the block where it is and puts the visible cursor below it: for crashes. Safe to repeat. */
  abandon(): void {
    if (!this.#isDrawing) return;
    this.#leave();
    const down = this.#drawn.length > 1 ? `\x1b[${this.#drawn.length - 1}B` : "";
    const below = this.#drawn.length > 0 ? `${down}\r\n` : "";
    this.#options.write(`${END_SYNC}${below}${WRAP_ON}${SHOW_CURSOR}`);
    this.#drawn = [];
  }

  #leave(): void {
    this.#isDrawing = false;
    this.#isWhole = true;
    this.#redraw?.cancel();
    this.#redraw = undefined;
    this.#tick?.cancel();
    this.#tick = undefined;
  }

  #armTick(): void {
    this.#tick = this.#options.clock.setTimer(
      TICK_MS,
      () => {
        this.invalidate();
        this.#armTick();
      },
      { unref: true },
    );
  }

  #columnsMax(): number {
    // The last column stays free: some terminals wrap as soon as it is filled.
    return Math.max(1, this.#options.size().columns - 1);
  }

  #draw(): void {
    const { clock, size, block, takePermanent, write } = this.#options;
    this.#lastMs = clock.monotonicMs();
    const columnsMax = this.#columnsMax();
    const rowsMax = blockRowsMax(size().rows);
    const permanent = takePermanent(columnsMax);
    const lines = block(columnsMax, rowsMax).slice(0, rowsMax);
    const isWhole = this.#isWhole || permanent.length > 0;
    const text = isWhole
      ? `${ERASE_BELOW}${toText(permanent)}${drawWhole(lines)}`
      : drawChanges(this.#drawn, lines);
    this.#drawn = lines;
    this.#isWhole = false;
    if (text !== "") write(`${BEGIN_SYNC}${text}${END_SYNC}`);
  }
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join("");
}

/** All lines from the cursor down, and the cursor back on the first of them. */
function drawWhole(lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `${WRAP_OFF}${lines.join("\r\n")}${toTop(lines.length - 1)}${WRAP_ON}`;
}

/** Only what differs, and the cursor back on the first line. Empty when nothing does. */
function drawChanges(before: readonly string[], after: readonly string[]): string {
  let text = "";
  let row = 0;
  for (const [index, line] of after.entries()) {
    if (line === before[index]) continue;
    text += moveDown(row, index, before.length) + line + ERASE_LINE_REST;
    row = index;
  }
  if (after.length < before.length) {
    text += `${moveDown(row, after.length, before.length)}\x1b[J`;
    row = after.length;
  }
  return text === "" ? "" : `${WRAP_OFF}${text}${toTop(row)}${WRAP_ON}`;
}

/** From one row of the block to the start of a lower one; rows that are not there yet are made by line feeds. */
function moveDown(from: number, to: number, existing: number): string {
  const last = Math.max(from, Math.min(to, existing - 1));
  const moved = last > from ? `\x1b[${last - from}B` : "";
  return `${moved}\r${"\n".repeat(to - last)}`;
}

function toTop(row: number): string {
  return row === 0 ? "\r" : `\x1b[${row}A\r`;
}
