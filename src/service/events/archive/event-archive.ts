// Follows the store and writes what it stores to files as lines, in order, none twice and none missing. Of several
// processes with the same folder one writes: whoever holds the record of how far the files go, which it renews while it
// lives. How far is told twice, by that record and by the files themselves: after a crash between the two the files
// have more, and what they have is not written again. One that is frozen for longer than it may hold the record, within
// a write, adds lines that another has written meanwhile: who reads in order of number passes over them.
//
// A folder that cannot be written harms no run: it is said once, the events stay in the store, and are written when it
// can be.

import { resolve } from "node:path";
import type { ParsedEventArchive } from "../../../model/compile/event-settings.ts";
import type { MillraceEvent } from "../../../model/event.ts";
import { RECENT_EVENTS_MAX } from "../../../model/limits.ts";
import type { Timer } from "../../../std/clock.ts";
import { sha256Hex } from "../../../std/json.ts";
import { isRecord } from "../../../std/record.ts";
import {
  type EventSeries,
  seriesOfDay,
  seriesOfRun,
} from "../../../storage/event-files/event-file-name.ts";
import { EventFiles, type EventLine } from "../../../storage/event-files/event-files.ts";
import type { ArchiveLink } from "../../feed/event-wires.ts";
import type { MillContext } from "../../mill-context.ts";
import { toEventView } from "../../views/event-view.ts";

/** Time between two looks for what other processes stored, ms. */
const LOOK_MS = 1_000;
/** How long who wrote last keeps others from writing, ms. */
const HOLD_MS = 30_000;
/** Time between two looks for old files, ms. */
const SWEEP_MS = 3_600_000;

interface Cursor {
  readonly revision: number;
  readonly seq: number;
  readonly holder: string;
  readonly untilMs: number;
}

/** The archive of one mill. */
export class EventArchive implements ArchiveLink {
  readonly #mill: MillContext;
  readonly #settings: ParsedEventArchive;
  readonly #files: EventFiles;
  readonly #key: string;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #timer: Timer | null = null;
  #isFailing = false;
  #isClosed = false;
  #sweptMs: number | null = null;

  constructor(mill: MillContext, settings: ParsedEventArchive) {
    this.#mill = mill;
    this.#settings = settings;
    this.#files = new EventFiles(settings);
    this.#key = `event-archive/${sha256Hex(resolve(settings.folder))}`;
  }

