// Values in rows that were damaged on the disk: no run works on an input that is not the one it was given, and
// nobody is told a wrong output of a run that has ended.

import { expect, test } from "vitest";
import { input } from "../../src/model/stage/need.ts";
import { stage } from "../../src/model/stage/stage.ts";
import { pipeline } from "../../src/service/pipeline.ts";
import { makeDurableWorld, type DurableWorld } from "../support/durable/durable-world.ts";

function edit(world: DurableWorld, sql: string): void {
  const database = world.raw();
  expect(database.prepare(sql).run().changes).toBe(1);
  database.close();
}

function makeEcho(calls: string[]) {
  const word = input<string>();
  const echo = stage("echo", { needs: { word } }, (needs) => {
    calls.push(needs.word);
    return `echo of ${needs.word}`;
  });
  return pipeline("echoing", { input: word, output: { echo } });
}

test("a queued run whose input was damaged fails before any of its stages starts", async () => {
  const world = makeDurableWorld();
  const calls: string[] = [];
  const echo = makeEcho(calls);
  const mill = await world.open([echo]);
  const { runs } = await mill.enqueue(echo, [{ input: "hello" }, { input: "other" }]);
  edit(
    world,
    `UPDATE runs SET input = replace(input, 'hello', 'iello') WHERE input LIKE '%hello%'`,
  );
  expect((await mill.work({ drain: true })).counts).toEqual({ failed: 1, succeeded: 1 });
  expect(calls).toEqual(["other"]);
  const record = await mill.run(runs[0]?.run.id ?? "");
  expect([record.state, record.reason]).toEqual(["failed", "VALUE_DAMAGED"]);
});

test("the result of a run whose output was damaged is refused", async () => {
  const world = makeDurableWorld();
  const echo = makeEcho([]);
  const mill = await world.open([echo]);
  const { runs } = await mill.enqueue(echo, [{ input: "hello" }]);
  await mill.work({ drain: true });
  const id = runs[0]?.run.id ?? "";
  expect((await mill.result(id)).outputs).toEqual({ echo: "echo of hello" });
  edit(world, `UPDATE stages SET output = replace(output, 'hello', 'iello')`);
  await expect(mill.result(id)).rejects.toMatchObject({ code: "VALUE_DAMAGED" });
});
