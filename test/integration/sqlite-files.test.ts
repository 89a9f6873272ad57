import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ErrorCode, isMillraceError } from "../../src/model/errors.ts";
import {
  applyAll,
  applyRun,
  createRun,
  makeOwner,
  putStage,
} from "../../src/testing/store-suite/fixture.ts";
import { makeSqliteWorld } from "../support/sqlite-world.ts";

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** A check for assert.rejects: the code, the words, a hint, and a command where one helps. */
function isError(code: ErrorCode, words: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isMillraceError(error), String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    assert.ok((error.hint ?? "").length > 0, "no hint");
    return true;
  };
}

describe("the files of a store", () => {
  test("belong to their owner alone, folder, log and shared memory included", async () => {
    const world = makeSqliteWorld();
    const before = process.umask(0);
    try {
      const store = await world.open();
      await applyRun(store, createRun());
      await store.blobs.put(new Uint8Array([1]));
    } finally {
      process.umask(before);
    }

    assert.equal(modeOf(dirname(world.path)), "700");
    for (const suffix of ["", "-wal", "-shm"]) assert.equal(modeOf(world.path + suffix), "600");
    const blobs = join(dirname(world.path), "blobs");
    assert.equal(modeOf(blobs), "700");
    for (const name of readdirSync(blobs)) {
      assert.equal(modeOf(join(blobs, name)), "700");
      for (const blob of readdirSync(join(blobs, name))) {
        assert.equal(modeOf(join(blobs, name, blob)), "600");
      }
    }
  });

  test("are taken back from everyone else when a copy was left open to them", async () => {
    const world = makeSqliteWorld();
    await (await world.open()).close();
    chmodSync(world.path, 0o644);
    const store = await world.open();
    await applyRun(store, createRun());

    assert.equal(modeOf(world.path), "600");
    assert.equal(modeOf(`${world.path}-wal`), "600");
  });

  test("leave the mode of a folder that was there as it was", async () => {
    const world = makeSqliteWorld();
    mkdirSync(dirname(world.path), { mode: 0o755 });
    await world.open();

    assert.equal(modeOf(dirname(world.path)), "755");
  });

  test("are one file when the last user has closed it", async () => {
    const world = makeSqliteWorld();
    const store = await world.open();
    await applyRun(store, createRun());
    await store.findRunByNumber(1);
    await store.close();

    assert.deepEqual(readdirSync(dirname(world.path)), ["store.db"]);
  });

  test("R263: stay small, and a checkpoint of a small run is written in under 100 ms", async () => {
    const world = makeSqliteWorld();
    const store = await world.open();
    const run = await applyRun(store, createRun());
    const tookMs: number[] = [];
    for (let stage = 0; stage < 20; stage++) {
      const startMs = performance.now();
      const events = [{ type: "stage.succeeded", stage: `s${stage}` }] as const;
      await applyAll(store, putStage(run, { stage: `s${stage}` }, { events }));
      tookMs.push(performance.now() - startMs);
    }
    await store.close();

    const [median = Infinity] = tookMs.sort((left, right) => left - right).slice(10);
    assert.ok(median < 100, `the median of 20 checkpoints took ${median} ms`);
    assert.ok(statSync(world.path).size < 256 * 1024, `${statSync(world.path).size} bytes`);
  });
});

