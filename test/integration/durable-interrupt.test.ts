// Runs that stop before their end: told to, because the mill closes, because their time is up, or because the
// store has no room. Nothing that was done is lost.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { AbortReason, isMillraceError, map, pipeline, stage } from "../../src/exports/index.ts";
import { recordEvents } from "../../src/testing/record-events.ts";
import { makeVirtualClock } from "../../src/std/virtual-clock.ts";
import { makeDurableWorld, makeGate, STORES } from "../support/durable/durable-world.ts";

/** A map of which some items wait at a gate, and a stage after it. */
function makeGated(names: readonly string[]) {
  const gate = makeGate();
  const allBegun = makeGate();
  const state = { gated: new Set(names), calls: [] as string[], aborted: [] as string[] };
  let begun = 0;
  const each = map(
    "each",
    {
      over: ["a", "b", "c", "d"],
      key: (one) => one,
      concurrency: 2,
      retry: { attempts: 3, initialDelay: 0 },
    },
    async (one, _needs, ctx) => {
      state.calls.push(`${one}:${ctx.attempt}`);
      if (!state.gated.has(one)) return one;
      begun += 1;
      if (begun === names.length) allBegun.open();
      const aborted = new Promise<never>((_resolve, reject) => {
        ctx.signal.addEventListener("abort", () => {
          state.aborted.push(one);
          reject(ctx.signal.reason as Error);
        });
      });
      await Promise.race([gate.opened, aborted]);
      return one;
    },
  );
  const end = stage("end", { needs: { each } }, (needs) => {
    state.calls.push("end");
    return needs.each.join("");
  });
  return { pipeline: pipeline("gated", { output: { end } }), gate, allBegun, state };
}

