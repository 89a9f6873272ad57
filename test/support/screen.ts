// What a terminal shows after text was written to it: the screen, the scrollback, the cursor. Tests assert this
// and not bytes, since there are many ways to paint the same picture.

import xterm from "@xterm/headless";

/** A terminal in memory. */
export class Screen {
  readonly #terminal: xterm.Terminal;
  #isCursorVisible = true;
  #isWrapping = true;

  /** `isReflowing` false: lines that a narrower window no longer holds are cut, not wrapped. */
  constructor(columns: number, rows: number, isReflowing: boolean = true) {
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 100_000,
      allowProposedApi: true,
      // What the line discipline of a pseudo-terminal does.
      convertEol: true,
      ...(isReflowing ? {} : { windowsPty: { backend: "conpty" as const, buildNumber: 1 } }),
    });
    for (const [final, isOn] of [
      ["h", true],
      ["l", false],
    ] as const) {
      this.#terminal.parser.registerCsiHandler({ prefix: "?", final }, (params) => {
        if (params.includes(25)) this.#isCursorVisible = isOn;
        if (params.includes(7)) this.#isWrapping = isOn;
        return false;
      });
    }
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  get isCursorVisible(): boolean {
    return this.#isCursorVisible;
  }

  /** False while lines that are too long are cut instead of wrapped. */
  get isWrapping(): boolean {
    return this.#isWrapping;
  }

  /** Row of the cursor on the screen, from 0. */
  get cursorRow(): number {
    return this.#terminal.buffer.active.cursorY;
  }

  /** True while the alternate screen is shown. */
  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === "alternate";
  }

  /** Resolves when the text has been taken in. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  /** The lines on the screen, without blanks at their ends, from the top. */
  shown(): string[] {
    const { baseY } = this.#terminal.buffer.active;
    return this.#lines(baseY, baseY + this.rows);
  }

  /** Everything that was ever written and not erased: scrollback and screen, wrapped lines put together. */
  whole(): string[] {
    const { length } = this.#terminal.buffer.active;
    const lines: string[] = [];
    for (let row = 0; row < length; row++) {
      const line = this.#terminal.buffer.active.getLine(row);
      const text = line?.translateToString(true) ?? "";
      if (line?.isWrapped === true) lines.push((lines.pop() ?? "") + text);
      else lines.push(text);
    }
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  #lines(from: number, to: number): string[] {
    return Array.from(
      { length: to - from },
      (_, index) =>
        this.#terminal.buffer.active.getLine(from + index)?.translateToString(true) ?? "",
    );
  }
}