  /** Begins to look for what other processes store, until it is closed. */
  follow(): void {
    if (this.#isClosed) return;
    const look = (): void => {
      void this.settle().then(() => this.follow());
    };
    this.#timer?.cancel();
    this.#timer = this.#mill.world.clock.setTimer(LOOK_MS, look, { unref: true });
  }

  async settle(): Promise<boolean> {
    if (!this.#isClosed) await this.#pump();
    return this.#isFailing;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#timer?.cancel();
    await this.#pump();
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#giveUp().catch(() => undefined);
  }

  /** What is asked for while a turn is under way is one turn after it. */
  #pump(): Promise<void> {
    this.#next ??= this.#current.then(() => {
      this.#next = null;
      this.#current = this.#turn();
      return this.#current;
    });
    return this.#next;
  }

  async #turn(): Promise<void> {
    try {
      let cursor = await this.#hold();
      while (cursor !== null) {
        const query = { after: cursor.seq, limit: RECENT_EVENTS_MAX };
        const events = await this.#mill.store.listEvents(query);
        if (!(await this.#writeFiles(events))) return;
        const seq = events.at(-1)?.seq;
        if (seq !== undefined) cursor = await this.#put(cursor, seq);
        if (events.length < RECENT_EVENTS_MAX) return;
      }
    } catch {
      // The store is away or closing: whoever wrote to it hears of that. What is missing is written by a later turn.
    }
  }

  /** False: the files cannot be written now. */
  async #writeFiles(events: readonly MillraceEvent[]): Promise<boolean> {
    try {
      await this.#files.prepare();
      for (const [series, lines] of this.#group(events).values())
        await this.#files.append(series, lines);
      await this.#sweep();
      this.#hearSuccess();
      return true;
    } catch (error) {
      this.#hearFailure(error);
      return false;
    }
  }

  #group(
    events: readonly MillraceEvent[],
  ): ReadonlyMap<string, readonly [EventSeries, EventLine[]]> {
    const groups = new Map<string, readonly [EventSeries, EventLine[]]>();
    const add = (series: EventSeries, line: EventLine): void => {
      const known = groups.get(series.name);
      if (known === undefined) groups.set(series.name, [series, [line]]);
      else known[1].push(line);
    };
    for (const event of events) {
      const line = { seq: event.seq, text: JSON.stringify(toEventView(event)) };
      add(seriesOfDay(event.atMs), line);
      if (this.#settings.perRun && event.run !== "") add(seriesOfRun(event.run), line);
    }
    return groups;
  }

  async #sweep(): Promise<void> {
    const nowMs = this.#mill.world.clock.monotonicMs();
    if (this.#sweptMs !== null && nowMs - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    await this.#files.sweep(this.#mill.world.clock.wallMs() - this.#settings.keepMs);
  }

  /** The cursor, if this process may write; null: another one does. */
  async #hold(): Promise<Cursor | null> {
    const cursor = await this.#find();
    const nowMs = this.#mill.store.nowMs();
    const isMine = cursor.holder === this.#mill.owner.worker;
    if (!isMine && cursor.untilMs > nowMs) return null;
    // Renewed with each write; while nothing is written it is taken anew when half of it is over.
    if (isMine && cursor.untilMs - nowMs > HOLD_MS / 2) return cursor;
    // Whoever held it since may have filled files and gone on in others.
    if (!isMine) this.#files.forget();
    return await this.#put(cursor, cursor.seq);
  }

  async #find(): Promise<Cursor> {
    const record = await this.#mill.store.findRecord("cursors", this.#key);
    const value = record?.value;
    const read = (name: string): unknown => (isRecord(value) ? value[name] : undefined);
    const [seq, holder, untilMs] = [read("seq"), read("holder"), read("untilMs")];
    return {
      revision: record?.revision ?? 0,
      // Of a damaged record nothing is lost: the files say themselves what they have.
      seq: typeof seq === "number" && Number.isSafeInteger(seq) && seq >= 0 ? seq : 0,
      holder: typeof holder === "string" ? holder : "",
      untilMs: typeof untilMs === "number" ? untilMs : 0,
    };
  }

  /** Null: another process was first. */
  async #put(
    cursor: Cursor,
    seq: number,
    untilMs: number = this.#mill.store.nowMs() + HOLD_MS,
  ): Promise<Cursor | null> {
    const holder = this.#mill.owner.worker;
    const value = { seq, holder, untilMs, folder: this.#settings.folder };
    const put = {
      collection: "cursors",
      key: this.#key,
      expected: cursor.revision,
      value,
    } as const;
    // Not with the commits of runs: those are over when the last of it is written.
    const [result] = await this.#mill.store.apply([
      { kind: "put-records", puts: [put], events: [] },
    ]);
    return result?.kind === "recorded"
      ? { revision: cursor.revision + 1, seq, holder, untilMs }
      : null;
  }

  /** The next process need not wait. */
  async #giveUp(): Promise<void> {
    const cursor = await this.#find();
    if (cursor.holder === this.#mill.owner.worker) await this.#put(cursor, cursor.seq, 0);
  }

  #hearFailure(error: unknown): void {
    if (!this.#isFailing) {
      const text = error instanceof Error ? error.message : String(error);
      this.#mill.warn(
        `Events are not written to "${this.#settings.folder}" at the moment: ${text}. They are kept in the store, and written once it is possible.`,
      );
    }
    this.#isFailing = true;
  }

  #hearSuccess(): void {
    if (this.#isFailing) this.#mill.warn(`Events are written to "${this.#settings.folder}" again.`);
    this.#isFailing = false;
  }
}
