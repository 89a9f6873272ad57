import { fc, test as check } from "@fast-check/vitest";
import { expect, test } from "vitest";
import type { EventType, MillraceEvent } from "../../../model/event.ts";
import { STAGE_STATES } from "../../../model/outcome.ts";
import type { Json } from "../../../std/json.ts";
import { applyEvent, makeProgress } from "./progress-model.ts";
import type { Applied, Progress } from "./progress.ts";
import { countWaiting, mainWait, remainingMs, type StageProgress } from "./stage-progress.ts";

const START_MS = 1_000_000;

interface Told {
  readonly atMs?: number;
  readonly stage?: string;
  readonly item?: string;
  readonly attempt?: number;
  readonly data?: Readonly<Record<string, Json>>;
}

interface World {
  readonly progress: Progress;
  readonly tell: (type: EventType, told?: Told) => Applied;
  readonly stage: (name: string) => StageProgress;
}

function setup(keptStages: readonly string[] = []): World {
  const progress = makeProgress({
    run: "1",
    pipeline: "crawl",
    definition: "abc",
    store: "memory:",
    startedAtMs: START_MS,
    slots: 4,
    keptStages,
    stages: [
      { name: "fetch", kind: "stage", attemptsMax: 3 },
      { name: "score", kind: "map", attemptsMax: 3 },
      { name: "save", kind: "stage", attemptsMax: 1 },
    ],
  });
  return {
    progress,
    tell(type, { atMs = 0, ...rest } = {}) {
      const event: MillraceEvent = {
        seq: 0,
        runSeq: 0,
        atMs: START_MS + atMs,
        type,
        run: "x",
        ...rest,
      };
      return applyEvent(progress, event);
    },
    stage(name) {
      const stage = progress.stages.get(name);
      if (stage === undefined) throw new Error(`there is no stage ${name}`);
      return stage;
    },
  };
}

test("a stage is pending, then running, then as it ended", () => {
  const { progress, tell, stage } = setup();
  expect(progress.stageCounts.pending).toBe(3);
  tell("stage.started", { stage: "fetch", attempt: 1 });
  expect(stage("fetch").state).toBe("running");
  expect(progress.running).toBe(1);
  tell("stage.succeeded", {
    stage: "fetch",
    atMs: 1_200,
    data: { attempts: 1, durationMs: 1_200 },
  });
  expect(stage("fetch")).toMatchObject({ state: "succeeded", durationMs: 1_200, via: "run" });
  expect(progress).toMatchObject({ running: 0, workMs: 1_200 });
  expect(progress.stageCounts).toMatchObject({ pending: 2, running: 0, succeeded: 1 });
});

test("a wait names the attempt to come, and what it waits for", () => {
  const { progress, tell, stage } = setup();
  tell("stage.started", { stage: "fetch", attempt: 1 });
  tell("stage.waiting", {
    stage: "fetch",
    attempt: 1,
    atMs: 10,
    data: { blocker: "retry", dueAtMs: START_MS + 500, class: "server", message: "HTTP 503" },
  });
  expect(mainWait(stage("fetch"))).toMatchObject({ count: 1, wait: { kind: "retry", attempt: 2 } });
  expect(progress).toMatchObject({ running: 0, retries: 1, workMs: 10 });
  tell("stage.started", { stage: "fetch", attempt: 2, atMs: 500 });
  expect(mainWait(stage("fetch"))).toBeUndefined();
  expect(stage("fetch").attempts).toBe(2);
});

test("a deferral costs no attempt", () => {
  const { tell, stage } = setup();
  tell("stage.waiting", {
    stage: "fetch",
    attempt: 1,
    data: { blocker: "retry", class: "throttled" },
  });
  expect(mainWait(stage("fetch"))?.wait.attempt).toBe(1);
});

test("items are counted from the list on, kept ones as succeeded", () => {
  const { progress, tell, stage } = setup();
  tell("stage.expanded", { stage: "score", data: { items: 100, kept: 60 } });
  expect(stage("score").items).toMatchObject({ total: 100, pending: 40, succeeded: 60 });
  tell("item.started", { stage: "score", item: "a" });
  tell("item.waiting", { stage: "score", item: "a", data: { blocker: "quota scorer" } });
  expect(stage("score").items).toMatchObject({ pending: 39, running: 0, waiting: 1 });
  expect(mainWait(stage("score"))?.wait).toMatchObject({ kind: "quota", name: "scorer" });
  tell("item.succeeded", { stage: "score", item: "a", data: { attempts: 2, via: "run" } });
  expect(stage("score").items).toMatchObject({ pending: 39, waiting: 0, succeeded: 61 });
  expect(progress).toMatchObject({ retried: 1 });
  expect(stage("score").kept).toBe(60);
});

