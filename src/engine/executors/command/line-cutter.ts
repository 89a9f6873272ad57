// Splits the bytes of a command's output at 0x0A and holds no more of a line than is asked for. Unlike the
// splitter for JSON Lines it never drops a line: a long one is cut and says how long it was, since the start
// of it is what a reader of a log wants. Bytes become text only once a line is whole, so a character that was
// split between two chunks is whole again.

import { COMMAND_LINE_BYTES_MAX } from "../../../model/limits.ts";
import { redact, redactCut } from "../../../std/redact.ts";

/** One line of output, without its line feed; a carriage return before that is still there. */
export interface CutLine {
  /** The first bytes. Valid during the call only. */
  readonly bytes: Buffer;
  /** Bytes of the whole line. */
  readonly length: number;
  /** False for the last line of a stream that does not end in a line feed. */
  readonly isEnded: boolean;
}

/** How a cutter cuts. */
export interface LineCutterOptions {
  /** Bytes of one line that are held. */
  readonly lineBytesMax: number;
  readonly onLine: (line: CutLine) => void;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NOTHING: Buffer = Buffer.alloc(0);

/** Takes bytes, gives lines. */
export class LineCutter {
  readonly #lineBytesMax: number;
  readonly #onLine: (line: CutLine) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #length = 0;

  constructor(options: LineCutterOptions) {
    this.#lineBytesMax = options.lineBytesMax;
    this.#onLine = options.onLine;
  }

  /** Bytes of the line that has not ended yet, those not held included. */
  get pendingBytes(): number {
    return this.#length;
  }

  /** Takes the next bytes. What `onLine` throws leaves it. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#finish(chunk.subarray(start, end), true);
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  /** Gives out a last line without a line end. May be called again. */
  end(): void {
    if (this.#length > 0) this.#finish(NOTHING, false);
  }

  /** The line that has not ended yet, as text; undefined when nothing is there or it is over `bytesMax`. */
  peek(bytesMax: number): string | undefined {
    if (this.#length === 0 || this.#length > bytesMax) return undefined;
    return Buffer.concat(this.#held).toString("utf8");
  }

  #hold(part: Buffer): void {
    this.#length += part.length;
    const room = this.#lineBytesMax - this.#heldBytes;
    if (room <= 0) return;
    const kept = Buffer.from(part.subarray(0, room));
    this.#held.push(kept);
    this.#heldBytes += kept.length;
  }

  #finish(part: Buffer, isEnded: boolean): void {
    const length = this.#length + part.length;
    const room = this.#lineBytesMax - this.#heldBytes;
    const last = part.subarray(0, Math.max(0, room));
    const bytes = this.#held.length === 0 ? last : Buffer.concat([...this.#held, last]);
    this.#held = [];
    this.#heldBytes = 0;
    this.#length = 0;
    this.#onLine({ bytes, length, isEnded });
  }
}

/** A line as people read it: without a carriage return at its end, cut at 64 KiB with a mark, secrets redacted. */
export function toLineText(line: CutLine): string {
  const { bytes } = line;
  const hasReturn = line.length === bytes.length && bytes.at(-1) === CARRIAGE_RETURN;
  const length = hasReturn ? line.length - 1 : line.length;
  if (length <= COMMAND_LINE_BYTES_MAX) return redact(bytes.toString("utf8", 0, length));
  const end = startOfCharacter(bytes, COMMAND_LINE_BYTES_MAX);
  return `${redactCut(bytes.toString("utf8", 0, end))}… (+${length - end} bytes)`;
}

/** The nearest place at or before `at` where a UTF-8 character begins. */
function startOfCharacter(bytes: Buffer, at: number): number {
  let start = at;
  while (start > 0 && at - start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return start;
}
