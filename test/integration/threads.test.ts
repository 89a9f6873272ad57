// Stages in worker threads: what crosses, what they are told and say, how they fail and how they are ended.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { recordEvents } from "../../src/testing/record-events.ts";
import { runInMemory, type MemoryChoices } from "../../src/service/memory-run.ts";
import type { Pipeline } from "../../src/service/pipeline.ts";
import type { RunResult } from "../../src/service/run-result.ts";
import { makeDurableWorld } from "../support/durable/durable-world.ts";
import {
  behaving,
  mixed,
  overdue,
  speaking,
  typed,
  untyped,
  waiting,
} from "../support/pipelines/thread-work.ts";

/** A run in memory with a short grace. */
async function run<In, Out>(
  { definition }: Pipeline<In, Out>,
  input: In,
  choices: MemoryChoices = {},
): Promise<RunResult> {
  return await runInMemory(definition, input, { graceMs: 300, threads: 2, ...choices });
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-threads-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a map and a stage run in threads, and values of every kind cross in both directions", async () => {
  const by = new Date(5);
  const { outputs, state } = await run(typed, { rows: [1, 2, 3], by });
  expect(state).toBe("succeeded");
  const squared = outputs["squared"];
  expect(squared).toMatchObject([{ square: 1 }, { square: 4 }, { square: 9 }]);
  const threads = (squared as readonly { isMainThread: boolean; threadId: number }[]).map(
    (one) => `${one.isMainThread}`,
  );
  expect(threads).toEqual(["false", "false", "false"]);
  expect(outputs["dated"]).toEqual({
    by,
    set: new Set([1, 4, 9]),
    big: 10n,
    bytes: new Uint8Array([1, 2]),
    isMainThread: false,
  });
});

test("the untyped form runs in threads as well", async () => {
  const { outputs } = await run(untyped, [1, 2, 3]);
  expect(outputs).toEqual({ summed: { sum: 12, isMainThread: false } });
});

test("a durable run gives the same, and is told what its threads used", async () => {
  const world = makeDurableWorld();
  const mill = await world.open([typed], { threads: 2 });
  const handle = await mill.start(typed, { rows: [3], by: new Date(7) });
  const result = await handle.result();
  expect(result.outputs.dated).toMatchObject({ by: new Date(7), isMainThread: false });
  const rows = await mill.store.listStages(handle.id);
  const squared = rows.find(({ stage }) => stage === "squared");
  expect(squared?.cpuMs).toBeGreaterThanOrEqual(0);
  expect(squared?.peakBytes).toBeGreaterThan(1e6);
  expect(rows.find(({ stage }) => stage === "rows")?.cpuMs).toBeNull();
});

test("the whole context works in a thread: what it says is told, what it asks is answered", async () => {
  const recorder = recordEvents();
  const result = await run(speaking, undefined, { onEvent: recorder.onEvent });
  const { heard } = result.outputs as { heard: Record<string, unknown> };
  expect(heard).toMatchObject({
    first: 42,
    again: 42,
    stored: { name: "note", bytes: 5 },
    town: "Ulm",
    call: { made: new Date(5) },
    said: "Ulm",
    runId: result.id,
    name: "spoken",
    attempt: 1,
    isNow: true,
  });
  expect(heard["idempotencyKey"]).toMatch(/^[0-9a-f]{32}$/);
  expect(result.metrics).toEqual({ rows: 7 });
  const told = recorder.events.filter(({ stage }) => stage === "spoken");
  expect(told.map(({ type }) => type)).toEqual([
    "stage.started",
    "stage.logged",
    "stage.progressed",
    "stage.emitted",
    "artifact.stored",
    "stage.succeeded",
  ]);
  expect(told[1]?.data).toEqual({ level: "info", message: "begun", data: { row: 3 } });
  expect(told[2]?.data).toEqual({ done: 1, total: 2, note: "half" });
});

test("an error comes back whole: its name, code, cause, stack and own fields", async () => {
  const { errors, stages } = await run(behaving, { how: "refuse" });
  const error = stages["behaved"]?.error;
  expect(errors).toHaveLength(1);
  expect(error).toMatchObject({ class: "permanent", code: "HTTP 422", attempts: 1 });
  expect(error?.error).toMatchObject({
    name: "OrderRefused",
    message: "the order is refused",
    code: "E_ORDER",
    status: 422,
    details: { rows: [3, 4] },
    cause: { name: "TypeError", message: "a row is no number" },
  });
  expect(error?.error?.stack).toMatch(/thread-work\.ts:\d+/);
});

test.each([
  ["range", "bug"],
  ["transient", "server"],
])("what a thread throws keeps its class: %s is %s", async (how, expected) => {
  const { stages } = await run(behaving, { how });
  expect(stages["behaved"]?.error?.class).toBe(expected);
});

test.each([
  ["function", '$.nested.call is a function "call"'],
  ["instance", "$ is "],
])(
  "a result that cannot cross is refused with its path and not repeated: %s",
  async (how, said) => {
    const { stages } = await run(behaving, { how });
    const error = stages["behaved"]?.error;
    expect(error).toMatchObject({ class: "permanent", code: "VALUE_NOT_STORABLE", attempts: 1 });
    expect(error?.message).toContain(`the output of "behaved" cannot be stored: ${said}`);
  },
);

