// The threads of a process by themselves: who gets one, what becomes of those who wait, how they end.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/std/clock.ts";
import { encodeValue, type EncodedValue } from "../../src/std/value.ts";
import { LazyThreads } from "../../src/engine/threads.ts";
import type { IsolatedCall, Report } from "../../src/engine/executors/isolated/protocol.ts";
import type { ThreadSide } from "../../src/engine/executors/isolated/far-side.ts";
import type { ThreadPoolOptions } from "../../src/engine/executors/thread.ts";

const MODULE = new URL("../support/pipelines/thread-work.ts", import.meta.url).href;

function text(value: unknown): EncodedValue {
  const encoded = encodeValue(value);
  if (!encoded.ok) throw new Error(encoded.error.hint);
  return encoded.value;
}

function makeCall(how: string, at: string = ""): IsolatedCall {
  return {
    module: MODULE,
    pipeline: "behaving",
    stage: "behaved",
    item: null,
    needs: text({ hows: { how, at } }),
    runId: "run",
    attempt: 1,
    idempotencyKey: "key",
    scheduled: null,
    dir: ".",
    state: [],
  };
}

function makeThreads(options: Partial<ThreadPoolOptions> = {}): LazyThreads {
  const threads = new LazyThreads({ clock: systemClock, threadsMax: 1, ...options });
  onTestFinished(() => threads.close());
  return threads;
}

interface Started {
  readonly side: ThreadSide;
  readonly reports: readonly Report[];
}

async function start(
  threads: LazyThreads,
  call: IsolatedCall,
  imports: readonly string[] = [],
): Promise<Started> {
  const reports: Report[] = [];
  const pool = await threads.open();
  const side = pool.start({ call, imports }, (report) => reports.push(report));
  return { side, reports };
}

function kindsOf({ reports }: Started): readonly string[] {
  return reports.map(({ kind }) => kind);
}

test("an attempt is made, and says what it used", async () => {
  const made = await start(makeThreads(), makeCall("calm"));
  await made.side.over;
  expect(made.reports).toEqual([
    { kind: "begun" },
    { kind: "returned", value: text("calm"), state: [] },
  ]);
  expect(made.side.usage?.cpuMs).toBeGreaterThanOrEqual(0);
  expect(made.side.usage?.peakBytes).toBeGreaterThan(1e6);
});

test("a thread that runs out of memory dies alone, and the next attempt has another one", async () => {
  const threads = makeThreads({ heapMibMax: 40 });
  const full = await start(threads, makeCall("memory"));
  expect(await full.side.over).toMatchObject({
    name: "IsolatedCrash",
    place: "thread",
    millraceClass: "crash",
    code: "ERR_WORKER_OUT_OF_MEMORY",
    message: "the thread ran out of memory",
  });
  expect(kindsOf(full)).toEqual(["begun"]);
  const next = await start(threads, makeCall("calm"));
  await next.side.over;
  expect(kindsOf(next)).toEqual(["begun", "returned"]);
});

test("what is killed while it waits never begins, and who waits behind it does", async () => {
  const threads = makeThreads();
  const folder = mkdtempSync(join(tmpdir(), "millrace-pool-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const busy = await start(threads, makeCall("loop", join(folder, "busy")));
  const dropped = await start(threads, makeCall("calm"));
  const next = await start(threads, makeCall("calm"));
  await expect.poll(() => existsSync(join(folder, "busy")), { timeout: 20_000 }).toBe(true);
  dropped.side.kill();
  await dropped.side.over;
  expect([kindsOf(dropped), kindsOf(next)]).toEqual([[], []]);
  busy.side.kill();
  await Promise.all([busy.side.over, next.side.over]);
  expect([kindsOf(busy), kindsOf(next)]).toEqual([["begun"], ["begun", "returned"]]);
  expect(busy.side.usage?.cpuMs).toBeGreaterThan(0);
});

test("closing ends what is busy and what waits, and closing again or before anything changes nothing", async () => {
  const threads = makeThreads();
  await threads.close();
  const busy = await start(threads, makeCall("loop"));
  const behind = await start(threads, makeCall("calm"));
  await Promise.all([threads.close(), busy.side.over, behind.side.over]);
  expect(kindsOf(behind)).toEqual([]);
  await threads.close();
});

test.each([
  ["a module that is not there", { module: "file:///nowhere.ts" }, []],
  ["a stage that it does not have", { stage: "other" }, []],
  ["what is imported first and is not there", {}, ["file:///nowhere.ts"]],
] as const)("cannot be called: %s", async (_what, change, imports) => {
  const made = await start(makeThreads(), { ...makeCall("calm"), ...change }, imports);
  await made.side.over;
  expect(kindsOf(made)).toEqual(["unavailable"]);
});
