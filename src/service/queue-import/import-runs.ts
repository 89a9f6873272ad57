// Queues a run per line of a file, as fast as the store takes them: lines are read while there is room for a
// transaction, then committed, so that no more is held than that. A line that is bad is told and spares the others.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import {
  COMMIT_BYTES_MAX,
  COMMIT_WRITES_MAX,
  IMPORT_BAD_LINES_MAX,
  IMPORT_LINE_BYTES_MAX,
} from "../../model/limits.ts";
import { makeLineSplitter, type LineSplitter } from "../../std/json-lines.ts";
import { shortenMiddle } from "../../std/text.ts";
import {
  enqueueUntilFull,
  type EnqueuedRun,
  type EnqueueEntry,
  type EnqueueOptions,
} from "../commands/enqueue-runs.ts";
import { queueFull } from "./queue-full.ts";
import type { MillContext } from "../mill-context.ts";
import { describeTooLong, NOT_TEXT, parseLine, type LineOptions } from "./parse-line.ts";

/** How a file is imported. */
export interface ImportOptions extends LineOptions, Omit<EnqueueOptions, "batch"> {
  /** Id of the batch that the new runs belong to. Default: a new one. */
  readonly batch?: string;
  /** Name of the file, for people; kept with the batch. Default "lines". */
  readonly name?: string;
  /** Lines to take at most, blank ones not counted; 0 takes none. Default: all. */
  readonly limit?: number;
  /** Makes room where the pipeline's `maxQueued` is reached. Answers true once there may be some: the import goes on,
   *  with QUEUE_FULL if there is none; false: it ends there. Default: QUEUE_FULL at once. */
  readonly onFull?: () => Promise<boolean>;
  /** Told after every commit which runs its lines have, in the order of the lines. */
  readonly onRuns?: (runs: readonly EnqueuedRun[]) => void;
  /** Told after every commit. */
  readonly onProgress?: (progress: ImportProgress) => void;
}

/** How far an import has come. */
export interface ImportProgress {
  /** Lines that were read, blank ones not counted. */
  readonly lines: number;
  readonly created: number;
  /** Lines whose key was known, from before or from a line above. */
  readonly duplicates: number;
  readonly badLines: number;
}

/** A line that was not queued. */
export interface BadLine {
  /** From 1, blank lines counted. */
  readonly line: number;
  readonly message: string;
}

/** What became of a file. */
export interface ImportOutcome extends ImportProgress {
  readonly batch: string;
  /** The first 100 of the bad lines. */
  readonly bad: readonly BadLine[];
}

/** What to import. */
export interface ImportRequest {
  readonly definition: PipelineDefinition;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly options: ImportOptions;
}

/**
 * Imports lines of JSON. What was committed stays when it is ended early; the same file may be imported again, and
 * only what is new makes runs. Rejects for what concerns all lines: OPTION_INVALID, DEFINITION_INVALID, the store;
 * with QUEUE_FULL where the pipeline's `maxQueued` is reached and nobody makes room, and says how far it came.
 */
export async function importRuns(
  mill: MillContext,
  { definition, bytes, options }: ImportRequest,
): Promise<ImportOutcome> {
  const { limit = Infinity, name = "lines" } = options;
  if (!(limit >= 0))
    throw new MillraceError("OPTION_INVALID", `limit: expected 0 or more; got ${limit}.`);
  const batch = { id: options.batch ?? mill.nextId(), source: name };
  const lines = new LineCollector(options, limit);
  const queue = new Enqueuer(mill, { definition, options: { ...options, batch }, lines });
  for await (const piece of readPieces(bytes, () => lines.isFull || queue.isEnded)) {
    lines.push(piece);
    if (lines.isPlenty) await queue.commit();
  }
  lines.end();
  await queue.commit();
  return { batch: batch.id, ...queue.counts, ...lines.counts, bad: lines.bad };
}

/** What the entries of one import are queued with. */
interface EnqueuerParts {
  readonly definition: PipelineDefinition;
  readonly options: EnqueueOptions & Pick<ImportOptions, "onFull" | "onRuns" | "onProgress">;
  readonly lines: LineCollector;
}

/** Queues what was read, in the order of the lines, and has room made where there is none. */
class Enqueuer {
  readonly #mill: MillContext;
  readonly #parts: EnqueuerParts;
  #created: number = 0;
  #duplicates: number = 0;
  #isEnded: boolean = false;

  constructor(mill: MillContext, parts: EnqueuerParts) {
    this.#mill = mill;
    this.#parts = parts;
  }

