// Files of events: one JSON text per line, appended in the order of their numbers, every number once in a file series.
// What a crash cut off is found when a series is opened again: its last whole line says where to go on, and half a line
// is ended, so that it stays one damaged line and harms no other. A full file is followed by the next of its series.

import { constants } from "node:fs";
import { lstat, mkdir, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openUnlinked } from "../../std/files/unlinked-file.ts";
import {
  ARCHIVE_FOLDER,
  type EventSeries,
  isEventFile,
  RUNS_FOLDER,
  toEventPath,
} from "./event-file-name.ts";
import { isMissing } from "./is-missing.ts";
import { readLastSeq } from "./last-seq.ts";

/** One event as it is written. */
export interface EventLine {
  readonly seq: number;
  /** JSON without a line end. */
  readonly text: string;
}

/** Where files are, and how large they grow. */
export interface EventFilesOptions {
  readonly folder: string;
  readonly rotateBytes: number;
}

/** Series that are remembered as open; any other is looked at again. */
const OPEN_SERIES_MAX = 256;
/** Bytes of one write: whole lines that the system takes in one piece, so that who was frozen before it and is late cuts
 *  no line of another in two. */
const WRITE_BYTES_MAX = 262_144;
/** Files of one series. */
const PARTS_MAX = 100_000;

interface OpenSeries {
  part: number;
  bytes: number;
  lastSeq: number;
  /** The file ends within a line. */
  isCut: boolean;
}

/** The files of one folder, in the hands of one writer. */
export class EventFiles {
  readonly #folder: string;
  readonly #rotateBytes: number;
  readonly #open = new Map<string, OpenSeries>();

  constructor({ folder, rotateBytes }: EventFilesOptions) {
    this.#folder = folder;
    this.#rotateBytes = rotateBytes;
  }

  /** Appends lines to a series, without those it has. Rejects as the file system does; what was written by then is
   *  found again by the next call. */
  async append(series: EventSeries, lines: readonly EventLine[]): Promise<void> {
    try {
      const state = await this.#enter(series);
      let fresh = lines.filter(({ seq }) => seq > state.lastSeq);
      while (fresh.length > 0) {
        const count = this.#countFitting(state, fresh);
        if (count === 0) startNext(state);
        else await this.#write(series, state, fresh.slice(0, count));
        fresh = fresh.slice(count);
      }
    } catch (error) {
      this.#open.delete(series.name);
      throw error;
    }
  }

  /** Looks at every series again: somebody else may have written meanwhile. */
  forget(): void {
    this.#open.clear();
  }

  /** Makes the folder, so that it is known whether there can be files. */
  async prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** Moves files that were last written before this time, UTC ms, to the folder `archive`; how many. One whose name is
   *  taken there stays. */
  async sweep(beforeMs: number): Promise<number> {
    let moved = 0;
    for (const sub of ["", RUNS_FOLDER]) {
      for (const name of await listFolder(join(this.#folder, sub))) {
        if (isEventFile(name) && (await this.#archive(join(sub, name), beforeMs))) moved += 1;
      }
    }
    if (moved > 0) this.#open.clear();
    return moved;
  }

  async #archive(name: string, beforeMs: number): Promise<boolean> {
    const from = join(this.#folder, name);
    const to = join(this.#folder, ARCHIVE_FOLDER, name);
    const found = await lstat(from).catch(() => undefined);
    if (found === undefined || !found.isFile() || found.mtimeMs >= beforeMs) return false;
    if ((await sizeOf(to)) !== undefined) return false;
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    if (!(await lstat(dirname(to))).isDirectory()) return false;
    await rename(from, to);
    return true;
  }

  async #enter(series: EventSeries): Promise<OpenSeries> {
    const known = this.#open.get(series.name);
    if (known !== undefined) return known;
    if (this.#open.size >= OPEN_SERIES_MAX) this.#open.clear();
    const state = await this.#look(series);
    this.#open.set(series.name, state);
    return state;
  }

  /** The last file of the series, wherever it is, says how far it goes. */
  async #look(series: EventSeries): Promise<OpenSeries> {
    const state: OpenSeries = { part: 1, bytes: 0, lastSeq: 0, isCut: false };
    for (let part = 1; part <= PARTS_MAX; part++) {
      const path = toEventPath(this.#folder, series, part);
      const old = toEventPath(join(this.#folder, ARCHIVE_FOLDER), series, part);
      const bytes = await sizeOf(path);
      const isOld = bytes === undefined && (await sizeOf(old)) !== undefined;
      if (bytes === undefined && !isOld) break;
      const last = await readLastSeq(isOld ? old : path);
      state.lastSeq = Math.max(state.lastSeq, last.seq);
      // What lies in the archive is not touched any more.
      state.part = isOld ? part + 1 : part;
      state.bytes = isOld ? 0 : (bytes ?? 0);
      state.isCut = !isOld && last.isCut;
    }
    return state;
  }

  #countFitting({ bytes }: OpenSeries, lines: readonly EventLine[]): number {
    let added = 0;
    let count = 0;
    for (const { text } of lines) {
      added += Buffer.byteLength(text) + 1;
      // A line that is larger than a file has one for itself.
      if (bytes + added > this.#rotateBytes && (count > 0 || bytes > 0)) break;
      if (added > WRITE_BYTES_MAX && count > 0) break;
      count += 1;
    }
    return count;
  }

  async #write(series: EventSeries, state: OpenSeries, lines: readonly EventLine[]): Promise<void> {
    const path = toEventPath(this.#folder, series, state.part);
    const text = `${state.isCut ? "\n" : ""}${lines.map((line) => `${line.text}\n`).join("")}`;
    if (state.bytes === 0) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await appendTo(path, text, series.kind === "run" ? 1 : 0);
    state.bytes += Buffer.byteLength(text);
    state.isCut = false;
    state.lastSeq = lines.at(-1)?.seq ?? state.lastSeq;
  }
}

/** The folder may be one that others can write: no link is followed in it. */
async function appendTo(path: string, text: string, foldersMax: number): Promise<void> {
  const file = await openUnlinked(path, { flags: APPEND, foldersMax });
  try {
    // No more than one call but on a full disk: what is sent in pieces, others write between.
    for (let left = Buffer.from(text); left.length > 0;) {
      const { bytesWritten } = await file.write(left);
      left = left.subarray(bytesWritten);
    }
  } finally {
    await file.close();
  }
}

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;

function startNext(state: OpenSeries): void {
  state.part += 1;
  state.bytes = 0;
  state.isCut = false;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await lstat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
