import assert from "node:assert/strict";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { fc, test as propertyTest } from "@fast-check/vitest";
import { beforeEach, afterEach, test } from "vitest";
import { InvariantError } from "../../std/error/assert.ts";
import { isSqlValue, Statement, type SqlValue } from "./statement.ts";

let database: DatabaseSync;

beforeEach(() => {
  database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE pairs (a, b)");
});

afterEach(() => database.close());

const insert = (): Statement => new Statement(database, "INSERT INTO pairs VALUES (?, ?)");
const rows = (): readonly unknown[] =>
  new Statement(database, "SELECT a, b FROM pairs").all().map((row) => [row["a"], row["b"]]);

/** What a caller without types might pass. */
function pass(value: unknown): SqlValue {
  // The refusal of what is none is what is tested.
  return value as SqlValue;
}

test.each([
  ["a Date", new Date(0), /a Date/],
  ["an object", { a: 1, b: 2 }, /object/],
  ["an array", [1], /object/],
  ["undefined", undefined, /undefined/],
  ["a boolean", true, /boolean/],
  ["NaN", Number.NaN, /NaN/],
  ["Infinity", Number.POSITIVE_INFINITY, /Infinity/],
  ["a function", () => 1, /function/],
  ["a symbol", Symbol("s"), /symbol/],
])("%s is refused in every place, and nothing is written", (_name, value, words) => {
  assert.throws(() => insert().run(pass(value), "x"), words);
  assert.throws(() => insert().run("x", pass(value)), InvariantError);
  assert.throws(() => insert().get(pass(value), "x"), InvariantError);
  assert.throws(() => insert().all(pass(value), "x"), InvariantError);
  assert.deepEqual(rows(), []);
});

test("a value that is left out is refused, where SQLite would keep the last one", () => {
  const statement = insert();
  statement.run("first", "secret");
  assert.throws(() => statement.run("second"), /2 parameters and got 1/);
  assert.throws(() => statement.run("second", "b", "c"), /2 parameters and got 3/);
  assert.deepEqual(rows(), [["first", "secret"]]);
});

test("a statement is prepared when it is used first, and then kept", () => {
  const statement = new Statement(database, "SELECT count(*) AS count FROM later WHERE a = ?");
  assert.throws(() => statement.get(1), /no such table/);
  database.exec("CREATE TABLE later (a)");
  assert.equal(statement.get(1)?.["count"], 0);
});

test("bytes and whole numbers beyond 2^53 can be bound", () => {
  insert().run(new Uint8Array([1, 2]), 9_007_199_254_740_993n);
  const row = new Statement(database, "SELECT hex(a) AS a, CAST(b AS TEXT) AS b FROM pairs").get();
  assert.deepEqual({ ...row }, { a: "0102", b: "9007199254740993" });
});

propertyTest.prop([
  fc.oneof(
    fc.string({ unit: "binary" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    fc.constant(null),
  ),
])("whatever may be bound comes back as it was", (value) => {
  assert.ok(isSqlValue(value));
  database.exec("DELETE FROM pairs");
  insert().run(value, null);
  const [row] = rows();
  assert.ok(Array.isArray(row));
  // Whether minus zero stays one depends on the column; none of ours holds one.
  assert.ok(row[0] === value, `${JSON.stringify(value)} came back as ${JSON.stringify(row[0])}`);
});

test("a limit is no bare parameter, which SQLite would plan anew for whenever it is bound", () => {
  const prepared: string[] = [];
  class Listening extends DatabaseSync {
    override prepare(...given: Parameters<DatabaseSync["prepare"]>): StatementSync {
      prepared.push(given[0]);
      return super.prepare(...given);
    }
  }
  const listening = new Listening(":memory:");
  listening.exec("CREATE TABLE pairs (a, b); INSERT INTO pairs VALUES (1, 1), (2, 2), (3, 3)");
  const list = new Statement(listening, "SELECT a FROM pairs ORDER BY a LIMIT ?");
  assert.deepEqual([list.lists(2), list.lists(1), list.lists(0)], [[[1], [2]], [[1]], []]);
  listening.close();

  assert.deepEqual(prepared, ["SELECT a FROM pairs ORDER BY a LIMIT ? + 0"]);
});
