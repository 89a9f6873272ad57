// What `gc` deletes and, more important, what it leaves alone.

import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { input } from "../../src/model/stage/need.ts";
import { stage } from "../../src/model/stage/stage.ts";
import {
  collectGarbage,
  foreseeGarbage,
  type Garbage,
  type GarbageOptions,
} from "../../src/service/commands/collect-garbage.ts";
import { pipeline } from "../../src/service/pipeline.ts";
import { makeFiles } from "../../src/service/world.ts";

import { BLOB_COLUMNS } from "../../src/storage/sqlite/upkeep/blob-use.ts";
import { makeDurableWorld, makeGate, type DurableWorld } from "../support/durable/durable-world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LARGE = "large ".repeat(20_000);

const text = input<string>();
const big = pipeline("big", {
  input: text,
  output: {
    big: stage("big", { needs: { text } }, ({ text }) => {
      if (text === "fail") throw new Error("no");
      return LARGE + text;
    }),
  },
});

function optionsOf(
  world: DurableWorld,
  days: Partial<GarbageOptions["retention"]> = {},
): GarbageOptions {
  const retention = { runsMs: 30 * DAY_MS, eventsMs: 30 * DAY_MS, failedMs: 30 * DAY_MS, ...days };
  return { store: world.url, busyTimeoutMs: 5_000, retention };
}

/** Runs it once per text; answers the ids. */
async function runEach(
  world: DurableWorld,
  ...texts: readonly string[]
): Promise<readonly string[]> {
  const mill = await world.open([big]);
  const ids: string[] = [];
  for (const one of texts) {
    const run = await mill.start(big, one);
    await run.result();
    ids.push(run.id);
  }
  await mill.close();
  return ids;
}

/** As if a run had ended, and told its events, so long ago. */
function makeOld(world: DurableWorld, run: string, days: number): void {
  const database = world.raw();
  const change = `UPDATE runs SET ended_at_ms = ended_at_ms - ? WHERE id = ?`;
  database.prepare(change).run(days * DAY_MS, run);
  const events = `UPDATE events SET at_ms = at_ms - ? WHERE run = (SELECT number FROM runs WHERE id = ?)`;
  database.prepare(events).run(days * DAY_MS, run);
  database.close();
}

function listBlobs(world: DurableWorld): readonly string[] {
  const folder = join(dirname(world.path), "blobs");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.length > 2)
    .map((name) => join(folder, name));
}

/** As if every blob had been written so long ago. */
function ageBlobs(world: DurableWorld, hours: number): void {
  for (const path of listBlobs(world)) {
    const seconds = statSync(path).mtimeMs / 1000 - hours * 3600;
    utimesSync(path, seconds, seconds);
  }
}

function countRuns(world: DurableWorld): unknown {
  const database = world.raw();
  const row = database.prepare("SELECT count(*) AS count FROM runs").get();
  database.close();
  return row?.["count"];
}

function deletedOf({ deleted }: Garbage): Garbage["deleted"] {
  return deleted;
}

