// What is told and kept of a durable run: events in order and without a gap, histories of failures, bounded texts,
// counts that follow from states.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { describe, test } from "vitest";
import { map, pipeline, stage } from "../../src/exports/index.ts";
import type { MillraceEvent, RunHandle } from "../../src/exports/index.ts";
import { EventQueue } from "../../src/service/event-queue.ts";
import { recordEvents } from "../../src/testing/record-events.ts";
import { makeDurableWorld, makeGate, STORES } from "../support/durable/durable-world.ts";

async function collect(run: RunHandle<never>): Promise<MillraceEvent[]> {
  const events: MillraceEvent[] = [];
  for await (const event of run.events()) events.push(event);
  return events;
}

/** Some stages and items, with a retry and a failure that is borne. */
function makeBusy() {
  const flaky = stage(
    "flaky",
    { retry: { attempts: 3, initialDelay: "2ms", jitter: "none" } },
    (_needs, ctx) => {
      if (ctx.attempt < 3) throw new Error(`attempt ${ctx.attempt}`);
      ctx.log.info("well done");
      ctx.emit("partial", { rows: 1 });
      return 1;
    },
  );
  const each = map(
    "each",
    { over: [1, 2, 3, 4, 5], key: (n) => `n${n}`, onItemFailure: "continue", needs: { flaky } },
    async (n, _needs, ctx) => {
      ctx.progress(n, 5);
      await Promise.resolve();
      if (n === 4) throw new Error("no four");
      return n;
    },
  );
  const end = stage("end", { needs: { each } }, (needs) => needs.each.length);
  return pipeline("busy", { output: { end } });
}

describe.each(STORES)("events on %s", (kind) => {
  test("R90 R192: the record of a run has every retry, with attempt, class, error, times and wait", async () => {
    const busy = makeBusy();
    const mill = await makeDurableWorld(kind).open([busy]);
    const run = await mill.start(busy, undefined);
    await run.result();
    const retries = await mill.store.listRetries(run.id, "flaky", null);
    assert.deepEqual(
      retries.map(({ stage: name, item, attempt, class: is, message, delayMs }) => [
        name,
        item,
        attempt,
        is,
        message,
        delayMs,
      ]),
      [
        ["flaky", null, 1, "unknown", "attempt 1", 2],
        ["flaky", null, 2, "unknown", "attempt 2", 4],
      ],
    );
    for (const { startedAtMs, endedAtMs } of retries) assert.ok(startedAtMs <= endedAtMs);
    const [failed] = await mill.store.listRetries(run.id, "each", "n4");
    assert.deepEqual([failed?.attempt, failed?.message, failed?.delayMs], [1, "no four", null]);
    assert.equal((await mill.run(run.id)).retries, 2);
    assert.equal((await mill.store.findStage(run.id, "flaky"))?.attempts, 3);
    const waited = (await mill.store.findStage(run.id, "flaky"))?.waitedMs["retry"] ?? 0;
    assert.ok(waited >= 6 && waited < 5_000, `waited ${waited} ms`);
  });

  test("R92: an error is whole in its attempt, and cut with a mark in lists and in the history", async () => {
    const text = "e".repeat(1_000);
    const huge = "h".repeat(100_000);
    const long = stage("long", { critical: false, retry: { attempts: 2, initialDelay: 0 } }, () => {
      throw new Error(text);
    });
    const longer = stage("longer", {}, () => {
      throw new Error(huge);
    });
    const both = pipeline("both", { stages: [long, longer], failFast: false });
    const mill = await makeDurableWorld(kind).open([both]);
    const recorder = recordEvents();
    const run = await mill.start(both, undefined, { onEvent: recorder.onEvent });
    await run.result();

    assert.equal((await mill.store.findStage(run.id, "long"))?.failure?.message, text);
    const kept = (await mill.store.findStage(run.id, "longer"))?.failure?.message ?? "";
    assert.ok(kept.length <= 16_384 && kept.length > 16_000, `${kept.length} characters`);
    assert.match(kept, /…/);
    const history = await mill.store.listRetries(run.id, "long", null);
    assert.equal(history.length, 2);
    for (const { message } of history) {
      assert.ok(message.length <= 200 && message.length > 190, `${message.length} characters`);
      assert.match(message, /^e+…/);
    }
    for (const event of recorder.events) {
      const message = event.data?.["message"];
      if (typeof message !== "string") continue;
      assert.ok(message.length <= 500, `${event.type}: ${message.length}`);
      if (event.stage === "long") assert.match(message, /^e+…/);
    }
  });

  test("are read in order, as they were stored, by handle, iterator and store alike", async () => {
    const busy = makeBusy();
    const mill = await makeDurableWorld(kind).open([busy]);
    const recorder = recordEvents();
    const run = await mill.start(busy, undefined, { onEvent: recorder.onEvent });
    const iterated = await collect(run as RunHandle<never>);
    await run.result();
    const stored = await mill.store.listEvents({ runId: run.id, after: 0, limit: 1_000 });

    assert.deepEqual(
      stored.map(({ runSeq }) => runSeq),
      stored.map((_event, index) => index + 1),
    );
    assert.deepEqual(
      recorder.events.filter(({ seq }) => seq > 0),
      stored,
    );
    const first = iterated.find(({ seq }) => seq > 0)?.seq ?? 0;
    assert.deepEqual(
      iterated.filter(({ seq }) => seq > 0),
      stored.filter(({ seq }) => seq >= first),
    );
    const ephemeral = recorder.events.filter(({ seq }) => seq === 0).map(({ type }) => type);
    assert.deepEqual(
      new Set(ephemeral),
      new Set(["stage.started", "item.started", "stage.progressed"]),
    );
    // What is told as live only comes before the end of what it tells of.
    const order = recorder.events
      .filter(({ stage: name }) => name === "end")
      .map(({ type }) => type);
    assert.deepEqual(order, ["stage.started", "stage.succeeded"]);
  });

  test("a listener that throws harms nobody", async () => {
    const busy = makeBusy();
    const mill = await makeDurableWorld(kind).open([busy]);
    const run = await mill.start(busy, undefined, {
      onEvent: () => {
        throw new Error("a bad listener");
      },
    });
    const recorder = recordEvents();
    run.onEvent(recorder.onEvent);
    assert.equal((await run.result()).state, "succeeded");
    assert.equal(recorder.types().at(-1), "run.succeeded");
  });

  test("R258: counts follow from states: what is stored twice is counted once", async () => {
    const busy = makeBusy();
    const mill = await makeDurableWorld(kind).open([busy]);
    const run = await mill.start(busy, undefined);
    await run.result();
    const counts = await mill.store.countItems(run.id);
    assert.deepEqual(Object.fromEntries(counts), { each: { succeeded: 4, failed: 1 } });
    const record = await mill.store.findItem(run.id, "each", "n1");
    assert.ok(record !== undefined);
    const resumed = await mill.store.apply([
      { kind: "put-item", runId: run.id, epoch: 1, record, events: [] },
    ]);
    assert.deepEqual(resumed, [{ kind: "lease-lost" }]);
    assert.deepEqual(await mill.store.countItems(run.id), counts);
    assert.deepEqual(await mill.store.countRuns(), new Map([["busy", { succeeded: 1 }]]));
  });

  test("R203: the last event agrees with the outcome, and there is one of it", async () => {
    const gate = makeGate();
    const one = stage("one", {}, async () => await gate.opened);
    const bad = stage("bad", {}, () => {
      throw new Error("no");
    });
    const good = pipeline("good", { output: { one } });
    const failing = pipeline("failing", { stages: [bad] });
    const mill = await makeDurableWorld(kind).open([good, failing]);
    const cancelled = await mill.start(good, undefined);
    await cancelled.cancel();
    gate.open();
    const runs = [
      cancelled,
      await mill.start(good, undefined),
      await mill.start(failing, undefined),
    ];
    for (const run of runs) {
      const { state } = await run.result();
      const stored = await mill.store.listEvents({ runId: run.id, after: 0, limit: 100 });
      const ends = stored.filter(({ type }) =>
        /^run\.(succeeded|failed|skipped|cancelled)$/.test(type),
      );
      assert.deepEqual(
        ends.map(({ type }) => type),
        [`run.${state}`],
      );
      assert.equal(stored.at(-1)?.type, `run.${state}`);
    }
  });
});

