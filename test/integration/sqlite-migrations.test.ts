import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "vitest";
import { type ErrorCode, isMillraceError } from "../../src/model/errors.ts";
import { checksumOf, type Migration } from "../../src/storage/migrate.ts";
import { MIGRATIONS } from "../../src/storage/sqlite/schema.ts";
import { applyRun, createRun } from "../../src/testing/store-suite/fixture.ts";
import { makeSqliteWorld, outputOf, type SqliteWorld } from "../support/sqlite-world.ts";

const LETTERS: Migration = {
  id: 2,
  name: "letters",
  sql: "CREATE TABLE letters (text TEXT) STRICT",
  checksum: "made up: no store is asked for it again",
};
const WITH_LETTERS: readonly Migration[] = [...MIGRATIONS, LETTERS];

const hasCode =
  (code: ErrorCode, words: RegExp) =>
  (error: unknown): boolean =>
    isMillraceError(error) && error.code === code && words.test(error.message);

async function makeOldStore(): Promise<SqliteWorld> {
  const world = makeSqliteWorld();
  const store = await world.open();
  await applyRun(store, createRun({ key: "old" }));
  await store.close();
  return world;
}

const tablesOf = (world: SqliteWorld, path?: string): readonly unknown[] => {
  const database = world.raw(path);
  const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  database.close();
  return rows.map((row) => row["name"]);
};

test("a new store is marked as ours, with its schema and what made it", async () => {
  const world = await makeOldStore();
  const database = world.raw();

  assert.deepEqual(
    { ...database.prepare("PRAGMA application_id").get() },
    { application_id: 0x6d696c6c },
  );
  assert.deepEqual({ ...database.prepare("PRAGMA user_version").get() }, { user_version: 1 });
  const ledger = database
    .prepare("SELECT id, name, length(checksum) AS checksum FROM migrations")
    .all();
  assert.deepEqual(
    ledger.map((row) => ({ ...row })),
    [{ id: 1, name: "foundation", checksum: 64 }],
  );
  database.close();
  assert.deepEqual(readdirSync(dirname(world.path)), ["store.db"]);
});

test("a store in use is copied before it is brought up to date, and keeps what it holds", async () => {
  const world = await makeOldStore();
  const store = await world.open({ migrations: WITH_LETTERS });
  assert.equal((await store.findRunByKey("crawl", "old"))?.number, 1);
  await store.close();

  assert.ok(tablesOf(world).includes("letters"));
  const copy = `${world.path}.schema-1.backup`;
  assert.equal(tablesOf(world, copy).includes("letters"), false);
  assert.equal((statSync(copy).mode & 0o777).toString(8), "600");
  const old = world.raw(copy);
  assert.equal(old.prepare("SELECT key FROM runs").get()?.["key"], "old");
  old.close();
  assert.deepEqual(readdirSync(dirname(world.path)), ["store.db", "store.db.schema-1.backup"]);
});

test("a migration that fails leaves the store as it was, and no copy behind", async () => {
  const world = await makeOldStore();
  const broken: Migration = { ...LETTERS, sql: `${LETTERS.sql}; INSERT INTO nowhere VALUES (1)` };
  await assert.rejects(world.open({ migrations: [...MIGRATIONS, broken] }), /nowhere/);

  assert.equal(tablesOf(world).includes("letters"), false);
  assert.deepEqual(readdirSync(dirname(world.path)), ["store.db"]);
  const store = await world.open({ migrations: WITH_LETTERS });
  assert.equal((await store.findRunByKey("crawl", "old"))?.number, 1);
});

test("a store of a newer millrace is refused with both versions, in every mode, and left alone", async () => {
  const world = await makeOldStore();
  await (await world.open({ migrations: WITH_LETTERS })).close();
  for (const mode of ["write", "read", "plan"] as const) {
    await assert.rejects(world.open({ mode }), hasCode("STORE_TOO_NEW", /schema 2; .* up to 1/));
  }
  assert.ok(tablesOf(world).includes("letters"));
});

test("a store that was made with another text of a migration is refused", async () => {
  const world = makeSqliteWorld();
  const [first = LETTERS] = MIGRATIONS;
  const other = { ...first, checksum: checksumOf(`${first.sql}\nCREATE TABLE extra (a)`) };
  await (await world.open({ migrations: [other] })).close();

  await assert.rejects(
    world.open(),
    hasCode("STORE_INVALID", /another migration 1 \("foundation"\)/),
  );
});

test("a store that lacks a migration is not brought up to date by who only reads", async () => {
  const world = await makeOldStore();
  const opening = world.open({ mode: "read", migrations: WITH_LETTERS });
  await assert.rejects(opening, hasCode("STORE_INVALID", /lacks migration 2 \("letters"\)/));

  assert.equal(tablesOf(world).includes("letters"), false);
  assert.equal(existsSync(`${world.path}.schema-1.backup`), false);
});

test("two processes that bring one store up to date do it once", async () => {
  for (let round = 0; round < 3; round++) {
    const world = await makeOldStore();
    const program = `
      const { openSqliteStore } = await import(src + "storage/sqlite/open.ts");
      const { MIGRATIONS } = await import(src + "storage/sqlite/schema.ts");
      const { systemClock } = await import(src + "std/clock.ts");
      const { systemMachine } = await import(src + "std/machine.ts");
      const letters = ${JSON.stringify(LETTERS)};
      const store = await openSqliteStore({
        url: "sqlite:" + path, path, clock: systemClock, machine: systemMachine, mode: "write",
        migrations: [...MIGRATIONS, letters],
      });
      const run = await store.findRunByNumber(1);
      await store.close();
      process.stdout.write(run.key);`;
    const children = [world.start(program), world.start(program)];

    assert.deepEqual(await Promise.all(children.map(outputOf)), ["old", "old"]);
    const ledger = world.raw().prepare("SELECT id FROM migrations").all();
    assert.deepEqual(
      ledger.map((row) => row["id"]),
      [1, 2],
    );
    const files = readdirSync(dirname(world.path)).filter((name) => !/-(wal|shm)$/.test(name));
    assert.deepEqual(files, ["store.db", "store.db.schema-1.backup"]);
  }
});
