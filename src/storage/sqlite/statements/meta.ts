// The one row that every transaction reads and writes: the clock of the store and the last numbers given.

import type { DatabaseSync } from "node:sqlite";
import { asNumber, type Row, readNumber, readText } from "../../codec.ts";
import { Statement } from "../statement.ts";

/** What the row holds. */
export interface Meta {
  /** Boot under which the anchor was set; empty where the platform tells none. */
  readonly bootId: string;
  /** UTC ms at the zero of the machine's shared monotonic clock. */
  readonly clockAnchorMs: number;
  /** Latest time that a transaction wrote. */
  readonly writtenAtMs: number;
  readonly lastRunNumber: number;
  readonly lastEventSeq: number;
}

/** Statements over `meta`. */
export class MetaRows {
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #anchor: Statement;
  readonly #version: Statement;

  constructor(database: DatabaseSync) {
    this.#find = new Statement(
      database,
      `SELECT boot_id, clock_anchor_ms, written_at_ms, last_run_number, last_event_seq
       FROM meta WHERE id = 1`,
    );
    this.#insert = new Statement(database, `INSERT INTO meta VALUES (1, ?, ?, ?, 0, 0)`);
    this.#update = new Statement(
      database,
      `UPDATE meta SET written_at_ms = ?, last_run_number = ?, last_event_seq = ? WHERE id = 1`,
    );
    this.#anchor = new Statement(
      database,
      `UPDATE meta SET boot_id = ?, clock_anchor_ms = ? WHERE id = 1`,
    );
    this.#version = new Statement(database, "PRAGMA data_version");
  }

  /** Differs once another connection has committed. */
  version(): number {
    return asNumber(this.#version.lists()[0]?.[0], "data_version");
  }

  find(): Meta | undefined {
    const row = this.#find.get();
    return row === undefined ? undefined : toMeta(row);
  }

  insert(bootId: string, clockAnchorMs: number, nowMs: number): void {
    this.#insert.run(bootId, clockAnchorMs, nowMs);
  }

  update(meta: Pick<Meta, "writtenAtMs" | "lastRunNumber" | "lastEventSeq">): void {
    this.#update.run(meta.writtenAtMs, meta.lastRunNumber, meta.lastEventSeq);
  }

  setAnchor(bootId: string, clockAnchorMs: number): void {
    this.#anchor.run(bootId, clockAnchorMs);
  }
}

function toMeta(row: Row): Meta {
  return {
    bootId: readText(row, "boot_id"),
    clockAnchorMs: readNumber(row, "clock_anchor_ms"),
    writtenAtMs: readNumber(row, "written_at_ms"),
    lastRunNumber: readNumber(row, "last_run_number"),
    lastEventSeq: readNumber(row, "last_event_seq"),
  };
}