test("an input that cannot cross is refused before a thread is asked", async () => {
  const call = (): number => 1;
  // The type forbids it, and plain JavaScript does not.
  const input = { rows: [1], call } as unknown as { readonly rows: readonly number[] };
  const { stages } = await run(typed, input);
  expect(stages["squared"]?.state).toBe("succeeded");
  expect(stages["dated"]?.error).toMatchObject({ class: "permanent", code: "VALUE_NOT_STORABLE" });
  expect(stages["dated"]?.error?.message).toContain('the needs of "dated" cannot be stored');
});

test.each([
  ["exit", "the thread exited with code 7 before there was a result"],
  ["uncaught", "the thread died of what nobody caught: nobody waits for this"],
])(
  "a thread that dies is a crash, and its stage is poison with the third one: %s",
  async (how, said) => {
    const at = join(makeFolder(), "calls");
    const { stages } = await run(behaving, { how, at });
    expect(readFileSync(at, "utf8").trim().split("\n")).toHaveLength(3);
    expect(stages["behaved"]?.error).toMatchObject({
      class: "poison",
      message: `"behaved" is not started again after 3 crashes: ${said}`,
    });
  },
);

test("a busy loop is ended with its thread when its time is up, and what it used is known", async () => {
  const { stages } = await run(overdue, { how: "loop" }, { threads: 1 });
  expect(stages["timed"]).toMatchObject({ state: "failed", error: { class: "timeout" } });
  expect(stages["timed"]?.cpuMs).toBeGreaterThan(10);
  expect(stages["after"]?.state).toBe("succeeded");
});

test("those that wait for a thread get one when others are ended or die", async () => {
  const kinds = ["loop1", "loop2", "loop3", "calm1", "exit1", "calm2"];
  const { outputs } = await run(mixed, kinds, { threads: 1 });
  const { loops } = outputs as {
    loops: readonly { key: string; status: string; error?: { class: string } }[];
  };
  expect(loops.map(({ key, status, error }) => [key, error?.class ?? status])).toEqual([
    ["loop1", "timeout"],
    ["loop2", "timeout"],
    ["loop3", "timeout"],
    ["calm1", "succeeded"],
    ["exit1", "poison"],
    ["calm2", "succeeded"],
  ]);
});

test("a cancel reaches the signal of a stage that waits, which has its grace", async () => {
  const control = new AbortController();
  const recorder = recordEvents();
  const result = await run(waiting, undefined, {
    graceMs: 20_000,
    signal: control.signal,
    onEvent: (event) => {
      recorder.onEvent(event);
      if (event.type === "stage.progressed") control.abort(new Error("enough"));
    },
  });
  expect(result.state).toBe("cancelled");
  const said = recorder.events.find(({ type }) => type === "stage.logged");
  expect(said?.data).toMatchObject({ message: "told: AbortError: enough" });
});

test("a cancel ends a busy loop", async () => {
  const at = join(makeFolder(), "calls");
  const control = new AbortController();
  const running = run(behaving, { how: "loop", at }, { signal: control.signal });
  await expect.poll(() => existsSync(at), { timeout: 20_000 }).toBe(true);
  control.abort(new Error("enough"));
  const { state, stages } = await running;
  expect([state, stages["behaved"]?.state]).toEqual(["cancelled", "cancelled"]);
});

test.each([0, -1, 1.5, Number.NaN, 257])("threads: %s is refused", async (threads) => {
  await expect(run(untyped, [1], { threads })).rejects.toMatchObject({
    code: "OPTION_INVALID",
    message: `threads: expected a whole number from 1 to 256; got ${threads}.`,
  });
});

test("a module that runs its pipeline when it is imported is refused in the thread, with what to write", async () => {
  const { PROGRAM } = await import("../support/pipelines/thread-program.ts");
  expect(PROGRAM).toMatchObject({
    state: "failed",
    error: { class: "permanent", code: "PIPELINE_FILE_INVALID", attempts: 1 },
  });
  expect(PROGRAM.error?.message).toContain("runs it when it is imported");
});

test("a durable run counts the threads that died, each as a crash of its stage alone", async () => {
  const mill = await makeDurableWorld().open([behaving], { threads: 1 });
  const handle = await mill.start(behaving, { how: "exit" });
  expect((await handle.result()).state).toBe("failed");
  const reason = "the thread exited with code 7 before there was a result";
  expect(await mill.store.listCrashes(handle.id)).toEqual([
    { stage: "behaved", item: null, crashes: 3, isolated: 3, reason },
  ]);
  // Who resumes it may have mended it.
  const again = await mill.resume(handle.id, { here: true });
  expect((await again.result()).stages["behaved"]?.error?.class).toBe("poison");
});

test("one thread makes many attempts without a warning of the process", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  const kinds = Array.from({ length: 30 }, (_, index) => `calm${index % 10}${"x".repeat(index)}`);
  const { state } = await run(mixed, kinds, { threads: 1 });
  expect([state, warnings.map(({ name }) => name)]).toEqual(["succeeded", []]);
});
