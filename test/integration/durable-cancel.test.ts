// The end of a run on request: here, from another process, with nobody at work on it, and when it is too late.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AbortReason,
  command,
  isMillraceError,
  map,
  pipeline,
  stage,
} from "../../src/exports/index.ts";
import { recordEvents } from "../../src/testing/record-events.ts";
import { makeHostWorld } from "../support/durable/durable-host.ts";
import { makeWaiting } from "../support/durable/durable-process.ts";
import { makeDurableWorld, makeGate, STORES } from "../support/durable/durable-world.ts";

/** Cancel across processes: one beat, and what it takes to abort. */
const CANCEL_MS_MAX = 2_000;

function isCode(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isMillraceError(error), String(error));
    assert.equal(error.code, code);
    return true;
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A stage that works until it is aborted, what reads it, and what tolerates everything. */
function makeLong() {
  const begun = makeGate();
  const calls: string[] = [];
  const reasons: unknown[] = [];
  const long = stage("long", {}, async (_needs, ctx) => {
    calls.push("long");
    ctx.metric.increment("begun");
    begun.open();
    await ctx.sleep("1h").catch((error: unknown) => {
      reasons.push(error);
      throw error;
    });
  });
  const reader = stage("reader", { needs: { long } }, () => void calls.push("reader"));
  const cleanup = stage("cleanup", { needs: { long }, trigger: "all_done" }, () => {
    calls.push("cleanup");
  });
  const items = map(
    "items",
    { over: ["a", "b", "c"], key: (one) => one, concurrency: 1 },
    async (one, _needs, ctx) => {
      calls.push(one);
      await ctx.sleep("1h");
    },
  );
  return {
    pipeline: pipeline("long", { output: { reader, cleanup, items } }),
    begun,
    calls,
    reasons,
  };
}

