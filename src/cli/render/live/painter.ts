// Draws on a terminal: permanent lines, each once, and below them one block that is redrawn in place. At most
// ten redraws a second, changed lines only, each inside synchronised output. Never the alternate screen, and
// nothing that has scrolled away is touched.
//
// Modes: `idle` (before the first draw, and after `stop`: the terminal is as we found it) and `drawing` (the
// cursor is hidden and rests on the empty line below the block, so that whatever else is written, by a killed
// process's shell as well, comes below it).

import type { Clock, Timer } from "../../../std/clock.ts";
import { countRows } from "../width.ts";

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
  /** True if the terminal wraps lines that a narrower window no longer holds; false: it cuts them. */
  readonly isReflowing: boolean;
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
  /** The window when the block was drawn. */
  #drawnSize: WindowSize = { columns: 0, rows: 0 };
  #lastMs = -Infinity;
  #redraw: Timer | undefined;
  #tick: Timer | undefined;

  constructor(options: PainterOptions) {
    this.#options = options;
  }

  /** True from `start` to `stop` or `abandon`. */
  get isDrawing(): boolean {
    return this.#isDrawing;
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

  /** Erases the block, writes the last permanent lines, shows the cursor. Safe to repeat; `start` begins anew. */
  stop(): void {
    if (!this.#isDrawing) return;
    this.#leave();
    const { takePermanent, write } = this.#options;
    const lines = takePermanent(this.#columnsMax());
    write(`${this.#eraseBlock()}${toText(lines)}${WRAP_ON}${SHOW_CURSOR}`);
    this.#drawn = [];
  }

  /** Leaves the block where it is, what was not written yet and the visible cursor below it: for crashes. */
  abandon(): void {
    if (!this.#isDrawing) return;
    this.#leave();
    const lines = this.#options.takePermanent(this.#columnsMax());
    this.#options.write(`${END_SYNC}${toText(lines)}${WRAP_ON}${SHOW_CURSOR}`);
    this.#drawn = [];
  }

  #leave(): void {
    this.#isDrawing = false;
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
    const { columns, rows } = size();
    const columnsMax = this.#columnsMax();
    const rowsMax = blockRowsMax(rows);
    const permanent = takePermanent(columnsMax);
    const lines = block(columnsMax, rowsMax).slice(0, rowsMax);
    // In a lower window the top of the block may be out of reach, and then every move counted from it is wrong.
    const isMoved = columns !== this.#drawnSize.columns || rows !== this.#drawnSize.rows;
    const isWhole = permanent.length > 0 || isMoved;
    const text = isWhole
      ? `${this.#eraseBlock()}${toText(permanent)}${drawChanges([], lines)}`
      : drawChanges(this.#drawn, lines);
    this.#drawn = lines;
    this.#drawnSize = { columns, rows };
    if (text !== "") write(`${BEGIN_SYNC}${text}${END_SYNC}`);
  }

  /** Up to the first line of the block, and away with it. The window may have wrapped it since it was drawn. */
  #eraseBlock(): string {
    const { columns } = this.#options.size();
    const isWrapped = this.#options.isReflowing && columns < this.#drawnSize.columns;
    const rows = isWrapped
      ? this.#drawn.reduce((sum, line) => sum + countRows(line, columns), 0)
      : this.#drawn.length;
    return `${moveUp(rows)}${ERASE_BELOW}`;
  }
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join("");
}

/**
 * Only what differs. The cursor comes from the line below the block and goes back to the line below what the
 * block then is. Empty when nothing differs.
 */
function drawChanges(before: readonly string[], after: readonly string[]): string {
  let text = "";
  let row = before.length;
  for (const [index, line] of after.entries()) {
    if (line === before[index]) continue;
    text += `${move(row, index)}${line}${ERASE_LINE_REST}\r\n`;
    row = index + 1;
  }
  if (after.length < before.length) {
    text += `${move(row, after.length)}${ERASE_BELOW}`;
    row = after.length;
  }
  return text === "" ? "" : `${WRAP_OFF}${text}${move(row, after.length)}${WRAP_ON}`;
}

/** To the start of another row of the block. */
function move(from: number, to: number): string {
  return to > from ? `\x1b[${to - from}B\r` : `${moveUp(from - to)}\r`;
}

function moveUp(rows: number): string {
  return rows === 0 ? "" : `\x1b[${rows}A`;
}