describe.each(STORES)("interrupt on %s", (kind) => {
  test("lets running work end, starts nothing more, parks, and a resume does the rest", async () => {
    const { pipeline: gated, gate, allBegun, state } = makeGated(["a", "b"]);
    const mill = await makeDurableWorld(kind).open([gated]);
    const recorder = recordEvents();
    const run = await mill.start(gated, undefined, { onEvent: recorder.onEvent });
    await allBegun.opened;
    const parked = run.interrupt();
    gate.open();
    await parked;
    const result = await run.result();

    assert.deepEqual([result.state, result.reason], ["waiting", "interrupted"]);
    assert.deepEqual(state.calls, ["a:1", "b:1"]);
    assert.deepEqual(state.aborted, []);
    assert.equal(recorder.types().at(-1), "run.interrupted");
    const record = await mill.run(run.id);
    assert.deepEqual(
      [record.state, record.reason, record.lease, record.crashes],
      ["waiting", "interrupted", null, 0],
    );
    assert.ok((record.durationMs ?? -1) >= 0);

    state.calls.length = 0;
    const resumed = await (await mill.resume(run.id, { here: true })).result();
    assert.deepEqual(resumed.outputs, { end: "abcd" });
    assert.deepEqual(state.calls, ["c:1", "d:1", "end"]);
    const ended = await mill.run(run.id);
    assert.ok((ended.durationMs ?? 0) >= (record.durationMs ?? 0), "active time adds up");
    assert.equal(resumed.durationMs, ended.durationMs);
    assert.equal(resumed.startedAtMs, ended.startedAtMs);
    assert.deepEqual([ended.resumes, ended.crashes], [1, 0]);
  });

  test("a second interrupt with 0 aborts at once, and costs no attempt", async () => {
    const { pipeline: gated, gate, allBegun, state } = makeGated(["a", "b"]);
    const mill = await makeDurableWorld(kind).open([gated]);
    const run = await mill.start(gated, undefined);
    await allBegun.opened;
    const first = run.interrupt(60_000);
    const second = run.interrupt(0);
    await Promise.all([first, second]);
    assert.deepEqual(state.aborted.toSorted(), ["a", "b"]);
    assert.equal((await mill.run(run.id)).state, "waiting");

    gate.open();
    state.calls.length = 0;
    const result = await (await mill.resume(run.id, { here: true })).result();
    assert.deepEqual(result.outputs, { end: "abcd" });
    assert.deepEqual(state.calls.toSorted(), ["a:1", "b:1", "c:1", "d:1", "end"]);
    assert.equal((await mill.run(run.id)).retries, 0);
  });

  test("a drain whose time is up aborts what still runs", async () => {
    const { pipeline: gated, allBegun, state } = makeGated(["a", "b"]);
    const mill = await makeDurableWorld(kind).open([gated]);
    const run = await mill.start(gated, undefined);
    await allBegun.opened;
    await run.interrupt(20);
    assert.deepEqual(state.aborted.toSorted(), ["a", "b"]);
    assert.equal((await run.result()).state, "waiting");
  });

  test("a run that waits for a retry is parked without waiting, and begins again with all attempts", async () => {
    const waiting = makeGate();
    const attempts: number[] = [];
    let broken = true;
    const flaky = stage(
      "flaky",
      { retry: { attempts: 2, initialDelay: "1h", jitter: "none" } },
      (_needs, ctx) => {
        attempts.push(ctx.attempt);
        if (broken) throw new Error("not yet");
        return "done";
      },
    );
    const retrying = pipeline("retrying", { output: { flaky } });
    const mill = await makeDurableWorld(kind).open([retrying]);
    const run = await mill.start(retrying, undefined, {
      onEvent: ({ type }) => {
        if (type === "stage.waiting") waiting.open();
      },
    });
    await waiting.opened;
    assert.equal((await mill.store.findStage(run.id, "flaky"))?.state, "waiting");
    await run.interrupt();
    broken = false;
    const result = await (await mill.resume(run.id, { here: true })).result();
    assert.deepEqual(attempts, [1, 1]);
    assert.equal(result.output("flaky"), "done");
    // What happened before is not forgotten.
    assert.equal((await mill.store.listRetries(run.id, "flaky", null)).length, 1);
    assert.equal((await mill.run(run.id)).retries, 1);
  });

  test("a run that ends while it drains has ended", async () => {
    const gate = makeGate();
    const begun = makeGate();
    const one = stage("one", {}, async () => {
      begun.open();
      await gate.opened;
      return 1;
    });
    const single = pipeline("single", { output: { one } });
    const mill = await makeDurableWorld(kind).open([single]);
    const run = await mill.start(single, undefined);
    await begun.opened;
    const parked = run.interrupt();
    gate.open();
    await parked;
    assert.equal((await run.result()).state, "succeeded");
    await run.interrupt(0);
    assert.equal((await mill.run(run.id)).state, "succeeded");
  });

  test("a mill that closes parks what it works on, and takes nothing more", async () => {
    const { pipeline: gated, allBegun } = makeGated(["a", "b"]);
    const mill = await makeDurableWorld(kind).open([gated]);
    const run = await mill.start(gated, undefined);
    await allBegun.opened;
    const creating = makeGate();
    const apply = mill.store.apply.bind(mill.store);
    mill.store.apply = (writes) => {
      creating.open();
      return apply(writes);
    };
    const late = mill.start(gated, undefined);
    await creating.opened;
    const closing = mill.close({ drainMs: 0 });
    await assert.rejects(mill.start(gated, undefined), (error) => {
      return isMillraceError(error) && error.code === "STORE_CLOSED";
    });
    await closing;
    assert.equal((await run.result()).state, "waiting");
    // It was on its way when the door closed: parked like the other.
    assert.equal((await (await late).result()).state, "waiting");
    await mill.close();
  });

  test("R213: a run past its deadline is failed, with class, event and no lease; a resume has it anew", async () => {
    const aborted: unknown[] = [];
    let stuck = true;
    const long = stage("long", {}, async (_needs, ctx) => {
      if (!stuck) return "done";
      await ctx.sleep("1h").catch((error: unknown) => {
        aborted.push(error);
        throw error;
      });
      return "late";
    });
    const slow = pipeline("slow", { output: { long } });
    const mill = await makeDurableWorld(kind).open([slow]);
    const recorder = recordEvents();
    const run = await mill.start(slow, undefined, { deadline: "30ms", onEvent: recorder.onEvent });
    const result = await run.result();

    assert.deepEqual([result.state, result.reason], ["failed", "deadline"]);
    assert.ok(aborted[0] instanceof AbortReason);
    assert.equal(aborted[0].kind, "deadline");
    const record = await mill.run(run.id);
    assert.deepEqual(
      [
        record.state,
        record.reason,
        record.failure?.class,
        record.lease,
        record.settings.deadlineMs,
      ],
      ["failed", "deadline", "deadline", null, 30],
    );
    const last = recorder.events.at(-1);
    assert.deepEqual([last?.type, last?.data?.["class"]], ["run.failed", "deadline"]);

    stuck = false;
    const again = await mill.resume(run.id, { here: true, deadline: "1m" });
    assert.equal((await again.result()).state, "succeeded");
  });

  test("R213: a deadline of a stage counts from its own start and ends it with its class", async () => {
    const first = stage("first", {}, async (_needs, ctx) => await ctx.sleep(60));
    const second = stage(
      "second",
      { needs: { first }, deadline: "40ms", retry: { attempts: 5, initialDelay: 0 } },
      async (_needs, ctx) => {
        await ctx.sleep("1h");
      },
    );
    const chain = pipeline("chain", { output: { second } });
    const mill = await makeDurableWorld(kind).open([chain]);
    const result = await (await mill.start(chain, undefined)).result();
    assert.equal(result.stages["first"]?.state, "succeeded");
    assert.equal(result.stages["second"]?.error?.class, "deadline");
    assert.equal(result.stages["second"]?.attempts, 1);
  });
});

