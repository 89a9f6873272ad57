// Keys of resources that may go from a SQLite store: those that nobody has used for long, and of which nothing is
// left that could count. The same rule as `isAtRest` for the memory store.

import type { DatabaseSync } from "node:sqlite";
import { readNumber } from "../../codec.ts";
import type { Expiry } from "../../upkeep.ts";
import { Statement } from "../statement.ts";
import { transact } from "../transaction.ts";

// Not one without a key: there are few of them, and their counts are worth keeping. A quota that is not full again
// would be so by being forgotten, and a breaker that is open would be closed.
const IDLE = `
  FROM resources, (SELECT ? AS before_ms, ? AS now_ms)
  WHERE key <> '' AND used_at_ms < before_ms
  AND NOT EXISTS (SELECT 1 FROM permits WHERE permits.resource = resources.number)
  AND NOT EXISTS (
    SELECT 1 FROM resource_lines
    WHERE resource_lines.resource = resources.number AND seen_at_ms >= before_ms)
  AND coalesce(state ->> '$.pausedUntilMs', 0) <= now_ms
  AND (state ->> '$.override' IS NULL OR state ->> '$.override.untilMs' <= now_ms)
  AND coalesce(state ->> '$.breaker.state', 'closed') = 'closed'
  AND coalesce(state ->> '$.breaker.override.untilMs', 0) <= now_ms
  AND NOT EXISTS (
    SELECT 1 FROM json_each(state, '$.quotas') WHERE value ->> '$.tatUs' > now_ms * 1000)`;

/** Counts keys that may go. */
export function countIdleKeys(database: DatabaseSync, expiry: Expiry): number {
  const statement = new Statement(database, `SELECT count(*) AS count ${IDLE}`);
  return readNumber(statement.get(...valuesOf(expiry)) ?? {}, "count");
}

/** Deletes keys, the least recently used first, in one transaction; answers how many. */
export function deleteIdleKeys(database: DatabaseSync, expiry: Expiry, limit: number): number {
  const sql = `DELETE FROM resources WHERE number IN (
    SELECT number ${IDLE} ORDER BY used_at_ms LIMIT ?)`;
  return transact(database, () => new Statement(database, sql).run(...valuesOf(expiry), limit));
}

function valuesOf({ keysBeforeMs, nowMs }: Expiry): readonly [number, number] {
  return [keysBeforeMs, nowMs];
}
