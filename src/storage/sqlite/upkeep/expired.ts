// What may go from a SQLite store, counted, listed and deleted in steps. Events are in the order of their times,
// because the store's clock never goes back, so that old ones are found from the front.

import type { DatabaseSync } from "node:sqlite";
import { listColumn, readNumber, readNumberOrNull, readText } from "../../codec.ts";
import type { ExpiredCounts, Expiry } from "../../upkeep.ts";
import { countIdleKeys } from "./idle-keys.ts";
import { listTables } from "./list-tables.ts";
import { Statement } from "../statement.ts";
import { readTogether, transact } from "../transaction.ts";

/** A condition over `runs` that holds for those that may go, with its values. */
export function expiredRuns({
  runs,
}: Expiry): readonly [sql: string, values: readonly (string | number)[]] {
  const parts = runs.flatMap(({ states }) =>
    states.length === 0
      ? []
      : [`(state IN (?${", ?".repeat(states.length - 1)}) AND ended_at_ms < ?)`],
  );
  const values = runs.flatMap(({ states, endedBeforeMs }) =>
    states.length === 0 ? [] : [...states, endedBeforeMs],
  );
  return parts.length === 0 ? ["0", []] : [parts.join(" OR "), values];
}

/** Counts what may go. */
export function countExpired(database: DatabaseSync, expiry: Expiry): ExpiredCounts {
  return readTogether(database, () => {
    const [sql, values] = expiredRuns(expiry);
    const count = (from: string, ...given: readonly (string | number)[]): number =>
      readNumber(
        new Statement(database, `SELECT count(*) AS count FROM ${from}`).get(...given) ?? {},
        "count",
      );
    const firstKept = findFirstKept(database, expiry);
    const tables = listTables(database);
    return {
      runs: count(`runs WHERE ${sql}`, ...values),
      events:
        count(`events WHERE seq < ?`, firstKept) +
        count(
          `events WHERE seq >= ? AND run IN (SELECT number FROM runs WHERE ${sql})`,
          firstKept,
          ...values,
        ),
      // A store that was only opened to be read may be an older one, without a cache, or without resources.
      cache: tables.has("cache") ? count(`cache WHERE expires_at_ms < ?`, expiry.cacheBeforeMs) : 0,
      keys: tables.has("resources") ? countIdleKeys(database, expiry) : 0,
    };
  });
}

/** Ids of runs that may go, the oldest first. */
export function listExpiredRuns(
  database: DatabaseSync,
  expiry: Expiry,
  limit: number,
): readonly string[] {
  const [sql, values] = expiredRuns(expiry);
  return new Statement(database, `SELECT id FROM runs WHERE ${sql} ORDER BY number LIMIT ?`)
    .all(...values, limit)
    .map((row) => readText(row, "id"));
}

/** Those of the runs that are there. */
export function listKnownRuns(
  database: DatabaseSync,
  runIds: readonly string[],
): readonly string[] {
  const sql = `SELECT id FROM runs WHERE id IN (SELECT value FROM json_each(?))`;
  return new Statement(database, sql).all(listColumn(runIds)).map((row) => readText(row, "id"));
}

/** Deletes old events in one transaction; answers how many. */
export function deleteEvents(database: DatabaseSync, expiry: Expiry, limit: number): number {
  return transact(database, () =>
    new Statement(
      database,
      `DELETE FROM events WHERE seq IN (
         SELECT seq FROM (SELECT seq, at_ms FROM events ORDER BY seq LIMIT ?) WHERE at_ms < ?)`,
    ).run(limit, expiry.eventsBeforeMs),
  );
}

/** Deletes cache entries in one transaction; answers how many. */
export function deleteCache(database: DatabaseSync, expiry: Expiry, limit: number): number {
  return transact(database, () =>
    new Statement(
      database,
      `DELETE FROM cache WHERE number IN (
         SELECT number FROM cache WHERE expires_at_ms < ? ORDER BY expires_at_ms LIMIT ?)`,
    ).run(expiry.cacheBeforeMs, limit),
  );
}

/** Number of the first event that is not old, by halving: a store may hold millions. */
function findFirstKept(database: DatabaseSync, { eventsBeforeMs }: Expiry): number {
  const last = new Statement(database, `SELECT max(seq) AS seq FROM events`).get();
  const next = new Statement(
    database,
    `SELECT seq, at_ms FROM events WHERE seq >= ? ORDER BY seq LIMIT 1`,
  );
  let low = 0;
  let high = (readNumberOrNull(last ?? { seq: null }, "seq") ?? 0) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const event = next.get(middle);
    if (event !== undefined && readNumber(event, "at_ms") < eventsBeforeMs) {
      low = readNumber(event, "seq") + 1;
    } else high = middle;
  }
  return low;
}