describe("a reader that is slow", () => {
  test("loses the oldest events and sees it by their numbers; whoever publishes never waits", async () => {
    let left = false;
    const queue = new EventQueue(3, () => (left = true));
    for (let seq = 1; seq <= 10; seq += 1)
      queue.push({ seq, runSeq: seq, atMs: 0, type: "stage.logged", run: "r" });
    const read: number[] = [];
    queue.end();
    for await (const event of queue) read.push(event.runSeq);
    assert.deepEqual(read, [8, 9, 10]);
    assert.equal(left, false);
  });

  test("and one that leaves is forgotten", async () => {
    let left = 0;
    const queue = new EventQueue(3, () => (left += 1));
    queue.push({ seq: 1, runSeq: 1, atMs: 0, type: "stage.logged", run: "r" });
    for await (const _event of queue) break;
    assert.equal(left, 1);
    assert.deepEqual(await queue.next(), { done: true, value: undefined });
  });
});

test("R263: a checkpoint of a small run takes less than 100 ms, and the store stays small", async () => {
  const stages = Array.from({ length: 20 }, (_, n) =>
    stage(`s${n}`, {}, () => ({ n, text: "x".repeat(100) })),
  );
  const small = pipeline("small", { stages });
  const world = makeDurableWorld();
  const mill = await world.open([small]);
  const apply = mill.store.apply.bind(mill.store);
  const tookMs: number[] = [];
  mill.store.apply = async (writes) => {
    const beganMs = performance.now();
    const results = await apply(writes);
    tookMs.push(performance.now() - beganMs);
    return results;
  };
  for (let count = 0; count < 10; count += 1) {
    const chosen = { only: [`s${count}`] };
    await (await mill.start(small, undefined, count === 0 ? {} : chosen)).result();
  }
  const median = tookMs.toSorted((a, b) => a - b)[tookMs.length >> 1] ?? Infinity;
  assert.ok(median > 0 && median < 100, `the median of ${tookMs.length} commits is ${median} ms`);
  await mill.close();
  assert.ok(statSync(world.path).size < 400_000, `${statSync(world.path).size} bytes`);
});

test("a run without listeners keeps no events in memory", async () => {
  const many = map(
    "many",
    { over: Array.from({ length: 20_000 }, (_, n) => n), key: (n) => `k${n}`, concurrency: 64 },
    (_n, _needs, ctx) => {
      ctx.progress(1);
      return 0;
    },
  );
  const lots = pipeline("lots", { stages: [many] });
  const mill = await makeDurableWorld().open([lots]);
  const run = await mill.start(lots, undefined);
  const abandoned = run.events()[Symbol.asyncIterator]();
  const read = await abandoned.next();
  assert.equal(read.done, false);
  await run.result();
  // A reader that reads no more costs its queue and nothing else.
  let left = 0;
  for (;;) {
    const { done } = await abandoned.next();
    if (done === true) break;
    left += 1;
  }
  assert.ok(left <= 10_000, `${left} events were kept`);
});
