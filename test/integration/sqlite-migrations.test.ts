import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { test } from "vitest";
import { type ErrorCode, isMillraceError } from "../../src/model/errors.ts";
import type { RunRecord } from "../../src/model/run.ts";
import { checksumOf, type Migration } from "../../src/storage/migrate.ts";
import { MIGRATIONS } from "../../src/storage/sqlite/schema.ts";
import type { Store } from "../../src/storage/store.ts";
import {
  applyClaim,
  applyRun,
  claimNext,
  claimRun,
  createRun,
} from "../../src/testing/store-suite/fixture.ts";
import { makeSqliteWorld, outputOf, type SqliteWorld } from "../support/sqlite-world.ts";

/** Versions of the schema: the newest of ours, and the one after it. */
const NEWEST = MIGRATIONS.length;
const NEXT = NEWEST + 1;

const LETTERS: Migration = {
  id: NEXT,
  name: "letters",
  sql: "CREATE TABLE letters (text TEXT) STRICT",
  checksum: "made up: no store is asked for it again",
};
const WITH_LETTERS: readonly Migration[] = [...MIGRATIONS, LETTERS];

const hasCode =
  (code: ErrorCode, words: RegExp) =>
  (error: unknown): boolean =>
    isMillraceError(error) && error.code === code && words.test(error.message);

const isTooNew = (found: number, known: number): ((error: unknown) => boolean) =>
  hasCode("STORE_TOO_NEW", new RegExp(`schema ${found}; .* up to ${known}`));

const backupOf = (world: SqliteWorld, version: number): string =>
  `${world.path}.schema-${version}.backup`;

async function makeOldStore(): Promise<SqliteWorld> {
  const world = makeSqliteWorld();
  const store = await world.open();
  await applyRun(store, createRun({ key: "old" }));
  await store.close();
  return world;
}

/** What a store held before it had queues: only columns of the first schema are named. */
function fillAsOfOld(world: SqliteWorld): void {
  const database = world.raw();
  database.exec("INSERT INTO definitions (id, hash, json) VALUES (1, 'old', '{}')");
  const insert = database.prepare(`
    INSERT INTO runs (number, id, pipeline, epoch, state, foreground, run_seq, updated_at_ms,
      definition, input_version, crashes, resumes, retries, source, queued_at_ms, ended_at_ms, warnings)
    VALUES (?, ?, ?, ?, ?, 0, ?, 1, 1, 'v', 0, 0, 0, 'test', ?, ?, 0)`);
  insert.run(1, "run-1", "crawl", 1, "failed", 1, 1_000, 9_000);
  insert.run(2, "run-2", "crawl", 0, "queued", 0, 2_500, null);
  insert.run(3, "run-3", "crawl", 0, "queued", 0, 1_500, null);
  insert.run(4, "run-4", "parse", 0, "queued", 0, 2_000, null);
  database.exec(`
    INSERT INTO run_inputs (run, input) SELECT number, '"old"' FROM runs;
    INSERT INTO run_counters (pipeline, state, count) VALUES
      ('crawl', 'failed', 1), ('crawl', 'queued', 2), ('parse', 'queued', 1);
    INSERT INTO stages (run, stage, state, attempts, stage_version) VALUES (1, 'fetch', 'failed', 1, '1');
    INSERT INTO events (seq, run, run_seq, type, at_ms) VALUES (1, 1, 1, 'run.failed', 9000);
    UPDATE meta SET last_run_number = 4, last_event_seq = 1;`);
  const columns = database.prepare("SELECT name FROM pragma_table_info('runs')").all();
  if (columns.some((column) => column["name"] === "due_at_ms"))
    database.exec("UPDATE runs SET due_at_ms = queued_at_ms");
  database.close();
}

const OLD_RUN = {
  pipeline: "crawl",
  state: "queued",
  input: '"old"',
  definitionHash: "old",
  priority: 0,
  wakeAtMs: null,
  attempts: 0,
  batch: null,
  endedAtMs: null,
};

const OLD_COUNTS = new Map([
  ["crawl", { failed: 1, queued: 2 }],
  ["parse", { queued: 1 }],
]);