test("items that come before their list is known are counted once", () => {
  const { tell, stage } = setup();
  tell("item.started", { stage: "score", item: "a" });
  tell("item.started", { stage: "score", item: "b" });
  tell("item.succeeded", { stage: "score", item: "a" });
  expect(stage("score").items).toMatchObject({ total: 2, running: 1, succeeded: 1 });
  tell("stage.expanded", { stage: "score", data: { items: 10, kept: 0 } });
  expect(stage("score").items).toMatchObject({ total: 10, pending: 8 });
});

test("a map that ends leaves no item open", () => {
  const { progress, tell, stage } = setup();
  tell("stage.expanded", { stage: "score", data: { items: 10, kept: 0 } });
  tell("item.started", { stage: "score", item: "a" });
  tell("item.failed", { stage: "score", item: "b", data: { message: "no", class: "bug" } });
  tell("stage.failed", { stage: "score", data: { message: "1 of 10 items failed", class: "bug" } });
  expect(stage("score").items).toMatchObject({ pending: 0, running: 0, cancelled: 9, failed: 1 });
  expect(progress.running).toBe(0);
});

test("R94: that a map stopped early is a failure of its own, in one line", () => {
  const { progress, tell } = setup();
  tell("stage.expanded", { stage: "score", data: { items: 3 } });
  const data = { class: "server", message: "boom", fingerprint: "f" };
  tell("item.failed", { stage: "score", item: "a", data });
  const message = 'stopped early (stopAfter): an item failed\n[0] "a": boom';
  const told = tell("stage.failed", { stage: "score", data: { ...data, message } });
  expect(told.isFailure).toBe(true);
  expect(progress.failures.list()).toMatchObject([
    { message: "boom", firstItem: "a" },
    { message: "stopped early (stopAfter): an item failed", firstItem: undefined },
  ]);
});

test("equal failures are one group, and what a map repeats of its items is none", () => {
  const { progress, tell } = setup();
  const data = { message: "HTTP 502", class: "server", fingerprint: "a", attempts: 3 };
  const first = tell("item.failed", { stage: "score", item: "a", data });
  const second = tell("item.failed", { stage: "score", item: "b", data });
  const map = tell("stage.failed", { stage: "score", data: { ...data, fingerprint: "z" } });
  expect(first.newFailure).toMatchObject({ firstItem: "a", count: 2 });
  expect([second.newFailure, second.isFailure]).toEqual([undefined, true]);
  expect([map.newFailure, map.isFailure]).toEqual([undefined, false]);
  expect(progress.failures).toMatchObject({ total: 2, kinds: 1 });
});

test("the last ten lines of a failed attempt come with its failure, those of a success go", () => {
  const { tell } = setup();
  for (let line = 1; line <= 12; line++) {
    tell("stage.logged", {
      stage: "score",
      item: "a",
      data: { level: "info", message: `line ${line}` },
    });
    tell("stage.logged", { stage: "score", item: "b", data: { level: "info", message: "other" } });
  }
  tell("item.succeeded", { stage: "score", item: "b" });
  const { tail } = tell("item.failed", { stage: "score", item: "a", data: { message: "no" } });
  expect(tail.map(({ text }) => text)).toEqual(
    Array.from({ length: 10 }, (_, index) => `line ${index + 3}`),
  );
  expect(tell("item.failed", { stage: "score", item: "b", data: { message: "no" } }).tail).toEqual(
    [],
  );
});

test("what an earlier epoch finished stands as succeeded from the beginning, and counts once", () => {
  const { progress, tell, stage } = setup(["fetch", "unknown"]);
  expect(stage("fetch")).toMatchObject({ state: "succeeded", via: "checkpoint" });
  tell("stage.succeeded", { stage: "fetch", data: { via: "checkpoint", durationMs: 0 } });
  expect(progress.stageCounts).toMatchObject({ pending: 2, succeeded: 1 });
});