test("a lease is renewed for as long as its run works, and dropped with its end", async () => {
  const clock = makeVirtualClock();
  const gate = makeGate();
  const begun = makeGate();
  const one = stage("one", {}, async () => {
    begun.open();
    await gate.opened;
  });
  const single = pipeline("single", { output: { one } });
  const mill = await makeDurableWorld("memory").open([single], { clock });
  const run = await mill.start(single, undefined);
  await begun.opened;
  for (let minute = 0; minute < 5; minute += 1) {
    await clock.advance(60_000);
    const { lease } = await mill.run(run.id);
    const leftMs = (lease?.expiresAtMs ?? 0) - mill.store.nowMs();
    assert.ok(leftMs > 20_000 && leftMs <= 30_000, `${leftMs} ms are left after ${minute} minutes`);
    const [worker] = await mill.store.listWorkers();
    assert.deepEqual(worker?.running, [`${run.name}/one`]);
    assert.ok(mill.store.nowMs() - (worker?.beatAtMs ?? 0) <= 1_000);
  }
  gate.open();
  await clock.advance(0);
  await run.result();
  assert.equal((await mill.run(run.id)).lease, null);
  assert.equal(clock.pendingTimers, 0);
});

test("a run whose store cannot be reached is given up before its lease is over", async () => {
  const clock = makeVirtualClock();
  const begun = makeGate();
  const reasons: unknown[] = [];
  const one = stage("one", {}, async (_needs, ctx) => {
    begun.open();
    await ctx.sleep("1h").catch((error: unknown) => {
      reasons.push(error);
      throw error;
    });
  });
  const single = pipeline("single", { output: { one } });
  const mill = await makeDurableWorld("memory").open([single], { clock });
  const run = await mill.start(single, undefined);
  await begun.opened;
  const { store } = mill;
  store.renewLeases = () => Promise.reject(new Error("away"));
  await clock.advance(24_000);
  assert.equal(reasons.length, 0);
  await clock.advance(2_000);
  await assert.rejects(
    run.result(),
    (error) => isMillraceError(error) && error.code === "LEASE_LOST",
  );
  assert.ok(reasons[0] instanceof AbortReason);
  assert.equal(reasons[0].kind, "fenced");
});
