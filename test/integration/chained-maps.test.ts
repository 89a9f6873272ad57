// Maps over tolerant maps: an item goes on as soon as the one above has succeeded, in memory and durably, from
// wherever its value comes.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { map, pipeline, skip, stage } from "../../src/exports/index.ts";
import { makeDurableWorld, STORES } from "../support/durable/durable-world.ts";

const LARGE = 100_000;

test("an item whose successor ends at once does not make the run look finished", async () => {
  const first = map(
    "first",
    { over: [1, 2, 3], onItemFailure: "continue" },
    async (n, _needs, ctx) => {
      await ctx.sleep(1);
      return n;
    },
  );
  const second = map("second", { over: first, onItemFailure: "continue" }, (n) => n * 2);
  const result = await pipeline("chained", { output: { second } }).run(undefined);

  assert.equal(result.state, "succeeded");
  assert.deepEqual(
    result.outputs.second?.map((one) => one.value),
    [2, 4, 6],
  );
});

/** A chain of two maps and a stage; what fails and what is skipped is decided from outside. */
function makeChain() {
  const world = { failing: new Set<string>(), broken: false, ran: [] as string[] };
  async function* names() {
    for (const name of ["a", "b", "c", "d"]) yield await Promise.resolve(name);
  }
  const first = map(
    "first",
    { over: names, key: (name) => name, onItemFailure: "continue", concurrency: 1 },
    (name) => {
      world.ran.push(`first ${name}`);
      if (name === "d") return skip("not this one");
      return name === "b" ? name.repeat(LARGE) : name;
    },
  );
  const second = map(
    "second",
    { over: first, onItemFailure: "continue", tolerate: 0 },
    (text, _needs, ctx) => {
      const name = ctx.item?.key ?? "";
      world.ran.push(`second ${name}`);
      if (world.failing.has(name)) throw new Error(`no ${name}`);
      return `${text.length} ${text[0] ?? ""}`;
    },
  );
  const end = stage("end", { needs: { second } }, (needs) => {
    if (world.broken) throw new Error("not yet");
    return needs.second.map((one) => one.value ?? one.status);
  });
  return { pipeline: pipeline("chain", { output: { end } }), world };
}

const WANTED = ["1 a", `${LARGE} b`, "1 c", "skipped"];

describe.each(STORES)("chained maps on %s", (kind) => {
  test("R275: a resume hands over what the first map left in blobs, and repeats nothing that succeeded", async () => {
    const { pipeline: chain, world } = makeChain();
    const mill = await makeDurableWorld(kind).open([chain]);
    world.failing = new Set(["b", "c"]);
    const run = await mill.start(chain, undefined);
    assert.equal((await run.result()).state, "failed");
    world.failing.clear();
    world.ran.length = 0;
    const result = await (await mill.resume(run.id, { here: true })).result();

    assert.equal(result.state, "succeeded");
    assert.deepEqual(result.outputs["end"], WANTED);
    assert.deepEqual(world.ran.toSorted(), ["second b", "second c"]);
  });

  test("a resume from the first map does it all again, and the rows say so", async () => {
    const { pipeline: chain, world } = makeChain();
    const mill = await makeDurableWorld(kind).open([chain]);
    world.broken = true;
    const run = await mill.start(chain, undefined);
    await run.result();
    world.broken = false;
    world.ran.length = 0;
    const result = await (await mill.resume(run.id, { here: true, from: "first" })).result();

    assert.deepEqual(result.outputs["end"], WANTED);
    assert.equal(world.ran.length, 7);
    const counts = await mill.store.countItems(run.id);
    const each = { succeeded: 3, skipped: 1 };
    assert.deepEqual(Object.fromEntries(counts), { first: each, second: each });
  });

  test("items kept in the middle of a stream reach the map that follows", async () => {
    const { pipeline: chain, world } = makeChain();
    const durable = makeDurableWorld("sqlite");
    const mill = await durable.open([chain]);
    world.broken = true;
    const run = await mill.start(chain, undefined);
    await run.result();
    await mill.close();

    // As after a crash before the end of both lists was stored.
    const database = durable.raw();
    database.exec(`DELETE FROM stages WHERE stage IN ('first', 'second');
      DELETE FROM items WHERE stage = 'second' OR key = 'a';
      DELETE FROM item_counters;
      INSERT INTO item_counters VALUES (1, 'first', 'succeeded', 2), (1, 'first', 'skipped', 1)`);
    database.close();
    world.broken = false;
    world.ran.length = 0;
    const again = await durable.open([chain]);
    const resumed = await again.resume(run.id, { here: true });
    const result = await resumed.result();

    assert.deepEqual(result.outputs["end"], WANTED);
    expect(world.ran.filter((one) => one.startsWith("first"))).toEqual(["first a"]);
    assert.deepEqual((await again.store.countItems(run.id)).get("first"), {
      succeeded: 3,
      skipped: 1,
    });
  });
});

test("a map over one that failed ends behind it, whether it began before that or not", async () => {
  for (const isLate of [false, true]) {
    const first = map(
      "first",
      { over: ["a"], onItemFailure: "continue" },
      async (_one, _needs, ctx) => {
        await ctx.sleep(5);
        throw new Error("no");
      },
    );
    const slow = stage("slow", {}, async (_needs, ctx) => await ctx.sleep(isLate ? 20 : 0));
    const second = map(
      "second",
      { over: first, needs: { slow }, onItemFailure: "continue" },
      () => 1,
    );
    const chain = pipeline("behind", { output: { second }, failFast: false });
    const result = await chain.run(undefined);
    assert.equal(result.stages["first"]?.state, "failed");
    assert.equal(result.stages["second"]?.state, "upstream_failed", `late: ${isLate}`);
    assert.equal(result.stages["second"]?.error?.stage, "first");
  }
});
