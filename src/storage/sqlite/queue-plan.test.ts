import assert from "node:assert/strict";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { beforeEach, test } from "vitest";
import { claimNext, createBatch, createRun, queueRun } from "../../testing/store-suite/fixture.ts";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import type { Write } from "../write.ts";
import { Rows } from "./rows.ts";
import { MIGRATIONS } from "./schema.ts";
import { StoreClock } from "./store-clock.ts";
import { Writer } from "./writes/writer.ts";

/** Remembers what is prepared, so that the plans are those of the very statements that run. */
class ListeningDatabase extends DatabaseSync {
  readonly statements: string[] = [];

  override prepare(...parameters: Parameters<DatabaseSync["prepare"]>): StatementSync {
    this.statements.push(parameters[0]);
    return super.prepare(...parameters);
  }
}

let database: ListeningDatabase;

function makeWriter(): Writer {
  const machine = { bootId: "b", sharedMonotonicMs: () => 0, isGone: () => undefined };
  return new Writer(database, new StoreClock({ clock: makeVirtualClock(), machine }));
}

beforeEach(() => {
  database = new ListeningDatabase(":memory:");
  for (const migration of MIGRATIONS) database.exec(migration.sql);
  const writer = makeWriter();
  writer.setClock();
  const runs = Array.from({ length: 60 }, (_, index): Write => {
    const run = { batch: "b-1", priority: index % 3, delayMs: index % 2 };
    return index < 20 ? createRun(run) : queueRun(run);
  });
  writer.apply([createBatch("b-1"), ...runs]);
  return () => database.close();
});

