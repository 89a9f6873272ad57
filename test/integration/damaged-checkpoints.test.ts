// Checkpoints that were damaged on the disk: what a run that goes on does about them.

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { map, stage } from "../../src/model/stage/stage.ts";
import type { Millrace } from "../../src/service/millrace.ts";
import { pipeline } from "../../src/service/pipeline.ts";
import {
  makeDurableWorld,
  type DurableWorld,
  type SomePipeline,
} from "../support/durable/durable-world.ts";

const LARGE = "large ".repeat(20_000);

/** The file of a blob that holds this text. */
function findBlob(world: DurableWorld, text: string): string {
  const folder = join(dirname(world.path), "blobs");
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.length > 2)
    .map((name) => join(folder, name))
    .find((path) => readFileSync(path, "utf8").includes(text));
  if (found === undefined) throw new Error(`No blob holds ${text.slice(0, 40)}.`);
  return found;
}

/** Changes one bit of a file; answers what it holds now. */
function flip(path: string): Buffer {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
  writeFileSync(path, bytes);
  return bytes;
}

function edit(world: DurableWorld, sql: string): void {
  const database = world.raw();
  expect(database.prepare(sql).run().changes).toBe(1);
  database.close();
}

/** Text of every damaged checkpoint that was kept of a run. */
function readKept(world: DurableWorld, run: string): readonly string[] {
  const folder = join(dirname(world.path), "runs", run, "damaged");
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
}

/** A failed run of `a → b → c` of which `b` fails until `mend` is called. */
async function failOnce(output: unknown): Promise<{
  readonly world: DurableWorld;
  readonly mill: Millrace;
  readonly id: string;
  readonly calls: string[];
}> {
  const world = makeDurableWorld();
  const calls: string[] = [];
  let isBroken = true;
  const a = stage("a", {}, () => {
    calls.push("a");
    return output;
  });
  const b = stage("b", { needs: { a } }, ({ a }) => {
    calls.push("b");
    if (isBroken) throw new Error("not yet");
    return JSON.stringify(a).length;
  });
  const work = pipeline("work", { output: { b } });
  const mill = await world.open([work]);
  const run = await mill.start(work, undefined);
  expect((await run.result()).state).toBe("failed");
  isBroken = false;
  calls.length = 0;
  return { world, mill, id: run.id, calls };
}

describe("a stage whose checkpoint is damaged", () => {
  test("R260: a changed bit of a large output: done again with a warning, the damaged one kept", async () => {
    const { world, mill, id, calls } = await failOnce({ text: LARGE });
    const damaged = flip(findBlob(world, "large large"));

    const again = await mill.resume(id, { here: true });
    const result = await again.result();

    expect(calls).toEqual(["a", "b"]);
    expect(result).toMatchObject({ state: "succeeded", warnings: 1 });
    expect(result.outputs["b"]).toBe(JSON.stringify({ text: LARGE }).length);
    expect(again.resumed?.redo[0]).toEqual({
      stage: "a",
      reason: expect.stringMatching(/^its checkpoint was damaged \(kept: .*a\.1\.json\)$/),
    });
    expect(readKept(world, id)).toEqual([damaged.toString("utf8")]);
    expect((await mill.run(id)).warnings).toBe(1);
    // What was made again lies where the damaged one was, whole.
    expect((await mill.result(id)).output("a")).toEqual({ text: LARGE });
  });

  test("R260: a large output that is gone: done again with a warning", async () => {
    const { world, mill, id, calls } = await failOnce({ text: LARGE });
    rmSync(findBlob(world, "large large"));

    const again = await mill.resume(id, { here: true });

    expect(await again.result()).toMatchObject({ state: "succeeded", warnings: 1 });
    expect(calls).toEqual(["a", "b"]);
    expect(again.resumed?.redo[0]?.reason).toBe(
      "its checkpoint was damaged (nothing of it is left)",
    );
  });

  test.each([
    ["cut off", `{"x":`],
    ["edited into another value", `{"x":2}`],
    ["not of this house", `{"$:nonsense":true}`],
  ])(
    "R260: a row whose output is %s: done again with a warning, the row kept",
    async (_how, text) => {
      const { world, mill, id, calls } = await failOnce({ x: 1 });
      edit(world, `UPDATE stages SET output = '${text}' WHERE stage = 'a'`);

      const result = await (await mill.resume(id, { here: true })).result();

      expect(result).toMatchObject({ state: "succeeded", warnings: 1, outputs: { b: 7 } });
      expect(calls).toEqual(["a", "b"]);
      expect(readKept(world, id)).toEqual([text]);
    },
  );

  test("R260: also where a worker takes the run from a queue", async () => {
    const { world, mill, id, calls } = await failOnce({ text: LARGE });
    flip(findBlob(world, "large large"));
    await mill.resume(id);

    await mill.work({ drain: true });

    expect(await mill.run(id)).toMatchObject({ state: "succeeded", warnings: 1 });
    expect(calls).toEqual(["a", "b"]);
    expect(readKept(world, id)).toHaveLength(1);
  });

  test("R260: also where another run takes it over", async () => {
    const { world, mill, id, calls } = await failOnce({ text: LARGE });
    flip(findBlob(world, "large large"));

    const again = await mill.rerun(id, { from: "b" });

    expect(await again.result()).toMatchObject({ state: "succeeded", warnings: 1 });
    expect(calls).toEqual(["a", "b"]);
    expect(readKept(world, again.id)).toHaveLength(1);
    expect((await mill.result(again.id)).output("a")).toEqual({ text: LARGE });
  });

  test("without damage nothing is done again, and there is no warning", async () => {
    const { mill, id, calls } = await failOnce({ text: LARGE });

    const result = await (await mill.resume(id, { here: true })).result();

    expect(result).toMatchObject({ state: "succeeded", warnings: 0 });
    expect(calls).toEqual(["b"]);
  });
});