describe("a path that is no store", () => {
  test("a directory is refused by name", async () => {
    const world = makeSqliteWorld();
    mkdirSync(world.path, { recursive: true });
    for (const mode of ["write", "read", "plan"] as const) {
      await assert.rejects(world.open({ mode }), isError("STORE_INVALID", /is a directory/));
    }
  });

  test("a file of another kind is refused and left as it is", async () => {
    const world = makeSqliteWorld();
    const text =
      "This is a letter, and it is longer than the header of a database file is. ".repeat(9);
    mkdirSync(dirname(world.path));
    writeFileSync(world.path, text);
    for (const mode of ["write", "read", "plan"] as const) {
      await assert.rejects(world.open({ mode }), isError("STORE_INVALID", /is no SQLite file/));
    }

    assert.equal(readFileSync(world.path, "utf8"), text);
    assert.deepEqual(readdirSync(dirname(world.path)), ["store.db"]);
  });

  test("a database of another program is refused and left as it is", async () => {
    const world = makeSqliteWorld();
    mkdirSync(dirname(world.path));
    const other = world.raw();
    other.exec("CREATE TABLE letters (text TEXT)");
    other.close();
    for (const mode of ["write", "read", "plan"] as const) {
      await assert.rejects(world.open({ mode }), isError("STORE_INVALID", /of another program/));
    }

    const tables = world.raw().prepare("SELECT name FROM sqlite_schema").all();
    assert.deepEqual(
      tables.map((row) => row["name"]),
      ["letters"],
    );
  });

  test("a path that leads through a file, or to a dangling link, is refused", async () => {
    const world = makeSqliteWorld();
    writeFileSync(dirname(world.path), "");
    await assert.rejects(world.open(), isError("STORE_INVALID", /has no place/));

    const link = join(world.folder, "link.db");
    symlinkSync(join(world.folder, "nowhere", "store.db"), link);
    await assert.rejects(world.open({ path: link }), isError("STORE_INVALID", /has no place/));
  });

  test("no file at all: a run makes one, a question does not", async () => {
    const world = makeSqliteWorld();
    for (const mode of ["read", "plan"] as const) {
      await assert.rejects(world.open({ mode }), isError("STORE_NOT_FOUND", /There is no store/));
    }
    assert.equal(existsSync(dirname(world.path)), false);
    await world.open();
    assert.equal(existsSync(world.path), true);
  });

  test("an empty file is a store that has yet to be made", async () => {
    const world = makeSqliteWorld();
    mkdirSync(dirname(world.path));
    writeFileSync(world.path, "");
    await assert.rejects(world.open({ mode: "read" }), isError("STORE_NOT_FOUND", /no store/));
    const store = await world.open();

    assert.equal((await applyRun(store, createRun())).number, 1);
  });

  test("a store on a network filesystem is refused before anything is written", async () => {
    const world = makeSqliteWorld();
    for (const [type, name] of [
      [0x6969, "NFS"],
      [0xff534d42, "CIFS"],
      [0xff534d42 | 0, "CIFS"], // as a signed number, which some systems give
      [0xfe534d42, "SMB2"],
    ] as const) {
      const opening = world.open({ readFilesystemType: () => type });
      await assert.rejects(opening, isError("STORE_ON_NETWORK", new RegExp(name)));
    }
    assert.equal(existsSync(world.path), false);
    await world.open();
    const reading = world.open({ mode: "read", readFilesystemType: () => 0x6969 });
    await assert.rejects(reading, isError("STORE_ON_NETWORK", /NFS/));
  });

  test("an old SQLite is refused with both versions", async () => {
    const world = makeSqliteWorld();
    for (const sqliteVersion of ["3.51.2", "3.50.9", "2.99.99", "3.51"]) {
      const expected = isError("SQLITE_TOO_OLD", new RegExp(`${sqliteVersion};.*3\\.51\\.3`));
      await assert.rejects(world.open({ sqliteVersion }), expected);
    }
    assert.equal(existsSync(world.path), false);
    for (const sqliteVersion of ["3.51.3", "3.52.0", "4.0.0"]) await world.open({ sqliteVersion });
  });
});

describe("a damaged store", () => {
  test("is refused after an unclean end, with what SQLite found, unless a living worker explains the log", async () => {
    const world = makeSqliteWorld();
    const store = await world.open();
    await applyRun(store, createRun());
    await store.beat(makeOwner("w"), []);
    await store.close();
    const database = world.raw();
    database.exec("PRAGMA ignore_check_constraints = ON");
    database.exec("UPDATE runs SET state = 'done'");
    database.close();
    await (await world.open()).close();
    // A log is left over, as after a kill.
    writeFileSync(`${world.path}-wal`, "x");

    const machine = { bootId: "b", sharedMonotonicMs: () => 1 };
    const alive = { ...machine, isGone: () => false };
    await (await world.open({ machine: alive })).close();
    writeFileSync(`${world.path}-wal`, "x");
    const gone = { ...machine, isGone: () => true };
    const opening = world.open({ machine: gone });
    await assert.rejects(
      opening,
      isError("STORE_DAMAGED", /damaged: .*CHECK constraint failed in runs/),
    );
  });

  test("says so when a page is overwritten, and answers nothing wrong", async () => {
    const world = makeSqliteWorld();
    const store = await world.open();
    const run = await applyRun(store, createRun());
    for (let stage = 0; stage < 200; stage++) {
      await applyAll(store, putStage(run, { stage: `stage-${stage}` }));
    }
    await store.close();
    const bytes = readFileSync(world.path);
    bytes.fill(0xa5, 4096 * 3);
    writeFileSync(world.path, bytes);
    const reading = world.open({ mode: "read" }).then((reader) => reader.listStages(run.id));

    await assert.rejects(reading, isError("STORE_DAMAGED", /is damaged/));
  });

  test("a row with a word of another time is named, not guessed at", async () => {
    const world = makeSqliteWorld();
    const store = await world.open();
    const run = await applyRun(store, createRun());
    await applyAll(store, putStage(run, { stage: "a" }));
    const database = world.raw();
    database.exec("PRAGMA ignore_check_constraints = ON");
    database.exec("UPDATE stages SET state = 'done'");
    await assert.rejects(
      store.findStage(run.id, "a"),
      isError("STORE_DAMAGED", /"done" in column "state"/),
    );
    database.exec("UPDATE stages SET state = 'succeeded', metrics = '{'");
    await assert.rejects(store.findStage(run.id, "a"), isError("STORE_DAMAGED", /"metrics"/));
  });
});

