// Enqueueing: what is stored, once per key, in few transactions, or not at all.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { input, isMillraceError, pipeline, stage } from "../../src/exports/index.ts";
import type { EnqueueEntry } from "../../src/service/commands/enqueue-runs.ts";
import { decodeValue } from "../../src/std/value.ts";
import { makeDurableWorld, STORES } from "../support/durable/durable-world.ts";

function makeLine() {
  const page = input<unknown>();
  return pipeline("line", { input: page, stages: [stage("read", { needs: { page } }, () => 1)] });
}

async function setup(kind: "memory" | "sqlite" = "memory") {
  const line = makeLine();
  const mill = await makeDurableWorld(kind).open([line]);
  let transactions = 0;
  const apply = mill.store.apply.bind(mill.store);
  mill.store.apply = (writes) => {
    transactions += 1;
    return apply(writes);
  };
  return { line, mill, count: () => transactions };
}

describe.each(STORES)("enqueue on %s", (kind) => {
  test("R155: a key is taken once, over calls and within one, and the answer says so", async () => {
    const { line, mill } = await setup(kind);
    const first = await mill.enqueue(line, [{ key: "a", input: 1 }]);
    const second = await mill.enqueue(line, [
      { key: "a", input: 2 },
      { key: "b", input: 3 },
      { key: "b", input: 4 },
    ]);
    expect([first.created, first.duplicates]).toEqual([1, 0]);
    expect([second.created, second.duplicates]).toEqual([1, 2]);
    expect(second.runs.map(({ created }) => created)).toEqual([false, true, false]);
    expect(second.runs[0]?.run.id).toBe(first.runs[0]?.run.id);
    const { runs } = await mill.runs();
    expect(runs.map(({ key, state }) => [key, state])).toEqual([
      ["b", "queued"],
      ["a", "queued"],
    ]);
  });

  test("R156: an input comes back as it was given, and stays out of the foreground", async () => {
    const { line, mill } = await setup(kind);
    const given = { deep: [{ list: [1, null, "ü\u0000"], at: new Date(5) }], none: undefined };
    await mill.enqueue(line, [{ input: given, tags: { who: "ana" } }], { source: "shop" });
    const run = await mill.run("last");
    expect(decodeValue(run.input)).toEqual(given);
    expect([run.foreground, run.source, run.tags]).toEqual([false, "shop", { who: "ana" }]);
  });

  test("a run enqueued for later waits for its time", async () => {
    const { line, mill } = await setup(kind);
    const { runs } = await mill.enqueue(line, [{ input: 1, delay: "1h", priority: 7 }]);
    const run = runs[0]?.run;
    assert.ok(run !== undefined);
    expect([run.state, run.reason, run.priority]).toEqual(["waiting", "due", 7]);
    expect((run.wakeAtMs ?? 0) - run.queuedAtMs).toBe(3_600_000);
  });

  test("R188: a run enqueued for later and cancelled never starts", async () => {
    const { line, mill } = await setup(kind);
    await mill.enqueue(line, [{ input: 1, delay: "1h" }]);
    const { before, after } = await mill.cancel("last");
    expect([before, after]).toEqual(["waiting", "cancelled"]);
    const run = await mill.run("last");
    expect([run.startedAtMs, run.epoch, await mill.store.listStages(run.id)]).toEqual([
      null,
      0,
      [],
    ]);
  });

  test("a thousand runs are one transaction, and a batch counts them", async () => {
    const { line, mill, count } = await setup(kind);
    const entries = Array.from({ length: 1_000 }, (_, index) => ({
      key: `k${index}`,
      input: index,
    }));
    const { created } = await mill.enqueue(line, entries);
    expect([created, count()]).toEqual([1_000, 1]);

    const more = entries.map(({ input }) => ({ key: `m${input}`, input }));
    const batch = { id: "monday", source: "list.jsonl" };
    const outcome = await mill.enqueue(line, [...more, ...entries.slice(0, 3)], { batch });
    expect([outcome.batch, outcome.created, outcome.duplicates]).toEqual(["monday", 1_000, 3]);
    expect(await mill.store.countBatch("monday")).toEqual({ queued: 1_000 });
  });
});

test("the version of an input is that of what stages will read, and one that does not fit is kept", async () => {
  const page = input(z.object({ url: z.string(), depth: z.number().default(3) }));
  const crawl = pipeline("crawl", {
    input: page,
    stages: [stage("read", { needs: { page } }, () => 1)],
  });
  const mill = await makeDurableWorld("memory").open([crawl]);
  const unfit = { url: 7 } as unknown as { url: string; depth: number };
  const { runs } = await mill.enqueue(crawl, [
    { input: { url: "a" } as { url: string; depth: number } },
    { input: { url: "a", depth: 3 } },
    { input: unfit },
  ]);
  const [short, full, bad] = runs.map(({ run }) => run);
  expect(short?.inputVersion).toBe(full?.inputVersion);
  expect(decodeValue(short?.input ?? "")).toEqual({ url: "a" });
  expect(decodeValue(bad?.input ?? "")).toEqual({ url: 7 });
  expect(bad?.state).toBe("queued");
});

const BAD: readonly (readonly [string, EnqueueEntry, string])[] = [
  ["priority", { input: 1, priority: 1.5 }, "1,000"],
  ["priority", { input: 1, priority: -1_001 }, "1,000"],
  ["priority", { input: 1, priority: Number.NaN }, "NaN"],
  ["delay", { input: 1, delay: "400d" }, "366 days"],
  ["delay", { input: 1, delay: "soon" as "1s" }, "soon"],
  ["key", { input: 1, key: "" }, "1 to 512"],
  ["key", { input: 1, key: "\ud800" }, "Unicode"],
  ["tags", { input: 1, tags: { a: "x".repeat(257) } }, "256"],
];

test.each(BAD)(
  "a bad %s is refused by its place, and nothing is queued",
  async (name, entry, says) => {
    const { line, mill } = await setup();
    const attempt = mill.enqueue(line, [{ input: 0 }, entry]);
    await assert.rejects(attempt, (error) => {
      assert.ok(isMillraceError(error));
      expect(error.code).toBe("OPTION_INVALID");
      expect(error.message.replaceAll("1000", "1,000")).toContain(`entries[1].${name}: `);
      expect(error.message.replaceAll("1000", "1,000")).toContain(says);
      return true;
    });
    expect((await mill.runs()).runs).toEqual([]);
  },
);

test("an input that cannot be stored is refused by its place, and nothing is queued", async () => {
  const { line, mill } = await setup();
  const attempt = mill.enqueue(line, [{ input: 0 }, { input: { f: () => 1 } }]);
  await assert.rejects(attempt, (error) => {
    assert.ok(isMillraceError(error));
    expect(error.code).toBe("VALUE_NOT_STORABLE");
    expect(error.message).toContain("entries[1]");
    return true;
  });
  expect((await mill.runs()).runs).toEqual([]);
});

test("a mill that closes finishes what it was enqueueing and takes no more", async () => {
  const { line, mill } = await setup("sqlite");
  const entries = Array.from({ length: 1_500 }, (_, index) => ({ input: index }));
  const enqueueing = mill.enqueue(line, entries);
  const closing = mill.close();
  await assert.rejects(mill.enqueue(line, entries), /being closed/u);
  expect((await enqueueing).created).toBe(1_500);
  await closing;
});