function summaryOf(run: RunRecord): object {
  const { number, id, pipeline, state, input, definitionHash, endedAtMs } = run;
  const { priority, dueAtMs, wakeAtMs, attempts, batch } = run;
  const queueing = { priority, dueAtMs, wakeAtMs, attempts, batch };
  return { number, id, pipeline, state, input, definitionHash, endedAtMs, ...queueing };
}

async function claimAll(store: Store, pipeline: string): Promise<readonly string[]> {
  const runs = await applyClaim(store, claimNext({ limit: 9 }, { name: pipeline }));
  return runs.map(({ run }) => run.id);
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
  assert.deepEqual({ ...database.prepare("PRAGMA user_version").get() }, { user_version: NEWEST });
  const ledger = database
    .prepare("SELECT id, name, length(checksum) AS checksum FROM migrations")
    .all();
  assert.deepEqual(
    ledger.map((row) => ({ ...row })),
    MIGRATIONS.map(({ id, name }) => ({ id, name, checksum: 64 })),
  );
  database.close();
  assert.deepEqual(readdirSync(dirname(world.path)), ["store.db"]);
});

for (const version of MIGRATIONS.keys()) {
  if (version === 0) continue;
  test(`R176: a store of schema ${version} keeps its runs, queues them on, and is then too new for who made it`, async () => {
    const world = makeSqliteWorld();
    const migrations = MIGRATIONS.slice(0, version);
    await (await world.open({ migrations })).close();
    fillAsOfOld(world);
    const store = await world.open();

    assert.deepEqual((await store.listRuns({ limit: 9 })).map(summaryOf), [
      { ...OLD_RUN, number: 4, id: "run-4", pipeline: "parse", dueAtMs: 2_000 },
      { ...OLD_RUN, number: 3, id: "run-3", dueAtMs: 1_500 },
      { ...OLD_RUN, number: 2, id: "run-2", dueAtMs: 2_500 },
      { ...OLD_RUN, number: 1, id: "run-1", state: "failed", dueAtMs: 1_000, endedAtMs: 9_000 },
    ]);
    assert.equal((await store.findStage("run-1", "fetch"))?.state, "failed");
    assert.deepEqual(await store.countRuns(), OLD_COUNTS);
    const events = await store.listEvents({ after: 0, limit: 9 });
    assert.deepEqual(
      events.map(({ seq, run, type }) => [seq, run, type]),
      [[1, "run-1", "run.failed"]],
    );

    assert.deepEqual(await claimAll(store, "crawl"), ["run-3", "run-2"]);
    const again = claimRun({ id: "run-1", epoch: 1 }, { reopen: true, claim: null });
    assert.equal((await applyRun(store, again)).number, 1);
    assert.deepEqual(await claimAll(store, "crawl"), ["run-1"]);
    assert.equal((await applyRun(store, createRun())).number, 5);
    await store.close();
    await assert.rejects(world.open({ migrations }), isTooNew(NEWEST, version));
  });
}

test("a store in use is copied before it is brought up to date, and keeps what it holds", async () => {
  const world = await makeOldStore();
  const store = await world.open({ migrations: WITH_LETTERS });
  assert.equal((await store.findRunByKey("crawl", "old"))?.number, 1);
  await store.close();

  assert.ok(tablesOf(world).includes("letters"));
  const copy = backupOf(world, NEWEST);
  assert.equal(tablesOf(world, copy).includes("letters"), false);
  assert.equal((statSync(copy).mode & 0o777).toString(8), "600");
  const old = world.raw(copy);
  assert.equal(old.prepare("SELECT key FROM runs").get()?.["key"], "old");
  old.close();
  assert.deepEqual(readdirSync(dirname(world.path)), ["store.db", basename(copy)]);
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
    await assert.rejects(world.open({ mode }), isTooNew(NEXT, NEWEST));
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
  const words = new RegExp(`lacks migration ${NEXT} \\("letters"\\)`);
  await assert.rejects(opening, hasCode("STORE_INVALID", words));

  assert.equal(tablesOf(world).includes("letters"), false);
  assert.equal(existsSync(backupOf(world, NEWEST)), false);
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
      [...MIGRATIONS.map(({ id }) => id), NEXT],
    );
    const files = readdirSync(dirname(world.path)).filter((name) => !/-(wal|shm)$/.test(name));
    assert.deepEqual(files, ["store.db", basename(backupOf(world, NEWEST))]);
  }
});
