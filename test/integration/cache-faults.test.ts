// What goes wrong with the cache: entries that were changed, cut short or lost their file are made again, and a cache
// that cannot be read or written fails nothing.

import { rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { pipeline, stage } from "../../src/exports/index.ts";
import { putCache } from "../../src/testing/store-suite/cache.ts";
import { applyRun, createRun, putStage } from "../../src/testing/store-suite/fixture.ts";
import { run } from "../support/cached-run.ts";
import { makeDurableWorld } from "../support/durable/durable-world.ts";

const LARGE = "x".repeat(100_000);

/** A pipeline with a large output, a small one, and state; run once. */
async function makeKept() {
  const world = makeDurableWorld("sqlite");
  const calls: string[] = [];
  const large = stage("large", { cache: true }, () => (calls.push("large"), LARGE));
  const small = stage("small", { cache: true }, (_needs, ctx) => {
    calls.push("small");
    ctx.state.set("seen", 1);
    return 7;
  });
  const made = pipeline("kept", { output: { large, small } });
  const mill = await world.open([made]);
  const first = await run(mill, made);
  calls.length = 0;
  return { world, mill, made, calls, first };
}

test("R271: whatever is changed in an entry makes it a miss, and it is made again", async () => {
  const { world, mill, made, calls, first } = await makeKept();
  const raw = world.raw();
  const damages = [
    `UPDATE cache SET output = '8' WHERE stage = 'small'`,
    `UPDATE cache SET output = NULL WHERE stage = 'small'`,
    `UPDATE cache SET state = '[]' WHERE stage = 'small'`,
    `UPDATE cache SET state = '[' WHERE stage = 'small'`,
    `UPDATE cache SET metrics = '{"a":{"absolute":false,"value":1}}' WHERE stage = 'small'`,
    `UPDATE cache SET metrics = '3' WHERE stage = 'small'`,
    `UPDATE cache SET components = '{}' WHERE stage = 'small'`,
    `UPDATE cache SET output_version = 'x' WHERE stage = 'small'`,
    `UPDATE cache SET seal = 'x' WHERE stage = 'small'`,
    `UPDATE cache SET seal = NULL WHERE stage = 'small'`,
  ];
  for (const damage of damages) {
    raw.exec(damage);
    const again = await run(mill, made);
    expect(again, damage).toMatchObject({
      state: "succeeded",
      warnings: 0,
      outputs: first.outputs,
    });
    expect(calls.splice(0), damage).toEqual(["small"]);
    const state = await mill.store.listState(again.id);
    expect(state, damage).toMatchObject([{ key: "seen", stage: "small" }]);
    await run(mill, made);
    expect(calls, damage).toEqual([]);
  }
});

test("R271: a large result whose file is gone, or is another one, is made again", async () => {
  const { world, mill, made, calls } = await makeKept();
  const blob = world.raw().prepare("SELECT output_blob AS blob FROM cache WHERE stage = 'large'");
  const path = mill.store.blobs.locate(String(blob.get()?.["blob"]));
  for (const damage of [() => rmSync(path), () => writeFileSync(path, "another one")]) {
    damage();
    const again = await run(mill, made);
    expect(again).toMatchObject({ state: "succeeded", warnings: 0, outputs: { large: LARGE } });
    expect(calls.splice(0)).toEqual(["large"]);
    const { summary } = await mill.why(again.name, "large");
    expect(summary).toMatch(/what run \w+ made of it was damaged/);
    expect((await run(mill, made)).outputs).toMatchObject({ large: LARGE });
    expect(calls).toEqual([]);
  }
});

test("R272: a cache that cannot be written, or read, is a warning and fails nothing", async () => {
  const { world, mill, made, calls } = await makeKept();
  const raw = world.raw();
  raw.exec(`CREATE TRIGGER refuse BEFORE INSERT ON cache BEGIN SELECT RAISE(ABORT, 'no'); END`);
  const unwritten = await run(mill, made, { force: ["small"] });
  expect(unwritten).toMatchObject({ state: "succeeded", warnings: 1, outputs: { small: 7 } });
  expect(unwritten.metrics).toMatchObject({ "cache.off": 1, "cache.hit": 1 });
  raw.exec(`DROP TRIGGER refuse; DROP TABLE cache`);
  const unread = await run(mill, made);
  expect(unread).toMatchObject({ state: "succeeded", warnings: 2, outputs: { small: 7 } });
  expect(unread.metrics).toEqual({ "cache.error": 2 });
  expect(calls).toEqual(["small", "large", "small"]);
});

test("a crash between checkpoint and entry is a miss, and the entry of a doomed process never counts", async () => {
  const { world, mill, made, calls, first } = await makeKept();
  // What a kill leaves: the checkpoint is there, the entry is not, or only its first statement.
  world
    .raw()
    .exec(
      `UPDATE cache SET seal = NULL WHERE stage = 'large'; DELETE FROM cache WHERE stage = 'small'`,
    );
  const again = await run(mill, made);
  expect(again.outputs).toEqual(first.outputs);
  expect(calls.toSorted()).toEqual(["large", "small"]);
});

test("an entry that cannot be stored harms no other write of its transaction", async () => {
  const { world, mill } = await makeKept();
  world
    .raw()
    .exec(`CREATE TRIGGER refuse BEFORE INSERT ON cache BEGIN SELECT RAISE(ABORT, 'no'); END`);
  const made = await applyRun(mill.store, createRun());
  const results = await mill.store.apply([
    putStage(made, { stage: "a" }),
    putCache(made, { key: "k" }),
    putStage(made, { stage: "b" }),
  ]);
  expect(results).toMatchObject([
    { kind: "done" },
    { kind: "conflict", run: null, reason: "The cache entry was not stored: no" },
    { kind: "done" },
  ]);
  const stages = await mill.store.listStages(made.id);
  expect(stages.map((record) => record.stage)).toEqual(["a", "b"]);
});
