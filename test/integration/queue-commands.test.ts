// Verbs over the queue's runs: counts, failed ones again, ended ones anew, and those that are deleted.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { input, isMillraceError, pipeline, stage } from "../../src/exports/index.ts";
import { makeDurableWorld, makeGate, STORES } from "../support/durable/durable-world.ts";

/** first → second, which fails while `failing` says so. */
function makeLine(name = "line") {
  const state = { failing: true, first: 0, second: 0 };
  const page = input<string>();
  const first = stage("first", { needs: { page } }, ({ page: text }) => {
    state.first += 1;
    return text;
  });
  const second = stage("second", { needs: { first } }, (needs) => {
    state.second += 1;
    if (state.failing && needs.first === "bad") throw new Error("no second");
    return needs.first;
  });
  return { line: pipeline(name, { input: page, output: { second } }), state };
}

async function setup(kind: "memory" | "sqlite" = "memory") {
  const made = makeLine();
  const mill = await makeDurableWorld(kind).open([made.line]);
  return { ...made, mill };
}

describe.each(STORES)("the queue on %s", (kind) => {
  test("R157: stats count runs per state, in all and by pipeline", async () => {
    const { line } = makeLine("a");
    const { line: other } = makeLine("b");
    const mill = await makeDurableWorld(kind).open([line, other]);
    await mill.start(line, "good").then((run) => run.result());
    await mill.start(line, "bad").then((run) => run.result());
    await mill.enqueue(line, [{ input: "x" }, { input: "y" }, { input: "z", delay: "1h" }]);
    await mill.enqueue(other, [{ input: "x" }]);
    await mill.cancel("last");
    const { pipelines, waitsFor, ...counts } = await mill.stats();

    expect(counts).toEqual({
      total: 6,
      queued: 2,
      running: 0,
      waiting: 1,
      succeeded: 1,
      failed: 1,
      skipped: 0,
      cancelled: 1,
    });
    expect(pipelines.map((each) => [each.pipeline, each.counts.total])).toEqual([
      ["a", 5],
      ["b", 1],
    ]);
    expect(pipelines[0]).toMatchObject({ perMinute: 2, drainMs: 60_000 });
    expect(pipelines[0]?.oldestDueMs).toBeGreaterThanOrEqual(0);
    expect(pipelines[1]?.oldestDueMs).toBe(null);
    expect(waitsFor).toEqual([{ kind: "due", name: "due", count: 1 }]);
  });

  test("R185: stats, retry-failed and purge work on an empty store", async () => {
    const { mill } = await setup(kind);
    expect(await mill.stats()).toMatchObject({ total: 0, pipelines: [], waitsFor: [] });
    const none = { matching: 0, changed: 0, skipped: [] };
    expect(await mill.retryFailed()).toEqual({ ...none, spreadMs: 0 });
    expect(await mill.purge({ state: "succeeded" })).toEqual(none);
  });

  test("R183: failed runs are queued again with fresh attempts, and keep what succeeded", async () => {
    const { mill, line, state } = await setup(kind);
    const failed = await mill.start(line, "bad");
    await failed.result();
    await mill.start(line, "good").then((run) => run.result());
    expect(await mill.retryFailed({ dryRun: true })).toEqual({
      matching: 1,
      changed: 0,
      skipped: [],
      spreadMs: 0,
    });
    expect((await mill.run(failed.id)).state).toBe("failed");

    expect(await mill.retryFailed()).toEqual({
      matching: 1,
      changed: 1,
      skipped: [],
      spreadMs: 0,
    });
    const queued = await mill.run(failed.id);
    expect([queued.state, queued.resumes, queued.attempts, queued.foreground]).toEqual([
      "queued",
      1,
      0,
      false,
    ]);
    state.failing = false;
    state.first = 0;
    await mill.work({ drain: true });
    expect((await mill.run(failed.id)).state).toBe("succeeded");
    expect(state.first).toBe(0);
  });

  test("R183: failed runs begin again ten a second, and those that have to wait are due", async () => {
    const { mill, line } = await setup(kind);
    await mill.enqueue(
      line,
      Array.from({ length: 25 }, () => ({ input: "bad" })),
    );
    await mill.work({ drain: true });
    expect(await mill.retryFailed({ dryRun: true })).toMatchObject({
      matching: 25,
      spreadMs: 2_000,
    });
    const slowly = await mill.retryFailed({ dryRun: true, runsPerSecond: 1 });
    expect(slowly.spreadMs).toBe(24_000);
    await assert.rejects(mill.retryFailed({ runsPerSecond: 0 }), /runsPerSecond: expected/u);
    expect(await mill.retryFailed()).toMatchObject({ changed: 25, spreadMs: 2_000 });
    expect(await mill.stats()).toMatchObject({ queued: 10, waiting: 15, failed: 0 });
    const [waiting] = (await mill.runs({ states: ["waiting"], limit: 1 })).runs;
    expect(await mill.run(waiting?.id ?? "")).toMatchObject({
      reason: "due",
      attempts: 0,
      crashes: 0,
    });
  });

  test("retry-failed takes only what was asked for", async () => {
    const { mill, line } = await setup(kind);
    const run = await mill.start(line, "bad");
    await run.result();
    const { failure, endedAtMs } = await mill.run(run.id);
    const matching = async (options: object) =>
      (await mill.retryFailed({ ...options, dryRun: true })).matching;
    expect(await matching({ pipeline: "other" })).toBe(0);
    const at = (ms: number): Date => new Date((endedAtMs ?? 0) + ms);
    expect(await matching({ since: at(1) })).toBe(0);
    expect(await matching({ since: "1h" })).toBe(1);
    await assert.rejects(matching({ since: "soon" }), /since: expected/u);
    expect(await matching({ fingerprint: "none" })).toBe(0);
    expect(
      await matching({ pipeline: "line", since: at(0), fingerprint: failure?.fingerprint }),
    ).toBe(1);
  });

  test("R184: a run that has ended is queued again as a new one, linked to the old", async () => {
    const { mill, line } = await setup(kind);
    const { runs } = await mill.enqueue(line, [{ key: "k", input: "good", tags: { a: "b" } }]);
    const old = runs[0]?.run;
    assert.ok(old !== undefined);
    await assert.rejects(mill.requeue(old.id), (error) => {
      assert.ok(isMillraceError(error));
      return error.code === "RUN_STATE_CONFLICT";
    });
    await mill.work({ drain: true });
    const again = await mill.requeue(old.id);
    expect([again.state, again.parent, again.key, again.tags]).toEqual([
      "queued",
      old.id,
      null,
      { a: "b" },
    ]);
    await mill.work({ drain: true });
    expect((await mill.run(again.id)).state).toBe("succeeded");
    expect((await mill.runs({ parent: old.id })).runs.map(({ id }) => id)).toEqual([again.id]);
  });

  test("a batch is queued again but for its runs that have not ended", async () => {
    const { mill, line } = await setup(kind);
    const batch = { id: "b", source: "test" };
    await mill.enqueue(line, [{ input: "good" }, { input: "bad" }], { batch });
    await mill.work({ drain: true });
    await mill.enqueue(line, [{ input: "later" }], { batch });
    expect(await mill.requeue({ batch: "b", dryRun: true })).toMatchObject({ changed: 0 });
    const outcome = await mill.requeue({ batch: "b" });
    expect([outcome.matching, outcome.changed]).toEqual([3, 2]);
    expect(outcome.skipped).toEqual([{ run: "3", reason: expect.stringContaining("is queued") }]);
    await assert.rejects(mill.requeue({ batch: "none" }), /There is no batch "none"/u);
  });

  test("R101: a purge deletes finished runs and leaves the active one, and counts agree", async () => {
    const gate = makeGate();
    const held = pipeline("held", {
      stages: [stage("wait", {}, () => gate.opened)],
    });
    const { line } = makeLine();
    const mill = await makeDurableWorld(kind).open([line, held]);
    const active = await mill.start(held, undefined);
    for (const text of ["good", "good", "bad"])
      await mill.start(line, text).then((run) => run.result());
    expect(await mill.purge({ state: "succeeded", dryRun: true })).toMatchObject({
      matching: 2,
      changed: 0,
    });
    expect(await mill.purge({ state: "succeeded", olderThan: "1m" })).toMatchObject({
      matching: 0,
    });
    expect(await mill.purge({ state: "succeeded" })).toEqual({
      matching: 2,
      changed: 2,
      skipped: [],
    });
    const { total, running, failed } = await mill.stats();
    expect({ total, running, failed }).toEqual({ total: 2, running: 1, failed: 1 });
    expect((await mill.runs()).runs.map(({ state }) => state)).toEqual(["failed", "running"]);
    await assert.rejects(mill.purge({ state: "running" }), /never deleted/u);
    gate.open();
    expect((await active.result()).state).toBe("succeeded");
  });

  test("a purge goes through many pages, and leaves what is younger than it was asked for", async () => {
    const { mill, line } = await setup(kind);
    const entries = Array.from({ length: 1_200 }, (_, index) => ({
      key: `k${index}`,
      input: "good",
    }));
    await mill.enqueue(line, entries);
    expect(await mill.purge({ state: ["queued", "failed"] })).toEqual({
      matching: 1_200,
      changed: 1_200,
      skipped: [],
    });
    expect((await mill.stats()).total).toBe(0);
    const again = await mill.enqueue(line, entries.slice(0, 2));
    expect(again).toMatchObject({ created: 2, duplicates: 0 });
  });

  test("R112: of two queued runs the one of higher priority is claimed first", async () => {
    const order: string[] = [];
    const name = input<string>();
    const line = pipeline("order", {
      input: name,
      stages: [stage("note", { needs: { name } }, (needs) => void order.push(needs.name))],
    });
    const mill = await makeDurableWorld(kind).open([line]);
    await mill.enqueue(line, [
      { input: "low", priority: -5 },
      { input: "plain" },
      { input: "high", priority: 5 },
    ]);
    await mill.work({ drain: true, concurrency: 1 });
    expect(order).toEqual(["high", "plain", "low"]);
  });

  test("R170: an input that does not fit fails its run, and no stage is started", async () => {
    const { z } = await import("zod");
    let calls = 0;
    const page = input(z.object({ url: z.string() }));
    const crawl = pipeline("crawl", {
      input: page,
      stages: [stage("fetch", { needs: { page } }, () => void (calls += 1))],
    });
    const mill = await makeDurableWorld(kind).open([crawl]);
    const unfit = { url: 7 } as unknown as { url: string };
    await mill.enqueue(crawl, [{ key: "bad", input: unfit }]);
    await mill.work({ drain: true });
    const run = await mill.run("last");
    expect([run.state, run.failure?.class, calls]).toEqual(["failed", "permanent", 0]);
    expect(run.failure?.message).toContain("url");
  });
});