describe("opening to read", () => {
  test("answers questions and writes nothing", async () => {
    const world = makeSqliteWorld();
    const writer = await world.open();
    const run = await applyRun(writer, createRun());
    const reader = await world.open({ mode: "read" });

    assert.equal((await reader.findRun(run.id))?.number, 1);
    await assert.rejects(reader.apply([createRun()]), isError("STORE_READ_ONLY", /to be read/));
    await assert.rejects(reader.beat(makeOwner("w"), []), isError("STORE_READ_ONLY", /to be read/));
    const put = reader.blobs.put(new Uint8Array());
    await assert.rejects(put, isError("STORE_READ_ONLY", /to be read/));
    await applyAll(writer, putStage(run, { stage: "a" }));
    assert.equal((await reader.listStages(run.id)).length, 1);
    assert.ok(Math.abs(reader.nowMs() - writer.nowMs()) < 1_000);
  });

  test("a plan makes no file, neither of a store at rest nor in its folder", async () => {
    const world = makeSqliteWorld();
    const writer = await world.open();
    const run = await applyRun(writer, createRun());
    await writer.close();
    const before = readFileSync(world.path);
    const changedMs = statSync(world.path).mtimeMs;
    const plan = await world.open({ mode: "plan" });
    assert.equal((await plan.findRun(run.id))?.number, 1);

    assert.deepEqual(readdirSync(dirname(world.path)), ["store.db"]);
    await plan.close();
    assert.deepEqual(readdirSync(dirname(world.path)), ["store.db"]);
    assert.deepEqual(readFileSync(world.path), before);
    assert.equal(statSync(world.path).mtimeMs, changedMs);
  });

  test("a plan notices who writes after it was opened, and reads on as any other", async () => {
    const world = makeSqliteWorld();
    const first = await world.open();
    const run = await applyRun(first, createRun());
    await first.close();
    const plan = await world.open({ mode: "plan" });
    assert.equal((await plan.listStages(run.id)).length, 0);

    const second = await world.open();
    await applyAll(second, putStage(run, { stage: "a" }));
    assert.equal((await plan.listStages(run.id)).length, 1);
    await applyAll(second, putStage(run, { stage: "b" }));
    await second.close();
    assert.equal((await plan.listStages(run.id)).length, 2);
  });

  test("a plan notices who wrote and left between two of its questions", async () => {
    const world = makeSqliteWorld();
    const first = await world.open();
    const run = await applyRun(first, createRun());
    await first.close();
    const plan = await world.open({ mode: "plan" });
    assert.equal((await plan.listStages(run.id)).length, 0);

    const second = await world.open();
    await applyAll(second, putStage(run, { stage: "a" }));
    await second.close();
    assert.equal((await plan.listStages(run.id)).length, 1);
    assert.deepEqual(readdirSync(dirname(world.path)), ["store.db"]);
  });

  test("a plan of a store that is in use sees what its log holds", async () => {
    const world = makeSqliteWorld();
    const writer = await world.open();
    const run = await applyRun(writer, createRun());
    const plan = await world.open({ mode: "plan" });

    assert.equal((await plan.findRun(run.id))?.number, 1);
    await applyAll(writer, putStage(run, { stage: "a" }));
    assert.equal((await plan.listStages(run.id)).length, 1);
    expect(readdirSync(dirname(world.path))).toEqual(["store.db", "store.db-shm", "store.db-wal"]);
  });
});
