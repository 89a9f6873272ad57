// Copies of a store that others are writing to, and what can be done with them.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { backUpStore } from "../../src/service/commands/back-up-store.ts";
import { openMillrace } from "../../src/service/millrace.ts";
import { map, stage } from "../../src/model/stage/stage.ts";
import { pipeline } from "../../src/service/pipeline.ts";
import { makeDurableWorld, makeGate, type DurableWorld } from "../support/durable/durable-world.ts";

const LARGE = "large ".repeat(20_000);

function backUp(world: DurableWorld, path: string): ReturnType<typeof backUpStore> {
  return backUpStore({ store: world.url, path, busyTimeoutMs: 5_000 });
}

function makeCopyPath(world: DurableWorld, name = "copy/store.db"): string {
  return join(world.folder, name);
}

function checkFile(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  onTestFinished(() => database.close());
  return database.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
}

test("a backup made while a run goes on holds one moment of it, opens as a store, and its run resumes", async () => {
  const world = makeDurableWorld();
  const gate = makeGate();
  const half = makeGate();
  let calls = 0;
  const large = stage("large", {}, () => LARGE);
  const items = map(
    "items",
    // After the large output, so that its blob is there by the time of the backup.
    {
      over: stage("list", { needs: { large } }, () =>
        Array.from({ length: 40 }, (_, index) => index),
      ),
      key: String,
    },
    async (item) => {
      calls += 1;
      if (item === 20) half.open();
      if (item >= 20) await gate.opened;
      return item;
    },
  );
  const sum = stage("sum", { needs: { items, large } }, (found) => {
    return found.items.reduce((a, b) => a + b, 0) + found.large.length;
  });
  const work = pipeline("work", { output: { sum } });
  const mill = await world.openDoomed([work], { concurrency: 4 });
  const run = await mill.start(work, undefined, { concurrency: 4 });
  await half.opened;

  const path = makeCopyPath(world);
  const facts = await backUp(world, path);

  expect(facts).toMatchObject({ runs: 1, blobs: 1, missing: [] });
  expect(checkFile(path)).toBe("ok");
  expect(readdirSync(dirname(path)).toSorted()).toEqual(["blobs", "store.db"]);
  gate.open();
  expect((await run.result()).state).toBe("succeeded");

  const before = calls;
  const copy = await openMillrace({ store: `sqlite:${path}`, pipelines: [work] });
  onTestFinished(() => copy.close({ drainMs: 0 }));
  const again = await copy.resume(run.name, { here: true });
  const result = await again.result();
  expect(result).toMatchObject({ state: "succeeded", outputs: { sum: 780 + LARGE.length } });
  expect(again.resumed?.keptStages).toBe(2);
  expect(calls - before).toBe(40 - (again.resumed?.keptItems ?? 0));
  expect(again.resumed?.keptItems).toBeGreaterThanOrEqual(1);
});

test("a process that writes all the time does not keep a backup from ending", async () => {
  const world = makeDurableWorld();
  const large = stage("large", {}, () => "x".repeat(60_000));
  const work = pipeline("work", { output: { large } });
  const mill = await world.open([work]);
  for (let run = 0; run < 40; run++) await (await mill.start(work, undefined)).result();
  const writer = world.raw();
  writer.exec("PRAGMA busy_timeout = 5000");
  const touch = writer.prepare("UPDATE meta SET written_at_ms = written_at_ms");
  let writes = 0;
  const timer = setInterval(() => (writes += Number(touch.run().changes)), 0);
  onTestFinished(() => clearInterval(timer));

  const path = makeCopyPath(world);
  expect(await backUp(world, path)).toMatchObject({ runs: 40, missing: [] });

  expect(writes).toBeGreaterThan(0);
  expect(checkFile(path)).toBe("ok");
});

test("file and blobs of a backup are their owner's alone, and nothing else is left", async () => {
  const world = makeDurableWorld();
  const large = stage("large", {}, () => LARGE);
  const work = pipeline("work", { output: { large } });
  const mill = await world.open([work]);
  await (await mill.start(work, undefined)).result();
  const path = makeCopyPath(world);

  const { bytes } = await backUp(world, path);
  const names = readdirSync(dirname(path), { recursive: true, encoding: "utf8" });
  const modes = new Set(
    names.map((name) => {
      const stats = statSync(join(dirname(path), name));
      return `${stats.isDirectory() ? "folder" : "file"} ${(stats.mode & 0o777).toString(8)}`;
    }),
  );

  expect(modes).toEqual(new Set(["folder 700", "file 600"]));
  expect((statSync(dirname(path)).mode & 0o777).toString(8)).toBe("700");
  expect(bytes).toBeGreaterThan(statSync(path).size + LARGE.length);
  // A second one beside it shares its blobs.
  expect(await backUp(world, join(dirname(path), "second.db"))).toMatchObject({ blobs: 1 });
});

test("a backup never takes the place of a file, and one of a damaged store is not kept", async () => {
  const world = makeDurableWorld();
  const one = pipeline("one", { output: { a: stage("a", {}, () => 1) } });
  const mill = await world.open([one]);
  await (await mill.start(one, undefined)).result();
  const path = makeCopyPath(world);
  mkdirSync(dirname(path));
  writeFileSync(path, "mine");

  await expect(backUp(world, path)).rejects.toMatchObject({ code: "FILE_EXISTS" });
  expect(readFileSync(path, "utf8")).toBe("mine");
  rmSync(path);
  const database = world.raw();
  database.exec("PRAGMA ignore_check_constraints = ON");
  database.exec("UPDATE runs SET warnings = -1, state = 'done'");
  await expect(backUp(world, path)).rejects.toMatchObject({ code: "STORE_DAMAGED" });
  expect(readdirSync(dirname(path))).toEqual([]);
});

test("a blob that the store itself has lost is named, and the rest is kept", async () => {
  const world = makeDurableWorld();
  const work = pipeline("work", {
    output: { a: stage("a", {}, () => LARGE), b: stage("b", {}, () => `${LARGE}b`) },
  });
  const mill = await world.open([work]);
  await (await mill.start(work, undefined)).result();
  const blobs = join(dirname(world.path), "blobs");
  const [lost = ""] = readdirSync(blobs);
  const [rest = ""] = readdirSync(join(blobs, lost));
  rmSync(join(blobs, lost, rest));
  const path = makeCopyPath(world);

  expect(await backUp(world, path)).toMatchObject({ blobs: 1, missing: [lost + rest] });
  expect(existsSync(path)).toBe(true);
});

test("there is nothing to back up in memory, and no store is made by asking", async () => {
  const world = makeDurableWorld();
  const path = makeCopyPath(world);

  for (const store of ["memory:", "sqlite::memory:"]) {
    const refused = backUpStore({ store, path, busyTimeoutMs: 1 });
    await expect(refused).rejects.toMatchObject({ code: "STORE_UNSUPPORTED" });
  }
  await expect(backUp(world, path)).rejects.toMatchObject({ code: "STORE_NOT_FOUND" });
  expect(readdirSync(world.folder)).toEqual([]);
});
