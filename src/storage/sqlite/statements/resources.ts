// Keys of resources, the permits that are held, and who waits for them.

import type { DatabaseSync } from "node:sqlite";
import type { ResourceTerms } from "../../../model/resource/resource.ts";
import { NEW_RESOURCE_STATE, type ResourceState } from "../../../policy/admission.ts";
import { readJson, readNumber, readNumberOrNull, readText, type Row } from "../../codec.ts";
import {
  NO_TOTALS,
  type HeldPermit,
  type NewPermit,
  type ReturnedPermit,
  type WaitingLine,
} from "../../permits/permit-book.ts";
import type {
  PermitAddress,
  PermitRecord,
  ResourceAddress,
  ResourceRecord,
  ResourceTotals,
} from "../../permits/permit-write.ts";
import { type SqlValue, Statement } from "../statement.ts";

/** One key as its row says. */
export interface ResourceRow extends ResourceAddress {
  readonly number: number;
  readonly state: ResourceState;
  readonly totals: ResourceTotals;
  readonly terms: ResourceTerms | null;
  readonly usedAtMs: number;
}

/** Permits of a key. */
export interface HeldCount {
  readonly held: number;
  readonly probesHeld: number;
}

/** A permit that is freed. */
export interface FreedPermit {
  readonly resource: number;
  /** Null: it was no probe. */
  readonly probeUntilMs: number | null;
}

const COLUMNS = "number, name, key, state, totals, terms, used_at_ms";

const RECORD = `
  SELECT ${COLUMNS},
    (SELECT count(*) FROM permits WHERE permits.resource = resources.number) AS held,
    (SELECT coalesce(sum(waiting), 0) FROM resource_lines
      WHERE resource_lines.resource = resources.number AND seen_at_ms > ?) AS waiting
  FROM resources`;

const PERMIT = `
  SELECT resources.name AS name, resources.key AS key, runs.id AS run_id, stage, item, slot,
    taken_at_ms, probe_until_ms
  FROM permits JOIN resources ON resources.number = permits.resource
    JOIN runs ON runs.number = permits.run`;

// Whoever holds a permit works under a lease; where that is over, so is the permit.
const LOST = `
  DELETE FROM permits WHERE resource = ? AND NOT EXISTS (
    SELECT 1 FROM runs WHERE runs.number = permits.run AND runs.epoch = permits.epoch
      AND runs.state = 'running' AND runs.lease_expires_at_ms > ?)`;

const ADDRESS = "run = ? AND stage = ? AND item = ? AND slot = ? AND resource = ?";

/** Statements over `resources`, `permits` and `resource_lines`. */
export class ResourceRows {
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #count: Statement;
  readonly #lines: Statement;
  readonly #putLine: Statement;
  readonly #dropLine: Statement;
  readonly #insertPermit: Statement;
  readonly #findPermit: Statement;
  readonly #dropPermit: Statement;
  readonly #dropProbe: Statement;
  readonly #dropLost: Statement;
  readonly #freeRun: Statement;
  readonly #list: Statement;
  readonly #listNamed: Statement;
  readonly #one: Statement;
  readonly #holders: Statement;
  readonly #ofRun: Statement;