describe.each(STORES)("cancel on %s", (kind) => {
  test("R197 R196: aborts what runs, starts nothing more whatever its trigger, and says it once", async () => {
    const { pipeline: long, begun, calls, reasons } = makeLong();
    const mill = await makeDurableWorld(kind).open([long]);
    const recorder = recordEvents();
    const run = await mill.start(long, undefined, { onEvent: recorder.onEvent });
    await begun.opened;
    const outcome = await mill.cancel(run.name, { reason: "not needed any more" });
    const result = await run.result();

    assert.deepEqual(outcome, { run: run.name, before: "running", after: "cancelled" });
    assert.equal(result.state, "cancelled");
    assert.equal(result.reason, "not needed any more");
    assert.deepEqual(calls.toSorted(), ["a", "long"]);
    assert.ok(reasons[0] instanceof AbortReason);
    assert.equal(reasons[0].kind, "user-cancel");
    assert.deepEqual(
      ["long", "reader", "cleanup", "items"].map((name) => result.stages[name]?.state),
      ["cancelled", "cancelled", "cancelled", "cancelled"],
    );
    assert.equal(recorder.types().filter((type) => type === "run.cancelled").length, 1);
    const stored = await mill.store.listEvents({ runId: run.id, after: 0, limit: 1_000 });
    assert.equal(stored.filter(({ type }) => type === "run.cancelled").length, 1);
    assert.equal(stored.at(-1)?.type, "run.cancelled");
    const record = await mill.run(run.id);
    assert.deepEqual([record.state, record.lease], ["cancelled", null]);
    assert.deepEqual(
      (await mill.store.listStages(run.id)).map((one) => one.state),
      ["cancelled", "cancelled", "cancelled", "cancelled"],
    );
  });

  test("R196: a cancelled run is answered as it is, one that ended otherwise is refused", async () => {
    let broken = false;
    const one = stage("one", {}, () => {
      if (broken) throw new Error("no");
      return 1;
    });
    const short = pipeline("short", { output: { one } });
    const { pipeline: long, begun } = makeLong();
    const mill = await makeDurableWorld(kind).open([short, long]);
    const done = await mill.start(short, undefined);
    await done.result();
    broken = true;
    const failed = await mill.start(short, undefined);
    await failed.result();
    const run = await mill.start(long, undefined);
    await begun.opened;
    await mill.cancel(run.id);

    await assert.rejects(mill.cancel(done.id), isCode("RUN_STATE_CONFLICT"));
    await assert.rejects(mill.cancel(failed.id), isCode("RUN_STATE_CONFLICT"));
    await assert.rejects(mill.cancel("ZZZZ"), isCode("RUN_NOT_FOUND"));
    const before = await mill.run(run.id);
    assert.deepEqual(await mill.cancel(run.id), {
      run: run.name,
      before: "cancelled",
      after: "cancelled",
      note: "was cancelled already",
    });
    assert.deepEqual(await mill.run(run.id), before);
  });

  test("R196 R197: a command is gone when its run is cancelled, and what ignores its signal has its grace", async () => {
    const world = makeDurableWorld(kind);
    const pidFile = join(world.folder, "pid");
    const child = command("child", {
      argv: () => ["sh", "-c", `echo $$ > "${pidFile}"; trap "" TERM; sleep 600 & wait; wait`],
    });
    const deaf = stage("deaf", {}, () => new Promise<never>(() => {}));
    const both = pipeline("both", { stages: [child, deaf] });
    const mill = await world.open([both], { graceMs: 100 });
    const run = await mill.start(both, undefined);
    while (!existsSync(pidFile) || readFileSync(pidFile, "utf8") === "")
      await new Promise((resolve) => setTimeout(resolve, 5));
    const pid = Number(readFileSync(pidFile, "utf8"));
    const beganMs = performance.now();
    await mill.cancel(run.id);
    const tookMs = performance.now() - beganMs;

    const result = await run.result();
    assert.deepEqual(
      [result.state, result.stages["child"]?.state, result.stages["deaf"]?.state],
      ["cancelled", "cancelled", "cancelled"],
    );
    assert.ok(tookMs >= 95 && tookMs < 5_000, `it took ${tookMs} ms`);
    // It was killed with its group; only its parent may not have looked yet.
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(performance.now() - beganMs < 5_000);
  });

  test("R31: the metrics of a failed and of a cancelled run are reported", async () => {
    const { pipeline: long, begun } = makeLong();
    const counting = stage("counting", {}, (_needs, ctx) => {
      ctx.metric.increment("tried", 2);
      throw new Error("no");
    });
    const failing = pipeline("failing", { output: { counting } });
    const mill = await makeDurableWorld(kind).open([long, failing]);
    const failed = await (await mill.start(failing, undefined)).result();
    assert.deepEqual([failed.state, failed.metrics], ["failed", { tried: 2 }]);
    const run = await mill.start(long, undefined);
    await begun.opened;
    await run.cancel();
    assert.deepEqual((await run.result()).metrics, { begun: 1 });
    assert.deepEqual((await mill.run(run.id)).metrics, { begun: 1 });
    assert.deepEqual((await mill.run(failed.id)).metrics, { tried: 2 });
  });

  test("a waiting run is cancelled at once, and can be resumed as any other", async () => {
    const { pipeline: long, begun, calls } = makeLong();
    const mill = await makeDurableWorld(kind).open([long]);
    const run = await mill.start(long, undefined);
    await begun.opened;
    await run.interrupt(0);
    assert.equal((await mill.run(run.id)).state, "waiting");
    const outcome = await mill.cancel(run.id, { reason: "gone home" });
    assert.deepEqual(outcome, { run: run.name, before: "waiting", after: "cancelled" });
    const record = await mill.run(run.id);
    assert.deepEqual([record.state, record.reason], ["cancelled", "gone home"]);

    calls.length = 0;
    const resumed = await mill.resume(run.id, { here: true });
    assert.equal((await mill.run(run.id)).state, "running");
    await resumed.cancel();
    assert.deepEqual(calls.toSorted(), ["a", "long"]);
  });

  test("a run that is being parked is cancelled all the same", async () => {
    const { pipeline: long, begun } = makeLong();
    const mill = await makeDurableWorld(kind).open([long], { graceMs: 200 });
    const run = await mill.start(long, undefined);
    await begun.opened;
    const parking = run.interrupt(0);
    const outcome = await mill.cancel(run.id);
    await parking;
    assert.equal(outcome.after, "cancelled");
    assert.equal((await mill.run(run.id)).state, "cancelled");
  });

  test("a cancel that meets the end of the run changes nothing", async () => {
    const gate = makeGate();
    const one = stage("one", {}, async () => await gate.opened);
    const short = pipeline("short", { output: { one } });
    const mill = await makeDurableWorld(kind).open([short]);
    const run = await mill.start(short, undefined);
    gate.open();
    await run.result();
    await run.cancel();
    assert.equal((await run.result()).state, "succeeded");
    assert.equal((await mill.run(run.id)).state, "succeeded");
  });

  test("R189: a run that was queued again is cancelled at once", async () => {
    const one = stage("one", {}, () => {
      throw new Error("no");
    });
    const short = pipeline("short", { output: { one } });
    const mill = await makeDurableWorld(kind).open([short]);
    const run = await mill.start(short, undefined);
    await run.result();
    await mill.resume(run.id);
    assert.deepEqual(await mill.cancel(run.id), {
      run: run.name,
      before: "queued",
      after: "cancelled",
    });
  });
});