test("ended runs go with their events and blobs once they are older than is kept; a dry run foresees it", async () => {
  const world = makeDurableWorld();
  const [old = "", failed = "", fresh = ""] = await runEach(world, "a", "fail", "b");
  makeOld(world, old, 31);
  makeOld(world, failed, 31);
  ageBlobs(world, 2);

  const options = optionsOf(world, { failedMs: 60 * DAY_MS });
  const foreseen = await foreseeGarbage(options);
  expect(countRuns(world)).toBe(3);
  expect(await collectGarbage(options)).toEqual(foreseen);

  expect(foreseen.deleted).toMatchObject({ runs: 1, cache: 0, blobs: 1 });
  expect(foreseen.bytes).toBeGreaterThan(LARGE.length);
  const mill = await world.open([big]);
  expect((await mill.run(fresh)).state).toBe("succeeded");
  expect((await mill.run(failed)).state).toBe("failed");
  await expect(mill.run(old)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  // What is left is whole: the kept output can still be read, and the failed run be resumed.
  expect((await mill.result(fresh)).outputs).toEqual({ big: `${LARGE}b` });
  expect(deletedOf(await collectGarbage(options))).toEqual({
    runs: 0,
    events: 0,
    cache: 0,
    keys: 0,
    blobs: 0,
    folders: 0,
  });
});

test("old events go although their run stays, the younger ones stay", async () => {
  const world = makeDurableWorld();
  const [old = "", young = ""] = await runEach(world, "a", "b");
  makeOld(world, old, 40);

  const options = optionsOf(world, { runsMs: 90 * DAY_MS });
  const foreseen = await foreseeGarbage(options);
  expect(foreseen.deleted.runs).toBe(0);
  expect(foreseen.deleted.events).toBeGreaterThan(0);
  expect(await collectGarbage(options)).toEqual(foreseen);

  const mill = await world.open([big]);
  const events = await mill.store.listEvents({ after: 0, limit: 1_000 });
  expect(new Set(events.map(({ run }) => run))).toEqual(new Set([young]));
});

test("a run that is queued, waiting or running stays, however old it is", async () => {
  const world = makeDurableWorld();
  const gate = makeGate();
  const held = pipeline("held", { output: { a: stage("a", {}, () => gate.opened) } });
  const mill = await world.open([held]);
  const run = await mill.start(held, undefined);
  const database = world.raw();
  database.exec("UPDATE runs SET queued_at_ms = 1000, started_at_ms = 1000");
  database.close();

  const { deleted } = await collectGarbage(optionsOf(world, { runsMs: 1, failedMs: 1 }));

  expect(deleted.runs).toBe(0);
  gate.open();
  expect((await run.result()).state).toBe("succeeded");
});

test("a blob that nothing needs goes after an hour, and not while a run that may have put it goes on", async () => {
  const world = makeDurableWorld();
  const gate = makeGate();
  const held = pipeline("held", { output: { a: stage("a", {}, () => gate.opened) } });
  const mill = await world.open([held]);
  const run = await mill.start(held, undefined);
  await mill.store.blobs.put(Buffer.from("not named yet"));
  expect((await collectGarbage(optionsOf(world))).deleted.blobs).toBe(0);

  ageBlobs(world, 3);
  const database = world.raw();
  database.exec(`UPDATE runs SET started_at_ms = started_at_ms - ${4 * HOUR_MS}`);
  database.close();
  expect((await collectGarbage(optionsOf(world))).deleted.blobs).toBe(0);
  expect(listBlobs(world)).toHaveLength(1);

  gate.open();
  await run.result();
  expect(await collectGarbage(optionsOf(world))).toMatchObject({
    deleted: { blobs: 1 },
    bytes: 13,
  });
  expect(listBlobs(world)).toHaveLength(0);
});

test("stores that share a folder keep each other's blobs, and one that cannot be asked keeps all", async () => {
  const world = makeDurableWorld();
  const [run = ""] = await runEach(world, "a");
  const sibling = join(dirname(world.path), "sibling.copy");
  copyFileSync(world.path, sibling);
  makeOld(world, run, 31);
  ageBlobs(world, 3);

  expect((await collectGarbage(optionsOf(world))).deleted).toMatchObject({ runs: 1, blobs: 0 });
  expect(listBlobs(world)).toHaveLength(1);

  const bytes = Buffer.alloc(8192);
  bytes.write("SQLite format 3\0", "latin1");
  bytes.writeUInt32BE(0x6d696c6c, 68);
  writeFileSync(sibling, bytes);
  const { deleted, unread } = await collectGarbage(optionsOf(world));
  expect({ blobs: deleted.blobs, unread }).toEqual({ blobs: 0, unread: [sibling] });
  expect(listBlobs(world)).toHaveLength(1);

  writeFileSync(sibling, "no store");
  expect((await collectGarbage(optionsOf(world))).deleted.blobs).toBe(1);
});

test("cache entries go an hour after they stopped being valid", async () => {
  const world = makeDurableWorld();
  await runEach(world, "a");
  const database = world.raw();
  const put = database.prepare(
    `INSERT INTO cache (key, pipeline, stage, item, components, output_version, run, made_at_ms, expires_at_ms)
     VALUES (?, 'p', 's', '', '{}', 'v', 1, 1, ?)`,
  );
  const nowMs = Number(database.prepare("SELECT written_at_ms AS ms FROM meta").get()?.["ms"]);
  put.run("old", nowMs - 2 * HOUR_MS);
  put.run("just", nowMs - 1_000);
  put.run("valid", nowMs + HOUR_MS);
  put.run("ever", null);

  expect((await foreseeGarbage(optionsOf(world))).deleted.cache).toBe(1);
  expect((await collectGarbage(optionsOf(world))).deleted.cache).toBe(1);

  const keys = database.prepare("SELECT key FROM cache ORDER BY key").all();
  expect(keys.map((row) => row["key"])).toEqual(["ever", "just", "valid"]);
});

test("every column that names a blob is asked before one is removed", async () => {
  const world = makeDurableWorld();
  await runEach(world, "a");
  const columns = world
    .raw()
    .prepare(
      `SELECT m.name AS tab, c.name AS col FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
       WHERE m.type = 'table' AND c.name LIKE '%blob%'`,
    )
    .all();

  expect(new Set(columns.map((row) => row["tab"]))).toEqual(
    new Set(BLOB_COLUMNS.map(({ table }) => table)),
  );
  expect(new Set(columns.map((row) => row["col"]))).toEqual(new Set(["output_blob"]));
});

test("there is nothing to collect in memory or where no store is, and none is made", async () => {
  const world = makeDurableWorld();
  const options = optionsOf(world);

  for (const collect of [foreseeGarbage, collectGarbage]) {
    await expect(collect(options)).rejects.toMatchObject({ code: "STORE_NOT_FOUND" });
    await expect(collect({ ...options, store: "memory:" })).rejects.toMatchObject({
      code: "STORE_UNSUPPORTED",
    });
  }
  expect(readdirSync(world.folder)).toEqual([]);
});

const sketch = pipeline("sketch", {
  input: text,
  output: {
    sketched: stage("sketched", { needs: { text } }, ({ text }, ctx) => {
      mkdirSync(join(ctx.dir, "deep"));
      writeFileSync(join(ctx.dir, "deep", "sketch"), text);
      return text;
    }),
  },
});

async function sketchEach(world: DurableWorld, ...texts: readonly string[]) {
  const mill = await world.open([sketch]);
  const runs = await Promise.all(texts.map((one) => mill.start(sketch, one)));
  await Promise.all(runs.map((run) => run.result()));
  return { mill, ids: runs.map(({ id }) => id), root: join(dirname(world.path), "runs") };
}

test("the folder of a run goes with the run, and nothing else that lies beside it", async () => {
  const world = makeDurableWorld();
  const { mill, ids, root } = await sketchEach(world, "old", "young");
  await mill.close();
  const [old = "", young = ""] = ids;
  const foreign = "01976f7e-0000-7000-8000-000000000001";
  for (const name of [foreign, "notes"]) mkdirSync(join(root, name));
  const outside = join(world.folder, "outside");
  writeFileSync(outside, "stays");
  symlinkSync(outside, join(root, old, "link"));
  makeOld(world, old, 31);

  expect(await foreseeGarbage(optionsOf(world))).toMatchObject({
    deleted: { runs: 1, folders: 1 },
    bytes: 3,
  });
  expect(readdirSync(root)).toHaveLength(4);
  expect(await collectGarbage(optionsOf(world))).toMatchObject({
    deleted: { runs: 1, folders: 1 },
    bytes: 3,
  });
  expect(readdirSync(root).toSorted()).toEqual([foreign, young, "notes"].toSorted());
  expect(readFileSync(outside, "utf8")).toBe("stays");
  expect((await collectGarbage(optionsOf(world))).deleted).toMatchObject({ runs: 0, folders: 0 });
});

test("the folder of a run that another store of the folder still has stays", async () => {
  const world = makeDurableWorld();
  const { mill, ids, root } = await sketchEach(world, "old");
  await mill.close();
  copyFileSync(world.path, join(dirname(world.path), "copy.db"));
  makeOld(world, ids[0] ?? "", 31);

  expect((await collectGarbage(optionsOf(world))).deleted).toMatchObject({ runs: 1, folders: 0 });
  expect(readdirSync(root)).toEqual(ids);
});

test.each(["memory", "sqlite"] as const)(
  "a run that is purged from %s takes its folder along",
  async (kind) => {
    const world = makeDurableWorld(kind);
    const { mill, ids } = await sketchEach(world, "a", "b");
    const files = makeFiles(world.url);
    const listOwn = async () => {
      const present = await files.listRunFolders();
      return ids.filter((id) => present.has(id));
    };
    await mill.enqueue(sketch, [{ input: "c" }]);
    expect(await listOwn()).toEqual(ids);
    expect(await mill.purge({ state: "succeeded", dryRun: true })).toMatchObject({ matching: 2 });
    expect(await listOwn()).toEqual(ids);

    expect(await mill.purge({ state: "succeeded" })).toMatchObject({ changed: 2 });
    expect(await listOwn()).toEqual([]);
  },
);
