// What must hold of a store and a file of effects after kills, whoever worked: read straight from the tables, past
// everything that could be wrong in the same way.

import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { SHARED_LIMIT, type Effect } from "./reference-pipeline.ts";

/** The lines of the file of effects. */
export function parseEffects(text: string): readonly Effect[] {
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Effect]));
}

/** What must be committed before this begins, as `stage item`. */
export function listNeeds(stage: string, item: string): readonly string[] {
  switch (stage) {
    case "work":
    case "flag":
    case "broken":
      return ["list "];
    case "twice":
      return [`work ${item}`];
    case "after":
      return ["broken "];
    case "end":
      return ["big ", "work ", "twice ", "stream ", "flag ", "after "];
    default:
      return [];
  }
}

/** Everything that has ended, as `run stage item`. */
export function listEnded(database: DatabaseSync): readonly string[] {
  const isEnded = `state IN ('succeeded', 'failed', 'skipped')`;
  const sql = `
    SELECT runs.id || ' ' || stage || ' ' AS name FROM stages
      JOIN runs ON runs.number = stages.run WHERE stages.${isEnded}
    UNION ALL
    SELECT runs.id || ' ' || stage || ' ' || items.key FROM items
      JOIN runs ON runs.number = items.run WHERE items.${isEnded}`;
  return rowsOf(database, sql).map((row) => String(row["name"]));
}

/** Everything that must not be done again, as `run stage item`. */
export function listCommitted(database: DatabaseSync): readonly string[] {
  const sql = `
    SELECT runs.id || ' ' || stage || ' ' AS name FROM stages
      JOIN runs ON runs.number = stages.run WHERE stages.state = 'succeeded'
    UNION ALL
    SELECT runs.id || ' ' || stage || ' ' || items.key FROM items
      JOIN runs ON runs.number = items.run WHERE items.state = 'succeeded'
    UNION ALL
    SELECT runs.id || ' ' || stage || '#' || name || ' ' || item FROM memos
      JOIN runs ON runs.number = memos.run`;
  return rowsOf(database, sql).map((row) => String(row["name"]));
}

/** Rows of a query. */
export function rowsOf(database: DatabaseSync, sql: string): readonly Record<string, unknown>[] {
  // Rows have no prototype, which a strict comparison sees.
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}

/** The file hangs together, every run succeeded, and nothing of any is left open or held. */
export function assertWhole(database: DatabaseSync): void {
  assert.deepEqual(rowsOf(database, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
  assert.deepEqual(rowsOf(database, "PRAGMA foreign_key_check"), []);
  const open = rowsOf(
    database,
    `SELECT run, stage, state FROM stages WHERE state IN ('pending', 'running', 'waiting')
     UNION ALL
     SELECT run, stage, state FROM items WHERE state IN ('pending', 'running', 'waiting')
     UNION ALL
     SELECT number, '', state FROM runs WHERE state <> 'succeeded' OR lease_worker IS NOT NULL`,
  );
  assert.deepEqual(open, [], "something has not ended");
  assert.deepEqual(rowsOf(database, "SELECT * FROM permits"), [], "a permit is held by nobody");
}

/** At no time are more permits of the shared resource held than there are. */
export function assertLimit(database: DatabaseSync): void {
  const held = rowsOf(
    database,
    "SELECT resource, count(*) AS count FROM permits GROUP BY resource",
  );
  for (const { count } of held)
    assert.ok(Number(count) <= SHARED_LIMIT, `${String(count)} permits are held at once`);
}

/** Counters equal a recount. */
export function assertCounters(database: DatabaseSync): void {
  const items = `SELECT run, stage, state, count FROM item_counters WHERE count <> 0 ORDER BY 1, 2, 3`;
  const recount = `SELECT run, stage, state, count(*) AS count FROM items GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;
  assert.deepEqual(rowsOf(database, items), rowsOf(database, recount), "counters of items");
  const runs = `SELECT pipeline, state, count FROM run_counters WHERE count <> 0 ORDER BY 1, 2`;
  const again = `SELECT pipeline, state, count(*) AS count FROM runs GROUP BY 1, 2 ORDER BY 1, 2`;
  assert.deepEqual(rowsOf(database, runs), rowsOf(database, again), "counters of runs");
}

/** Events of a run have no gap, and tell no success twice. */
export function assertEvents(database: DatabaseSync): void {
  const gaps = rowsOf(
    database,
    `SELECT run, count(*) AS count, min(run_seq) AS low, max(run_seq) AS high,
       (SELECT run_seq FROM runs WHERE number = events.run) AS head
     FROM events GROUP BY run HAVING low <> 1 OR high <> count(*) OR head <> high
       OR count(DISTINCT run_seq) <> count(*)`,
  );
  assert.deepEqual(gaps, [], "events of a run are numbered without a gap");
  const twice = rowsOf(
    database,
    `SELECT run, stage, item, count(*) AS count FROM events
     WHERE type IN ('stage.succeeded', 'item.succeeded') AND data NOT LIKE '%"checkpoint"%'
     GROUP BY run, stage, item HAVING count(*) > 1`,
  );
  assert.deepEqual(twice, [], "a success was told twice");
}
