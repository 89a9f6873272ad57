// Splits bytes into lines at 0x0A and nowhere else: U+2028 is legal inside JSON, and Node's own line
// readers split there. Lines are decoded as UTF-8 once they are whole, so a character may be cut between
// two chunks. Whether a line is JSON is for the caller to find out.

import { isUtf8 } from "node:buffer";

/** What a line splitter needs. */
export interface LineSplitterOptions {
  /** Longest line in bytes, line end not counted. A longer one is skipped whole, never held. */
  readonly lineBytesMax: number;
  /** Receives each line without its end, empty ones too. What it throws leaves `push`. */
  readonly onLine: (line: string) => void;
  /** Told, when it ends, how long each skipped line was, up to its line feed. Default: nobody. */
  readonly onTooLong?: (bytes: number) => void;
  /** Told of each line that is no UTF-8, which is skipped. Default: its wrong bytes come as U+FFFD. */
  readonly onNotText?: () => void;
}

/** Takes bytes in, gives lines out. */
export interface LineSplitter {
  /** Takes the next bytes; they may be reused when it returns. */
  push(chunk: Uint8Array): void;
  /** Gives out a last line that has no line end. Nothing may be pushed after it. */
  end(): void;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = "\uFEFF";

/** Makes a splitter. One trailing carriage return is taken off each line, a byte order mark off the first. */
export function makeLineSplitter(options: LineSplitterOptions): LineSplitter {
  return new ChunkedLines(options);
}

class ChunkedLines implements LineSplitter {
  readonly #options: LineSplitterOptions;
  #held: Buffer[] = [];
  /** Bytes of the current line so far, skipped ones included. */
  #bytes = 0;
  #isFirst = true;

  constructor(options: LineSplitterOptions) {
    this.#options = options;
  }

  push(chunk: Uint8Array): void {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = buffer.indexOf(LINE_FEED); end !== -1; end = buffer.indexOf(LINE_FEED, start)) {
      this.#finish(buffer.subarray(start, end));
      start = end + 1;
    }
    if (start < buffer.length) this.#hold(buffer.subarray(start));
  }

  end(): void {
    if (this.#bytes > 0) this.#finish(Buffer.alloc(0));
  }

  #hold(part: Buffer): void {
    this.#bytes += part.length;
    // One more byte than allowed is held, since it may be the carriage return that is taken off.
    if (this.#bytes <= this.#options.lineBytesMax + 1) this.#held.push(Buffer.from(part));
    else this.#held = [];
  }

  #finish(part: Buffer): void {
    const bytes = this.#bytes + part.length;
    const held = this.#held;
    this.#bytes = 0;
    this.#held = [];
    if (bytes > this.#options.lineBytesMax + 1) this.#refuse(bytes);
    else this.#deliver(held.length === 0 ? part : Buffer.concat([...held, part]));
  }

  #deliver(line: Buffer): void {
    const length = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
    if (length > this.#options.lineBytesMax) return this.#refuse(line.length);
    const { onNotText, onLine } = this.#options;
    if (onNotText !== undefined && !isUtf8(line)) {
      this.#isFirst = false;
      return onNotText();
    }
    const text = line.toString("utf8", 0, length);
    const isMarked = this.#isFirst && text.startsWith(BYTE_ORDER_MARK);
    this.#isFirst = false;
    onLine(isMarked ? text.slice(1) : text);
  }

  #refuse(bytes: number): void {
    this.#isFirst = false;
    this.#options.onTooLong?.(bytes);
  }
}
