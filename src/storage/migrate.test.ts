import assert from "node:assert/strict";
import { test } from "vitest";
import { isMillraceError } from "../model/errors.ts";
import { checksumOf, type Migration, planMigrations } from "./migrate.ts";
import { MIGRATIONS } from "./sqlite/schema.ts";

function migration(id: number, name: string, sql: string): Migration {
  return { id, name, sql, checksum: checksumOf(sql) };
}

const KNOWN: readonly Migration[] = [
  migration(1, "one", "CREATE TABLE one (a)"),
  migration(2, "two", "CREATE TABLE two (a)"),
  migration(3, "three", "CREATE TABLE three (a)"),
];

const applied = (count: number) =>
  KNOWN.slice(0, count).map(({ id, name, checksum }) => ({ id, name, checksum }));

test("a store lacks the migrations after its last one", () => {
  assert.deepEqual(planMigrations("u", KNOWN, []), KNOWN);
  assert.deepEqual(planMigrations("u", KNOWN, applied(1)), KNOWN.slice(1));
  assert.deepEqual(planMigrations("u", KNOWN, applied(3)), []);
});

test("a store with more migrations than are known is too new", () => {
  const plan = (): unknown => planMigrations("u", KNOWN.slice(0, 1), applied(2));
  assert.throws(plan, (error) => isMillraceError(error) && error.code === "STORE_TOO_NEW");
});

test("a migration that was edited after it was applied is found by its checksum", () => {
  const edited = KNOWN.map(({ id, name, sql }) => migration(id, name, `${sql} -- edited`));
  const plan = (): unknown => planMigrations("u", edited, applied(2));
  assert.throws(plan, (error) => isMillraceError(error) && error.code === "STORE_INVALID");
});

test("a gap in what was applied is no store of ours", () => {
  const [, second] = applied(2);
  assert.ok(second !== undefined);
  assert.throws(() => planMigrations("u", KNOWN, [second]), /another migration 2/);
});

test("our migrations carry the checksums of their texts", () => {
  for (const { sql, checksum } of MIGRATIONS) assert.equal(checksum, checksumOf(sql));
});

test("our migrations are numbered from 1 without gaps", () => {
  assert.deepEqual(
    MIGRATIONS.map((migration) => migration.id),
    MIGRATIONS.map((_, index) => index + 1),
  );
});