  get counts(): Pick<ImportProgress, "created" | "duplicates"> {
    return { created: this.#created, duplicates: this.#duplicates };
  }

  /** True: nothing more is to be queued. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Queues what was read since the last time. */
  async commit(): Promise<void> {
    const { definition, options, lines } = this.#parts;
    const { onFull } = options;
    let entries = lines.take();
    for (let isRoomMade = false; entries.length > 0 && !this.#isEnded; isRoomMade = true) {
      const outcome = await enqueueUntilFull(this.#mill, { definition, entries, options });
      // What comes after the first that was refused is tried again with it, so that the order stays.
      this.#note(outcome.runs.slice(0, onFull === undefined ? undefined : outcome.leading));
      if (outcome.refused === 0) return;
      if (onFull === undefined || (isRoomMade && outcome.leading === 0)) {
        const { refused } = outcome;
        throw queueFull(definition, { ...this.counts, ...lines.counts, refused });
      }
      entries = entries.slice(outcome.leading);
      this.#isEnded = !(await onFull());
    }
  }

  #note(runs: readonly EnqueuedRun[]): void {
    const { options, lines } = this.#parts;
    const created = runs.reduce((count, run) => count + (run.created ? 1 : 0), 0);
    this.#created += created;
    this.#duplicates += runs.length - created;
    options.onRuns?.(runs);
    options.onProgress?.({ ...this.counts, ...lines.counts });
  }
}

const PIECE_BYTES: number = 64 * 1024;

/** Bytes in small pieces, so that a large chunk of short lines is not held whole as entries. */
async function* readPieces(
  bytes: AsyncIterable<Uint8Array>,
  isEnough: () => boolean,
): AsyncGenerator<Uint8Array> {
  if (isEnough()) return;
  for await (const chunk of bytes) {
    for (let from = 0; from < chunk.length; from += PIECE_BYTES) {
      yield chunk.subarray(from, from + PIECE_BYTES);
      if (isEnough()) return;
    }
  }
}

/** Entries that were read and not yet queued, and what was wrong with other lines. */
class LineCollector {
  readonly #options: LineOptions;
  readonly #limit: number;
  readonly #splitter: LineSplitter;
  readonly #bad: BadLine[] = [];
  #entries: EnqueueEntry[] = [];
  #chars: number = 0;
  #line: number = 0;
  #lines: number = 0;
  #badLines: number = 0;

  constructor(options: LineOptions, limit: number) {
    this.#options = options;
    this.#limit = limit;
    this.#splitter = makeLineSplitter({
      lineBytesMax: IMPORT_LINE_BYTES_MAX,
      onLine: (text) => this.#read(text),
      onTooLong: (bytes) => this.#refuse(describeTooLong(bytes)),
      onNotText: () => this.#refuse(NOT_TEXT),
    });
  }

  get bad(): readonly BadLine[] {
    return this.#bad;
  }

  get counts(): Pick<ImportProgress, "lines" | "badLines"> {
    return { lines: this.#lines, badLines: this.#badLines };
  }

  /** True when as many lines were read as may be. */
  get isFull(): boolean {
    return this.#lines >= this.#limit;
  }

  /** True when there is enough for a transaction. */
  get isPlenty(): boolean {
    return this.#entries.length >= COMMIT_WRITES_MAX || this.#chars >= COMMIT_BYTES_MAX;
  }

  push(bytes: Uint8Array): void {
    this.#splitter.push(bytes);
  }

  end(): void {
    this.#splitter.end();
  }

  /** Hands the entries over. */
  take(): readonly EnqueueEntry[] {
    const entries = this.#entries;
    this.#entries = [];
    this.#chars = 0;
    return entries;
  }

  #read(text: string): void {
    if (this.#isPassedOver(text)) return;
    const entry = parseLine(text, this.#options);
    if (entry.ok) {
      this.#entries.push(entry.value);
      this.#chars += text.length;
    } else this.#note(entry.error);
  }

  /** Counts a line; true for one that is blank or comes after the last that may be read. */
  #isPassedOver(text: string): boolean {
    this.#line += 1;
    if (this.isFull || text.trim() === "") return true;
    this.#lines += 1;
    return false;
  }

  #refuse(message: string): void {
    if (!this.#isPassedOver("…")) this.#note(message);
  }

  #note(message: string): void {
    this.#badLines += 1;
    if (this.#bad.length < IMPORT_BAD_LINES_MAX)
      this.#bad.push({ line: this.#line, message: shortenMiddle(message, MESSAGE_CHARS_MAX) });
  }
}

/** What quotes the line may be as long as the line: its beginning and its end say what is wrong. */
const MESSAGE_CHARS_MAX = 200;
