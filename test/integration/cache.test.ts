// The cache: results of earlier runs of a pipeline stand for new ones that would be made from the same, whatever
// process, run or input they come from. Nothing that goes wrong with it fails a stage.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { definePipeline, input, map, pipeline, stage } from "../../src/exports/index.ts";
import type { Millrace } from "../../src/service/millrace.ts";
import type { RunResult } from "../../src/service/run-result.ts";
import { makeVirtualClock } from "../../src/std/virtual-clock.ts";
import { makeDurableWorld, STORES, type SomePipeline } from "../support/durable-world.ts";

/** Starts a pipeline whose types do not matter here, and waits for its end. */
async function run(
  mill: Millrace,
  made: SomePipeline,
  given: unknown = undefined,
  options: Parameters<Millrace["start"]>[2] = {},
): Promise<RunResult> {
  const handle = await mill.start(made, given as never, options);
  return await handle.result();
}

/** A list of files, a map that reads each, and a sum; what was called stands in `calls`. */
function makeReading(): { readonly reading: SomePipeline; take(): string[] } {
  const calls: string[] = [];
  const files = input<{ name: string; text: string }[]>();
  const read = map(
    "read",
    { over: files, key: (file) => file.name, cache: true },
    (file, _needs, ctx) => {
      calls.push(file.name);
      ctx.metric.increment("characters", file.text.length);
      ctx.state.set(`length of ${file.name}`, file.text.length);
      return file.text.length;
    },
  );
  const sum = stage("sum", { needs: { read }, cache: true }, ({ read: lengths }) => {
    calls.push("sum");
    return lengths.reduce((total, length) => total + length, 0);
  });
  const told = stage("told", { needs: { sum } }, (_needs, ctx) => {
    const entries = ["a", "b", "c"].map((name) => ctx.state.get(`length of ${name}`, null));
    return entries.join(" ");
  });
  const reading = pipeline("reading", { input: files, output: { sum, told } });
  return { reading, take: () => calls.splice(0) };
}

const FILES = [
  { name: "a", text: "one" },
  { name: "b", text: "three" },
  { name: "c", text: "seven" },
];

describe.each(STORES)("the cache on %s", (kind) => {
  test("R268 R269 R270: a second run finds everything, a changed item is done again, and no other", async () => {
    const { reading, take } = makeReading();
    const mill = await makeDurableWorld(kind).open([reading]);

    const first = await run(mill, reading, FILES);
    expect(take().toSorted()).toEqual(["a", "b", "c", "sum"]);
    expect(first.metrics).toMatchObject({ characters: 13, "cache.miss": 4, "cache.added": 4 });

    const second = await run(mill, reading, FILES);
    expect(take()).toEqual([]);
    expect(second.outputs).toEqual(first.outputs);
    expect(second.outputs).toEqual({ sum: 13, told: "3 5 5" });
    expect(second.stages["read"]).toMatchObject({ state: "succeeded", via: "cache", attempts: 0 });
    expect(second.stages["sum"]).toMatchObject({ state: "succeeded", via: "cache", attempts: 0 });
    expect(second.metrics).toEqual({ characters: 13, "cache.hit": 4 });

    const changed = FILES.with(1, { name: "b", text: "two" });
    const third = await run(mill, reading, changed);
    expect(take()).toEqual(["b", "sum"]);
    expect(third.outputs).toEqual({ sum: 11, told: "3 3 5" });
    expect(third.metrics).toMatchObject({ "cache.hit": 2, "cache.miss": 2, "cache.changed": 2 });
    expect(third.stages["read"]).toMatchObject({ via: "run" });

    const added = await run(mill, reading, [...changed, { name: "d", text: "" }]);
    expect(take()).toEqual(["d", "sum"]);
    expect(added.metrics).toMatchObject({ "cache.hit": 3, "cache.added": 1, "cache.changed": 1 });
  });
});
