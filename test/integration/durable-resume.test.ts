// Resume: same run, next epoch; what succeeded is kept, the rest is done again. Proven on both stores where no
// second process is needed.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { input, isMillraceError, map, pipeline, stage } from "../../src/exports/index.ts";
import { recordEvents } from "../../src/testing/record-events.ts";
import { makeDurableWorld, STORES, type SomePipeline } from "../support/durable/durable-world.ts";

/** What the stages of a test did, in order. */
function makeLog(): { readonly calls: string[]; take(): string[] } {
  const calls: string[] = [];
  return { calls, take: () => calls.splice(0) };
}

/** A list, a map over it whose items may be told to fail, and a sum. */
function makeCounting(): {
  pipeline: SomePipeline;
  log: ReturnType<typeof makeLog>;
  failing: Set<string>;
} {
  const log = makeLog();
  const failing = new Set<string>();
  const names = input<string[]>();
  const list = stage("list", { needs: { names } }, (needs) => {
    log.calls.push("list");
    return needs.names;
  });
  const each = map(
    "each",
    {
      over: list,
      key: (name) => name,
      concurrency: 1,
      retry: { attempts: 2, initialDelay: "1ms" },
    },
    (name, _needs, ctx) => {
      log.calls.push(`each:${name}:${ctx.attempt}`);
      ctx.metric.increment("lengths", name.length);
      if (failing.has(name)) throw new Error(`no ${name}`);
      return name.length;
    },
  );
  const sum = stage("sum", { needs: { each } }, (needs) => {
    log.calls.push("sum");
    return needs.each.reduce((total, length) => total + length, 0);
  });
  return { pipeline: pipeline("counting", { input: names, output: { sum } }), log, failing };
}

describe.each(STORES)("resume on %s", (kind) => {
  test("R259 R204: a run that failed at its third stage goes on there, under its own id", async () => {
    const log = makeLog();
    let broken = true;
    const a = stage("a", {}, () => (log.calls.push("a"), 1));
    const b = stage("b", { needs: { a } }, ({ a: value }) => (log.calls.push("b"), value + 1));
    const c = stage("c", { needs: { b } }, ({ b: value }) => {
      log.calls.push("c");
      if (broken) throw new Error("no");
      return value + 1;
    });
    const chain = pipeline("chain", { output: { c } });
    const mill = await makeDurableWorld(kind).open([chain]);
    const run = await mill.start(chain, undefined);
    const other = await mill.start(chain, undefined);
    assert.notEqual(run.id, other.id);
    assert.equal((await run.result()).state, "failed");
    await other.result();
    log.take();

    broken = false;
    const resumed = await mill.resume(run.name, { here: true });
    const result = await resumed.result();

    assert.equal(resumed.id, run.id);
    assert.equal(result.state, "succeeded");
    assert.deepEqual(result.outputs, { c: 3 });
    assert.deepEqual(log.take(), ["c"]);
    assert.equal(result.stages["a"]?.via, "checkpoint");
    assert.equal(result.stages["b"]?.via, "checkpoint");
    assert.equal(result.stages["c"]?.via, "run");
    const record = await mill.run(run.id);
    assert.equal(record.epoch, 2);
    assert.equal(record.resumes, 1);
    assert.equal(record.crashes, 0);
  });

  test("R262 R50: a resume tries failed items with full attempts and leaves those that succeeded", async () => {
    const { pipeline: counting, log, failing } = makeCounting();
    const mill = await makeDurableWorld(kind).open([counting]);
    failing.add("bb");
    const run = await mill.start(counting as never, ["a", "bb", "ccc"] as never);
    const failed = await run.result();

    assert.equal(failed.state, "failed");
    assert.deepEqual(failed.stages["each"]?.error?.item, { key: "bb", index: 1 });
    assert.match(failed.stages["each"]?.error?.message ?? "", /\[1\] "bb": no bb/);
    assert.deepEqual(log.take().slice(0, 3), ["list", "each:a:1", "each:bb:1"]);

    failing.clear();
    const resumed = await mill.resume(run.id, { here: true });
    const result = await resumed.result();

    assert.deepEqual(log.take(), ["each:bb:1", "sum"]);
    assert.deepEqual(result.outputs, { sum: 6 });
    assert.equal(resumed.resumed?.keptStages, 1);
    // The third one ran while the second waited for its retry.
    assert.equal(resumed.resumed?.keptItems, 2);
    const item = await mill.store.findItem(run.id, "each", "bb");
    assert.equal(item?.attempts, 1);
  });

  test("R29: metrics of items and stages that a resume kept are counted on", async () => {
    const { pipeline: counting, failing } = makeCounting();
    const mill = await makeDurableWorld(kind).open([counting]);
    failing.add("ccc");
    const run = await mill.start(counting as never, ["a", "bb", "ccc"] as never);
    const failed = await run.result();
    assert.deepEqual(failed.metrics, { lengths: 6 });

    failing.clear();
    const result = await (await mill.resume(run.id, { here: true })).result();

    assert.deepEqual(result.metrics, { lengths: 6 });
    assert.deepEqual((await mill.run(run.id)).metrics, { lengths: 6 });
  });

  test("listeners of a start and of a resume hear every stored event, without a gap", async () => {
    const { pipeline: counting, failing } = makeCounting();
    const mill = await makeDurableWorld(kind).open([counting]);
    failing.add("bb");
    const first = recordEvents();
    const run = await mill.start(counting as never, ["a", "bb"] as never, {
      onEvent: first.onEvent,
    });
    await run.result();
    failing.clear();
    const second = recordEvents();
    await (await mill.resume(run.id, { here: true, onEvent: second.onEvent })).result();

    const heard = [...first.events, ...second.events].filter((event) => event.runSeq > 0);
    const stored = await mill.store.listEvents({ runId: run.id, after: 0, limit: 1_000 });
    assert.deepEqual(heard, stored);
    assert.deepEqual(
      heard.map((event) => event.runSeq),
      heard.map((_event, index) => index + 1),
    );
    expect(first.types()).toContain("run.created");
    expect(second.types()).toContain("run.resumed");
  });

  test("a run that has succeeded is final, and says what to do instead", async () => {
    const { pipeline: counting } = makeCounting();
    const mill = await makeDurableWorld(kind).open([counting]);
    const run = await mill.start(counting as never, ["a"] as never);
    await run.result();

    await assert.rejects(mill.resume(run.id, { here: true }), (error) => {
      assert.ok(isMillraceError(error));
      assert.equal(error.code, "RUN_STATE_CONFLICT");
      assert.match(error.next ?? "", /millrace rerun/);
      return true;
    });
  });
});