  constructor(database: DatabaseSync) {
    const statement = (sql: string): Statement => new Statement(database, sql);
    this.#find = statement(`SELECT ${COLUMNS} FROM resources WHERE name = ? AND key = ?`);
    this.#insert = statement(
      `INSERT INTO resources (name, key, state, totals, terms, used_at_ms)
       VALUES (?, ?, ?, ?, ?, ?) RETURNING number`,
    );
    this.#update = statement(
      `UPDATE resources SET state = ?, totals = ?, terms = ?, used_at_ms = ? WHERE number = ?`,
    );
    this.#count = statement(
      `SELECT count(*) AS held, count(probe_until_ms) FILTER (WHERE probe_until_ms > ?) AS probes
       FROM permits WHERE resource = ?`,
    );
    this.#lines = statement(
      `SELECT worker, waiting, since_ms, seen_at_ms FROM resource_lines WHERE resource = ?`,
    );
    this.#putLine = statement(
      `INSERT INTO resource_lines (resource, worker, waiting, since_ms, seen_at_ms)
       VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET waiting = excluded.waiting, since_ms = excluded.since_ms,
         seen_at_ms = excluded.seen_at_ms`,
    );
    this.#dropLine = statement(`DELETE FROM resource_lines WHERE resource = ? AND worker = ?`);
    this.#insertPermit = statement(
      `INSERT INTO permits (run, stage, item, slot, resource, epoch, taken_at_ms, probe_until_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#findPermit = statement(`SELECT probe_until_ms FROM permits WHERE ${ADDRESS}`);
    this.#dropPermit = statement(`DELETE FROM permits WHERE ${ADDRESS}`);
    this.#dropProbe = statement(
      `DELETE FROM permits WHERE ${ADDRESS} RETURNING resource, probe_until_ms`,
    );
    this.#dropLost = statement(LOST);
    this.#freeRun = statement(
      `DELETE FROM permits WHERE run = ? RETURNING resource, probe_until_ms`,
    );
    this.#list = statement(`${RECORD} WHERE (name, key) > (?, ?) ORDER BY name, key LIMIT ?`);
    this.#listNamed = statement(`${RECORD} WHERE name = ? AND key > ? ORDER BY key LIMIT ?`);
    this.#one = statement(`${RECORD} WHERE name = ? AND key = ?`);
    this.#holders = statement(
      `${PERMIT} WHERE permits.resource = (SELECT number FROM resources WHERE name = ? AND key = ?)
       ORDER BY taken_at_ms, run, stage, item, slot LIMIT ?`,
    );
    this.#ofRun = statement(
      `${PERMIT} WHERE permits.run = ? ORDER BY stage, item, slot, resources.name, resources.key LIMIT ?`,
    );
  }

  find({ resource, key }: ResourceAddress): ResourceRow | undefined {
    const row = this.#find.get(resource, key);
    return row === undefined ? undefined : toResourceRow(row);
  }

  /** Number of the new row. */
  insert(row: Omit<ResourceRow, "number">): number {
    const made = this.#insert.get(row.resource, row.key, ...toColumns(row));
    return readNumber(made ?? {}, "number");
  }

  update(row: ResourceRow): void {
    this.#update.run(...toColumns(row), row.number);
  }

  count(resource: number, nowMs: number): HeldCount {
    const row = this.#count.get(nowMs, resource) ?? {};
    return { held: readNumber(row, "held"), probesHeld: readNumber(row, "probes") };
  }

  lines(resource: number): readonly WaitingLine[] {
    return this.#lines.all(resource).map((row) => ({
      worker: readText(row, "worker"),
      waiting: readNumber(row, "waiting"),
      sinceMs: readNumber(row, "since_ms"),
      seenAtMs: readNumber(row, "seen_at_ms"),
    }));
  }

  putLine(resource: number, line: WaitingLine): void {
    this.#putLine.run(resource, line.worker, line.waiting, line.sinceMs, line.seenAtMs);
  }

  dropLine(resource: number, worker: string): void {
    this.#dropLine.run(resource, worker);
  }

  /** False: there is one under this address. */
  insertPermit(resource: number, permit: NewPermit, takenAtMs: number): boolean {
    const { run, stage, item, slot, epoch, probeUntilMs } = permit;
    const place = [run, stage, item ?? "", slot, resource] as const;
    return this.#insertPermit.run(...place, epoch, takenAtMs, probeUntilMs) > 0;
  }

  findPermit(
    resource: number,
    run: number,
    { stage, item, slot }: PermitAddress,
  ): HeldPermit | undefined {
    const row = this.#findPermit.get(run, stage, item ?? "", slot, resource);
    return row === undefined
      ? undefined
      : { probe: readNumberOrNull(row, "probe_until_ms") !== null };
  }

  /** Frees one permit; false: it was not held. */
  dropPermit(resource: number, { run, address }: ReturnedPermit): boolean {
    const { stage, item, slot } = address;
    return this.#dropPermit.run(run, stage, item ?? "", slot, resource) > 0;
  }

  /** The same, and what it was. */
  dropProbe(resource: number, { run, address }: ReturnedPermit): FreedPermit | undefined {
    const { stage, item, slot } = address;
    const row = this.#dropProbe.get(run, stage, item ?? "", slot, resource);
    return row === undefined ? undefined : toFreed(row);
  }

  /** Frees permits of owners whose lease had ended by then; how many. */
  dropLost(resource: number, endedMs: number): number {
    return this.#dropLost.run(resource, endedMs);
  }

  /** Frees what a run holds. */
  freeRun(run: number): readonly FreedPermit[] {
    return this.#freeRun.all(run).map(toFreed);
  }

  /** In order of name and key, after this one. `seenAfterMs`: older lines count no more. */
  list(after: ResourceAddress, limit: number, seenAfterMs: number): readonly ResourceRecord[] {
    return this.#list.all(seenAfterMs, after.resource, after.key, limit).map(toRecord);
  }

  listNamed(after: ResourceAddress, limit: number, seenAfterMs: number): readonly ResourceRecord[] {
    return this.#listNamed.all(seenAfterMs, after.resource, after.key, limit).map(toRecord);
  }

  record({ resource, key }: ResourceAddress, seenAfterMs: number): ResourceRecord | undefined {
    const row = this.#one.get(seenAfterMs, resource, key);
    return row === undefined ? undefined : toRecord(row);
  }

  /** Who holds a key, the longest first. */
  holders({ resource, key }: ResourceAddress, limit: number): readonly PermitRecord[] {
    return this.#holders.all(resource, key, limit).map(toPermit);
  }

  ofRun(run: number, limit: number): readonly PermitRecord[] {
    return this.#ofRun.all(run, limit).map(toPermit);
  }
}

// The terms of a resource are the same object for every use in a process: as text they are made once.
const texts = new WeakMap<ResourceTerms, string>();

function toText(terms: ResourceTerms): string {
  let text = texts.get(terms);
  if (text === undefined) texts.set(terms, (text = JSON.stringify(terms)));
  return text;
}

function toColumns(row: Omit<ResourceRow, "number">): readonly SqlValue[] {
  return [
    JSON.stringify(row.state),
    JSON.stringify(row.totals),
    row.terms === null ? null : toText(row.terms),
    row.usedAtMs,
  ];
}

function toResourceRow(row: Row): ResourceRow {
  return {
    number: readNumber(row, "number"),
    resource: readText(row, "name"),
    key: readText(row, "key"),
    state: readJson(row, "state", NEW_RESOURCE_STATE),
    totals: readJson(row, "totals", NO_TOTALS),
    terms: readJson<ResourceTerms | null>(row, "terms", null),
    usedAtMs: readNumber(row, "used_at_ms"),
  };
}

function toFreed(row: Row): FreedPermit {
  return {
    resource: readNumber(row, "resource"),
    probeUntilMs: readNumberOrNull(row, "probe_until_ms"),
  };
}

function toRecord(row: Row): ResourceRecord {
  const { number: _number, ...record } = toResourceRow(row);
  return { ...record, held: readNumber(row, "held"), waiting: readNumber(row, "waiting") };
}

function toPermit(row: Row): PermitRecord {
  const item = readText(row, "item");
  return {
    resource: readText(row, "name"),
    key: readText(row, "key"),
    runId: readText(row, "run_id"),
    stage: readText(row, "stage"),
    item: item === "" ? null : item,
    slot: readNumber(row, "slot"),
    takenAtMs: readNumber(row, "taken_at_ms"),
    probe: readNumberOrNull(row, "probe_until_ms") !== null,
  };
}