/** How SQLite goes about the statements over runs that `work` is the first to use, each as lines. */
function plansOf(work: (rows: Rows) => unknown): readonly (readonly string[])[] {
  const before = database.statements.length;
  work(new Rows(database));
  const own = database.statements
    .slice(before)
    .filter((sql) => /^\s*SELECT[^]*FROM runs/.test(sql));
  assert.ok(own.length > 0, "no statement over runs was prepared");
  return own.map((sql) => {
    const filled = sql.replaceAll("?", "1");
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${filled}`).all();
    return plan.map((line) => String(line["detail"]));
  });
}

/** The one line about the runs themselves; the rest must be look-ups by key, and nothing may be sorted. */
function accessOf(plan: readonly string[] | undefined): string | undefined {
  const text = plan?.join("\n") ?? "";
  assert.doesNotMatch(text, /TEMP B-TREE|AUTOMATIC|SCAN (?!runs USING COVERING INDEX runs_wake)/);
  return plan?.find((line) => /^(SEARCH|SCAN) runs /.test(line));
}

/** Whether it reads runs whose numbers are given. */
function isByNumbers(plan: readonly string[]): boolean {
  return plan.some((line) => line.includes("json_each"));
}

test("the next runs come from the index of claims in its order", () => {
  const [plan, more] = plansOf((rows) => rows.queue.listNext("crawl", 5));
  assert.equal(accessOf(plan), "SEARCH runs USING INDEX runs_claim (pipeline=?)");
  assert.equal(more, undefined);
});

test("a page of a queue goes on along the index of claims", () => {
  const after = { order: 5, number: 30 };
  const [beside, behind] = plansOf((rows) =>
    rows.queue.list({ pipeline: "crawl", after, limit: 5 }),
  );
  assert.equal(
    accessOf(beside),
    "SEARCH runs USING INDEX runs_claim (pipeline=? AND <expr>=? AND rowid>?)",
  );
  assert.equal(accessOf(behind), "SEARCH runs USING INDEX runs_claim (pipeline=? AND <expr>>?)");
});

test("those ahead of a run are counted along the index of claims", () => {
  const place = { pipeline: "crawl", dueAtMs: 5, priority: 0, number: 30 };
  const [plan] = plansOf((rows) => rows.queue.countAhead(place, 5));
  const access = plan?.filter((line) => line.startsWith("SEARCH runs")) ?? [];
  assert.deepEqual(access, [
    "SEARCH runs USING INDEX runs_claim (pipeline=? AND <expr><?)",
    "SEARCH runs USING INDEX runs_claim (pipeline=? AND <expr>=? AND rowid<?)",
  ]);
  assert.doesNotMatch(plan?.join("\n") ?? "", /TEMP B-TREE|AUTOMATIC|SCAN runs/);
});

test("runs that are due, and the next time, come from the index of waking", () => {
  const [due] = plansOf((rows) => rows.queue.listDue(5, 5));
  assert.equal(accessOf(due), "SEARCH runs USING INDEX runs_wake (wake_at_ms<?)");
  const [next] = plansOf((rows) => rows.queue.nextWakeMs());
  assert.match(accessOf(next) ?? "", /USING COVERING INDEX runs_wake/);
});

test("runs of a batch come from its index in the order of numbers", () => {
  const [plan] = plansOf((rows) => rows.runs.listBatch(1, 5, 5));
  assert.equal(accessOf(plan), "SEARCH runs USING INDEX runs_batch (batch=? AND rowid>?)");
});

test("a pipeline's successes have an index of their own, whatever is queued after them", () => {
  const [plan] = plansOf((rows) =>
    rows.runs.list({ pipeline: "crawl", states: ["succeeded"], limit: 5 }),
  );
  assert.equal(accessOf(plan), "SEARCH runs USING INDEX runs_succeeded (pipeline=?)");
});

test.each([
  [{}, "INTEGER PRIMARY KEY (rowid"],
  [{ pipeline: "crawl" }, "INDEX runs_of_pipeline (pipeline=? AND rowid"],
  [{ states: ["failed"] }, "INDEX runs_open (state=? AND rowid"],
  [{ parent: "r" }, "INDEX runs_parent (parent=? AND rowid"],
] as const)("a page of runs goes on both ways along one index: %o", (query, index) => {
  for (const [place, sign] of [
    [{ beforeNumber: 30 }, "<"],
    [{ afterNumber: 30 }, ">"],
  ] as const) {
    const plans = plansOf((rows) => rows.runs.list({ ...query, ...place, limit: 5 }));
    const pages = plans.filter((plan) => !isByNumbers(plan));
    assert.equal(accessOf(pages.at(-1)), `SEARCH runs USING ${index}${sign}?)`);
  }
});

test("the runs of a page that are not known yet are found by their numbers", () => {
  const read = plansOf((rows) => rows.runs.list({ limit: 5 })).filter(isByNumbers);
  assert.deepEqual(
    read.map((plan) => plan[0]),
    ["SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)"],
  );
  assert.doesNotMatch(read.join("\n"), /TEMP B-TREE|AUTOMATIC|SCAN (?!json_each)/);
});

test("runs since a time are found by their numbers", () => {
  const plans = plansOf((rows) => rows.runs.list({ sinceMs: 1, limit: 5 }));
  for (const plan of plans.slice(1).filter((one) => !isByNumbers(one)))
    assert.equal(accessOf(plan), "SEARCH runs USING INTEGER PRIMARY KEY (rowid>?)");
  assert.deepEqual(plans[0], ["SEARCH runs"]);
});

test("what a worker writes and asks most uses no sort and reads no table from end to end", () => {
  const writer = makeWriter();
  const before = database.statements.length;
  writer.apply([{ kind: "wake-runs", limit: 9 }, claimNext({ limit: 9 }, { maxActiveRuns: 40 })]);

  const own = database.statements
    .slice(before)
    .filter((sql) => /^\s*(SELECT|UPDATE)/.test(sql) && !sql.includes("FROM meta"));
  assert.ok(own.length >= 5, own.join(";\n"));
  for (const sql of own) {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll("?", "1")}`).all();
    accessOf(plan.map((line) => String(line["detail"])));
  }
});

test("who is parked for a key comes in the order of its tree, however many are parked for others", () => {
  const before = database.statements.length;
  const { parked } = new Rows(database);
  parked.isAny();
  parked.list(1, 5);
  parked.keysOf("api", 5);
  const plans = database.statements.slice(before).map((sql) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll("?", "1")}`)
      .all()
      .map((line) => String(line["detail"])),
  );
  assert.doesNotMatch(plans.flat().join("\n"), /TEMP B-TREE|AUTOMATIC/);
  assert.deepEqual(plans[1]?.slice(0, 2), [
    "SEARCH parked_runs USING PRIMARY KEY (resource=?)",
    "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
  ]);
  assert.match(plans[2]?.join("\n") ?? "", /SEARCH parked_runs .*PRIMARY KEY \(resource=\?\)/);
});