describe.each(STORES)("runs that are cancelled together on %s", (kind) => {
  test("only those in the states and of the pipeline that were named, page by page, with their reason", async () => {
    const { line } = makeLine("a");
    const { line: other } = makeLine("b");
    const mill = await makeDurableWorld(kind).open([line, other]);
    const entries = Array.from({ length: 1_200 }, (_, index) => ({ input: `${index}` }));
    await mill.enqueue(line, entries);
    await mill.enqueue(line, [{ input: "later", delay: "1h" }]);
    await mill.enqueue(other, [{ input: "x" }]);
    const which = { state: "queued", pipeline: "a" } as const;

    expect(await mill.cancel({ ...which, dryRun: true })).toMatchObject({
      matching: 1_200,
      changed: 0,
    });
    expect(await mill.stats()).toMatchObject({ queued: 1_201, waiting: 1, cancelled: 0 });
    const outcome = await mill.cancel({ ...which, reason: "wrong file" });
    expect(outcome).toEqual({ matching: 1_200, changed: 1_200, skipped: [] });
    expect(await mill.stats()).toMatchObject({ queued: 1, waiting: 1, cancelled: 1_200 });
    expect(await mill.run("1")).toMatchObject({ state: "cancelled", reason: "wrong file" });
    expect(await mill.cancel(which)).toEqual({ matching: 0, changed: 0, skipped: [] });
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 1 });
  });

  test("a running one is asked to end, and one that is over is refused as a state", async () => {
    const begun = makeGate();
    const hold = stage("hold", {}, (_needs, ctx) => {
      begun.open();
      return ctx.sleep("1h");
    });
    const held = pipeline("held", { stages: [hold] });
    const mill = await makeDurableWorld(kind).open([held]);
    await mill.enqueue(held, [{ input: undefined }, { input: undefined }]);
    const working = mill.work({ concurrency: 1, drain: true });
    await begun.opened;
    const outcome = await mill.cancel({ state: ["queued", "running"] });

    expect(outcome).toEqual({ matching: 2, changed: 2, skipped: [] });
    expect((await working).counts).toEqual({ cancelled: 1 });
    expect(await mill.stats()).toMatchObject({ cancelled: 2, total: 2 });
    for (const state of ["succeeded", []] as const)
      await expect(mill.cancel({ state })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });
});
