// Exports of runs that are larger than one page of a store, and of one that is still going on.

import { expect, test } from "vitest";
import { map, stage } from "../../src/model/stage/stage.ts";
import { exportCheckpoint } from "../../src/service/exports/export-checkpoint.ts";
import { exportTrace } from "../../src/service/exports/export-trace.ts";
import { pipeline } from "../../src/service/pipeline.ts";
import { makeDurableWorld, makeGate, STORES } from "../support/durable/durable-world.ts";

async function readAll(
  text: AsyncGenerator<string, number>,
): Promise<{ readonly text: string; readonly rows: number }> {
  let all = "";
  for (;;) {
    const piece = await text.next();
    if (piece.done === true) return { text: all, rows: piece.value };
    all += piece.value;
  }
}

test.each(STORES)(
  "every item of many pages is told once, in order, with its two stages (%s)",
  async (kind) => {
    const world = makeDurableWorld(kind);
    const list = stage("list", {}, () => Array.from({ length: 1_201 }, (_, index) => index));
    const first = map("first", { over: list, key: (n) => `k${n}` }, (n) => n);
    const second = map("second", { over: list, key: (n) => `k${n * 2}` }, (n) => n);
    const work = pipeline("work", { output: { first, second } });
    const mill = await world.open([work]);
    await (await mill.start(work, undefined)).result();

    const { text, rows } = await readAll(exportCheckpoint(mill.store, "last"));
    const { papers, stats } = JSON.parse(text);
    const names = Object.keys(papers);

    // k0, k2 … k1200 are in both.
    expect({ rows, names: names.length, total: stats.total }).toEqual({
      rows: 1_801,
      names: 1_801,
      total: 1_801,
    });
    expect(names.slice(0, 1_201)).toEqual(Array.from({ length: 1_201 }, (_, index) => `k${index}`));
    expect(Object.keys(papers.k2.stages)).toEqual(["first", "second"]);
    expect(Object.keys(papers.k1.stages)).toEqual(["first"]);
    expect(stats).toMatchObject({ successful: 1_801, processed: 1_801, pending: 0, retries: 0 });

    const trace = await readAll(exportTrace(mill.store, "last", "jsonl"));
    // One attempt of the list, and one of each item of both maps.
    expect(trace.rows).toBe(1 + 2 * 1_201);
    expect(trace.text.trimEnd().split("\n")).toHaveLength(trace.rows);
  },
);

test("what has not begun is counted as pending while the run goes on", async () => {
  const world = makeDurableWorld();
  const gate = makeGate();
  const third = makeGate();
  const list = stage("list", {}, () => [1, 2, 3, 4, 5]);
  const slow = map("slow", { over: list, key: String, concurrency: 1 }, async (n) => {
    if (n === 3) {
      third.open();
      await gate.opened;
    }
    return n;
  });
  const work = pipeline("work", { output: { slow } });
  const mill = await world.open([work]);
  const run = await mill.start(work, undefined);
  await third.opened;

  const { papers, stats, status } = JSON.parse(
    (await readAll(exportCheckpoint(mill.store, run.name))).text,
  );

  expect(status).toBe("in_progress");
  expect(stats.total).toBe(5);
  expect(stats.successful).toBe(Object.keys(papers).length);
  expect(stats.pending).toBe(5 - stats.successful);
  gate.open();
  await run.result();
});