describe("cancel across processes", () => {
  test("R196: the owner sees it within 2 s, and its listeners without a gap", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const host = await hosts.start();
    host.tell({ kind: "start" });
    const { run } = await host.next("begun");
    const mill = await world.open([]);
    const outcome = await mill.cancel(run, { reason: "asked from outside" });
    assert.match(outcome.holder ?? "", new RegExp(`^process ${host.pid} on `));
    assert.deepEqual([outcome.before, outcome.after], ["running", "running"]);
    assert.equal((await host.next("ended")).state, "cancelled");

    const record = await mill.run(run);
    assert.deepEqual(
      [record.state, record.reason, record.cancelReason],
      ["cancelled", "asked from outside", "asked from outside"],
    );
    const tookMs = (record.endedAtMs ?? 0) - (record.cancelRequestedAtMs ?? 0);
    assert.ok(tookMs >= 0 && tookMs < CANCEL_MS_MAX, `it took ${tookMs} ms`);
    const heard = host.reports.flatMap((report) => (report.kind === "event" ? [report] : []));
    assert.deepEqual(
      heard.map(({ runSeq }) => runSeq),
      heard.map((_report, index) => index + 1),
    );
    assert.deepEqual(
      heard.map(({ type }) => type).filter((type) => type.startsWith("run.")),
      ["run.created", "run.started", "run.cancel_requested", "run.cancelled"],
    );
  });

  test("of a run whose process is dead ends it at once", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const begun = makeGate();
    const waiting = makeWaiting(hosts, () => begun.open());
    const mill = await world.open([waiting]);
    const doomed = await world.openDoomed([waiting]);
    const run = await doomed.start(waiting, undefined);
    await begun.opened;
    const outcome = await mill.cancel(run.id);
    assert.deepEqual([outcome.before, outcome.after], ["running", "cancelled"]);
    assert.equal((await mill.run(run.id)).crashes, 1);
  });

  test("that nobody lived to hear is carried out by the next process", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const host = await hosts.start();
    host.tell({ kind: "start" });
    const { run } = await host.next("begun");
    host.signal("SIGSTOP");
    const mill = await world.open([]);
    assert.equal((await mill.cancel(run, { reason: "stop" })).after, "running");
    await host.die();
    await world.open([]);
    const record = await mill.run(run);
    assert.deepEqual([record.state, record.reason], ["cancelled", "stop"]);
  });
});