describe("damage further up", () => {
  async function makeChain(idempotent = true): Promise<{
    readonly world: DurableWorld;
    readonly mill: Millrace;
    readonly id: string;
    readonly calls: string[];
  }> {
    const world = makeDurableWorld();
    const calls: string[] = [];
    let isBroken = true;
    const first = stage("first", {}, () => {
      calls.push("first");
      return `first ${LARGE}`;
    });
    const second = stage("second", { needs: { first }, idempotent }, ({ first }) => {
      calls.push("second");
      return `second ${first}`;
    });
    const third = stage("third", { needs: { second } }, ({ second }) => {
      calls.push("third");
      if (isBroken) throw new Error("not yet");
      return second.length;
    });
    const chain: SomePipeline = pipeline("chain", { output: { third } });
    const mill = await world.open([chain]);
    const run = await mill.start(chain, undefined as never);
    await run.result();
    isBroken = false;
    calls.length = 0;
    return { world, mill, id: run.id, calls };
  }

  test("what was made from it is kept when it comes out the same", async () => {
    const { world, mill, id, calls } = await makeChain();
    flip(findBlob(world, `"first `));

    const result = await (await mill.resume(id, { here: true })).result();

    expect(result).toMatchObject({ state: "succeeded", warnings: 1 });
    expect(calls).toEqual(["first", "third"]);
  });

  test("two that are damaged are both done again, with two warnings", async () => {
    const { world, mill, id, calls } = await makeChain();
    flip(findBlob(world, `"first `));
    flip(findBlob(world, `"second `));

    const result = await (await mill.resume(id, { here: true })).result();

    expect(result).toMatchObject({ state: "succeeded", warnings: 2 });
    expect(calls).toEqual(["first", "second", "third"]);
  });

  test("a stage that must not be repeated is not, until somebody asks for it", async () => {
    const { world, mill, id, calls } = await makeChain(false);
    flip(findBlob(world, `"second `));

    const again = await mill.resume(id, { here: true });
    await expect(again.result()).rejects.toMatchObject({ code: "VALUE_DAMAGED" });
    expect(calls).toEqual([]);

    const asked = await mill.resume(id, { here: true, from: "second" });
    expect(await asked.result()).toMatchObject({ state: "succeeded" });
    expect(calls).toEqual(["second", "third"]);
  });
});

describe("items of a map", () => {
  test.each(["resume", "worker", "rerun"])(
    "R260: a damaged one alone is done again, by a %s",
    async (by) => {
      const world = makeDurableWorld();
      const calls: string[] = [];
      let isBroken = true;
      const list = stage("list", {}, () => ["a", "b", "c", "d"]);
      const large = map("large", { over: list, key: (item) => item }, (item) => {
        calls.push(item);
        return `${item} ${LARGE}`;
      });
      const small = map("small", { over: list, key: (item) => item }, (item) => {
        calls.push(`small ${item}`);
        return { item };
      });
      const sum = stage("sum", { needs: { large, small } }, ({ large, small }) => {
        if (isBroken) throw new Error("not yet");
        return (
          large.map((text) => text.slice(0, 1)).join("") + small.map(({ item }) => item).join("")
        );
      });
      const work = pipeline("work", { output: { sum } });
      const mill = await world.open([work]);
      const run = await mill.start(work, undefined);
      await run.result();
      isBroken = false;
      calls.length = 0;
      const bytes = flip(findBlob(world, `"c large`));
      edit(world, `UPDATE items SET output = '{"item"' WHERE stage = 'small' AND key = 'b'`);

      let id = run.id;
      if (by === "resume") await (await mill.resume(id, { here: true })).result();
      else if (by === "rerun") {
        const again = await mill.rerun(id, { onlyFailed: true });
        id = again.id;
        await again.result();
      } else {
        await mill.resume(id);
        await mill.work({ drain: true });
      }

      expect(calls.toSorted()).toEqual(["c", "small b"]);
      expect(await mill.run(id)).toMatchObject({ state: "succeeded", warnings: 2 });
      expect((await mill.result(id)).outputs).toEqual({ sum: "abcdabcd" });
      expect(new Set(readKept(world, id))).toEqual(new Set([bytes.toString("utf8"), '{"item"']));
      expect((await mill.store.countItems(id)).get("large")).toEqual({ succeeded: 4 });
    },
  );
});
