// Both streams of a command as they come: counts the lines, keeps the last hundred of each, takes progress
// lines out, and gathers what is left of stdout where it is to be parsed. Whatever comes, memory is bounded:
// by lines for the tails, by bytes for what is gathered.

import {
  COMMAND_LINE_BYTES_MAX,
  COMMAND_LINES_MAX,
  COMMAND_OUTPUT_BYTES_MAX,
} from "../../../model/limits.ts";
import { RingBuffer } from "../../../std/bounded-list.ts";
import { type CutLine, LineCutter, toLineText } from "./line-cutter.ts";
import { findProgress } from "./progress-line.ts";
import type { CommandProgress, CommandStream } from "./request.ts";

/** Who is told of what comes. */
export interface CommandOutputOptions {
  /** Whether stdout is kept to be parsed. */
  readonly isGathered: boolean;
  readonly onLine: (stream: CommandStream, line: string) => void;
  readonly onProgress: (progress: CommandProgress) => void;
  /** Told once, as soon as there is more of stdout than is kept to be parsed. */
  readonly onOverflow: () => void;
}

// One byte more than is shown: it tells whether the cut falls inside a character, or is a carriage return.
const HELD_BYTES_MAX = COMMAND_LINE_BYTES_MAX + 1;

/** Takes the bytes of both streams. */
export class CommandOutput {
  readonly #options: CommandOutputOptions;
  readonly #stdout: LineCutter;
  readonly #stderr: LineCutter;
  readonly #tails = {
    stdout: new RingBuffer<string>(COMMAND_LINES_MAX),
    stderr: new RingBuffer<string>(COMMAND_LINES_MAX),
  };
  readonly #counts = { stdout: 0, stderr: 0 };
  readonly #gathered = new GrowingBytes();
  #isOverflown = false;

  constructor(options: CommandOutputOptions) {
    this.#options = options;
    const { isGathered } = options;
    this.#stdout = new LineCutter({
      lineBytesMax: isGathered ? COMMAND_OUTPUT_BYTES_MAX + 1 : HELD_BYTES_MAX,
      onLine: (line) => this.#takeStdout(line),
    });
    this.#stderr = new LineCutter({
      lineBytesMax: HELD_BYTES_MAX,
      onLine: (line) => this.#takeLine("stderr", line),
    });
  }

  /** Lines of stdout so far, progress lines included. */
  get stdoutLines(): number {
    return this.#counts.stdout;
  }

  /** Lines of stderr so far. */
  get stderrLines(): number {
    return this.#counts.stderr;
  }

  /** What stdout held without progress lines; empty unless it is gathered. */
  get gathered(): Buffer {
    return this.#gathered.toBuffer();
  }

  /** Takes the next bytes of a stream. */
  push(stream: CommandStream, chunk: Buffer): void {
    const cutter = this.#cutterOf(stream);
    cutter.push(chunk);
    if (stream === "stdout") this.#checkSize(cutter.pendingBytes);
  }

  /** Gives out last lines without a line end. May be called again. */
  end(): void {
    this.#stdout.end();
    this.#stderr.end();
  }

  /** The last lines of a stream, oldest first. */
  tail(stream: CommandStream): readonly string[] {
    return this.#tails[stream].toArray();
  }

  /** The line a stream is in the middle of, as text, unless it is over `bytesMax`. */
  peek(stream: CommandStream, bytesMax: number): string | undefined {
    return this.#cutterOf(stream).peek(bytesMax);
  }

  #cutterOf(stream: CommandStream): LineCutter {
    return stream === "stdout" ? this.#stdout : this.#stderr;
  }

  #takeStdout(line: CutLine): void {
    const progress = findProgress(line.bytes);
    if (progress !== undefined) {
      this.#counts.stdout += 1;
      this.#options.onProgress(progress);
      return;
    }
    if (this.#options.isGathered && !this.#isOverflown) this.#gather(line);
    this.#takeLine("stdout", line);
  }

  #takeLine(stream: CommandStream, line: CutLine): void {
    const text = toLineText(line);
    this.#counts[stream] += 1;
    this.#tails[stream].push(text);
    this.#options.onLine(stream, text);
  }

  #gather(line: CutLine): void {
    this.#gathered.append(line.bytes);
    if (line.isEnded) this.#gathered.append(LINE_END);
    this.#checkSize(0);
  }

  #checkSize(pendingBytes: number): void {
    if (!this.#options.isGathered || this.#isOverflown) return;
    if (this.#gathered.length + pendingBytes <= COMMAND_OUTPUT_BYTES_MAX) return;
    this.#isOverflown = true;
    this.#options.onOverflow();
  }
}

const LINE_END: Buffer = Buffer.from("\n");
const FIRST_CAPACITY = 4_096;

/** Bytes one after the other in one buffer: a list of small buffers would cost ten times their size. */
class GrowingBytes {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(part: Buffer): void {
    const needed = this.#length + part.length;
    if (needed > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(needed, this.#bytes.length * 2, FIRST_CAPACITY));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    part.copy(this.#bytes, this.#length);
    this.#length = needed;
  }

  toBuffer(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}
