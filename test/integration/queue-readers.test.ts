// Readers and writers of one store side by side: who reads waits for nobody, nobody waits for who reads, and a writer
// waits for another as long as it was told to.

import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { isMillraceError, pipeline, stage } from "../../src/exports/index.ts";
import { makeProject, parseDocument } from "../support/command.ts";
import { makeDurableWorld } from "../support/durable/durable-world.ts";

const quick = pipeline("quick", { stages: [stage("a", {}, () => 1)] });

test("R177: queue stats in a loop while another process works: no error, and counts that add up", async () => {
  const world = makeDurableWorld();
  const project = makeProject();
  const mill = await world.open([]);
  const lines = Array.from({ length: 3_000 }, (_, index) => `{"id":"${index}"}`).join("\n");
  const store = ["--store", world.url];
  const QUICK = "pipelines/quick.ts#quick";
  const bytes = (async function* () {
    yield Buffer.from(lines);
  })();
  const target = await world.open([quick]);
  await target.import(quick, bytes);
  const working = project.start("queue", "run", QUICK, "--drain", ...store);

  let looks = 0;
  let isOver = false;
  let between = 0;
  void working.ended.then(() => (isOver = true));
  const codes: (number | null)[] = [];
  const commands = (async () => {
    while (!isOver) codes.push((await project.run("queue", "stats", "--json", ...store)).exitCode);
  })();
  while (!isOver) {
    const { total, succeeded, queued, running } = await mill.stats();
    expect([total, succeeded + queued + running]).toEqual([3_000, 3_000]);
    if (succeeded > 0 && succeeded < 3_000) between += 1;
    looks += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const ended = await working.ended;
  await commands;
  const told = await project.run("queue", "stats", "--json", ...store);

  expect(ended.exitCode).toBe(0);
  expect([...new Set(codes)]).toEqual([0]);
  expect(between).toBeGreaterThan(10);
  expect(looks).toBeGreaterThan(between);
  expect(parseDocument(told)).toMatchObject({ counts: { succeeded: 3_000, total: 3_000 } });
});

test("R177: a reader in the middle of a long look holds up no writer, and sees nothing of it", async () => {
  const world = makeDurableWorld();
  const mill = await world.open([quick], { busyTimeoutMs: 0 });
  await mill.enqueue(quick, [{ input: undefined }]);
  const reader = world.raw();
  reader.exec("BEGIN");
  const count = () => reader.prepare("SELECT count(*) AS n FROM runs").get()?.["n"];
  expect(count()).toBe(1);

  await mill.enqueue(quick, [{ input: undefined }]);
  expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 2 });

  expect(count()).toBe(1);
  reader.exec("COMMIT");
  expect(count()).toBe(2);
});

test("R177: a writer holds up no reader, and other writers only as long as the store's busy timeout", async () => {
  const world = makeDurableWorld();
  const patient = await world.open([quick]);
  const hasty = await world.open([quick], { busyTimeoutMs: 50 });
  await patient.enqueue(quick, [{ input: undefined }]);
  const writer = world.raw();
  writer.exec("BEGIN IMMEDIATE");

  expect(await hasty.stats()).toMatchObject({ queued: 1 });
  const startedMs = performance.now();
  await assert.rejects(
    hasty.enqueue(quick, [{ input: undefined }]),
    (error) => isMillraceError(error) && error.code === "STORE_BUSY" && error.retryable,
  );
  expect(performance.now() - startedMs).toBeLessThan(5_000);

  writer.exec("COMMIT");
  await patient.enqueue(quick, [{ input: undefined }]);
  expect(await patient.stats()).toMatchObject({ queued: 2 });
});

test("R177: the busy timeout of the command comes from the configuration or the environment", async () => {
  const world = makeDurableWorld();
  const mill = await world.open([quick]);
  await mill.enqueue(quick, [{ input: undefined }]);
  const writer = world.raw();
  writer.exec("BEGIN IMMEDIATE");
  const project = makeProject({ MILLRACE_STORE__BUSY_TIMEOUT: "50ms" });

  const words = ["queue", "enqueue", "pipelines/quick.ts#quick", "--store", world.url] as const;
  const busy = await project.run(...words);
  const read = await project.run("queue", "stats", "--json", "--store", world.url);
  writer.exec("COMMIT");
  const free = await project.run(...words);

  expect([busy.exitCode, read.exitCode, free.exitCode]).toEqual([6, 0, 0]);
  expect(busy.stderr).toContain("STORE_BUSY (exit 6)");
});