test("the pace gives the time to go", () => {
  const { tell, stage } = setup();
  tell("stage.expanded", { stage: "score", data: { items: 100, kept: 0 } });
  for (let item = 0; item < 50; item++) {
    tell("item.succeeded", { stage: "score", item: `${item}`, atMs: item * 100 });
  }
  expect(remainingMs(stage("score"), START_MS + 5_000)).toBeCloseTo(5_000, -2);
  expect(remainingMs(stage("fetch"), START_MS)).toBeUndefined();
});

test("reported progress and silence are kept, and end with the next attempt", () => {
  const { tell, stage } = setup();
  tell("stage.progressed", { stage: "fetch", data: { done: 3, total: 9, note: "page" } });
  tell("stage.fell_silent", { stage: "fetch", data: { silentMs: 300_000 } });
  expect(stage("fetch")).toMatchObject({
    reported: { done: 3, total: 9, note: "page" },
    silentMs: 300_000,
  });
  tell("stage.started", { stage: "fetch", attempt: 2 });
  expect(stage("fetch").silentMs).toBeUndefined();
});

test("events of unknown stages, and types that say nothing here, change nothing", () => {
  const { progress, tell } = setup();
  const before = JSON.stringify(progress);
  tell("stage.succeeded", { stage: "elsewhere" });
  tell("stage.emitted", { stage: "fetch", data: { name: "x" } });
  tell("artifact.stored", { stage: "fetch" });
  tell("run.created");
  expect(JSON.stringify(progress)).toBe(before);
});

test.each([
  ["run.succeeded", "succeeded"],
  ["run.failed", "failed"],
  ["run.cancelled", "cancelled"],
  ["run.skipped", "skipped"],
] as const)("%s ends the run", (type, state) => {
  const { progress, tell } = setup();
  tell(type, { atMs: 9, data: { reason: "deadline" } });
  expect(progress).toMatchObject({ state, reason: "deadline", endedAtMs: START_MS + 9 });
});

test("run.interrupted parks it, and run.resumed goes on", () => {
  const { progress, tell } = setup();
  tell("run.interrupted", { data: { reason: "interrupted" } });
  expect(progress.state).toBe("waiting");
  tell("run.resumed");
  expect(progress).toMatchObject({ state: "running", reason: undefined });
});

const ITEM_VERBS = ["started", "waiting", "succeeded", "failed", "skipped", "cancelled"] as const;

check.prop([
  fc.array(fc.record({ verb: fc.constantFrom(...ITEM_VERBS), key: fc.nat(12) }), {
    maxLength: 200,
  }),
])("counts always agree with a recount, whatever comes in whatever order", (steps) => {
  const { progress, tell, stage } = setup();
  tell("stage.expanded", { stage: "score", data: { items: 13, kept: 0 } });
  const states = new Map<number, string>();
  for (const { verb, key } of steps) {
    const isOver = !["started", "waiting", undefined].includes(states.get(key));
    if (isOver) continue;
    tell(`item.${verb}`, {
      stage: "score",
      item: `${key}`,
      data: { blocker: "retry", message: "no" },
    });
    states.set(key, verb === "started" ? "running" : verb);
  }
  const items = stage("score").items;
  for (const state of STAGE_STATES) {
    const expected = [...states.values()].filter((each) => each === state).length;
    if (state !== "pending") expect(items?.[state]).toBe(expected);
    expect(progress.items[state]).toBe(items?.[state]);
  }
  expect(items).toMatchObject({ total: 13, pending: 13 - states.size });
  expect(progress.running).toBe(items?.running);
  expect([...stage("score").waits.values()].reduce((sum, { count }) => sum + count, 0)).toBe(
    items?.waiting,
  );
});

test("no more items are said to wait than have not ended", () => {
  const { tell, stage } = setup();
  tell("stage.expanded", { stage: "score", data: { items: 4 } });
  tell("item.waiting", {
    stage: "score",
    item: "a",
    data: { blocker: "limit:api", ahead: 0, waiting: 4 },
  });
  expect(countWaiting(stage("score"))).toBe(4);

  for (const item of ["b", "c"]) tell("item.succeeded", { stage: "score", item });

  expect(countWaiting(stage("score"))).toBe(2);
});
