// Bars, lines of parts and rows of stages: what stays when there is little room.

import { fc, test as check } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { plainLook } from "../look.ts";
import { alphabetOf } from "../marks.ts";
import {
  makeItemCounts,
  makeStageProgress,
  type StageProgress,
} from "../progress/stage-progress.ts";
import { RateMeter } from "../progress/rate-meter.ts";
import { textWidth } from "../width.ts";
import { renderBar } from "./bar.ts";
import { fitLine } from "./fit-line.ts";
import { layoutRows, markOfStage, renderStageRow } from "./stage-row.ts";

const LOOK = plainLook(alphabetOf("unicode"));
const ASCII = plainLook(alphabetOf("ascii"));

test.each([
  [{ succeeded: 0, failed: 0 }, "··········"],
  [{ succeeded: 0.5, failed: 0 }, "█████·····"],
  [{ succeeded: 0.55, failed: 0 }, "█████▌····"],
  [{ succeeded: 1, failed: 0 }, "██████████"],
  [{ succeeded: 0.5, failed: 0.2 }, "███████···"],
  [{ succeeded: 0.9999, failed: 0 }, "█████████▉"],
  [{ succeeded: 0, failed: 0.000_1 }, "█·········"],
  [{ succeeded: 0.999, failed: 0.001 }, "██████████"],
])("the bar of %j", (shares, bar) => {
  expect(renderBar(shares, 10, LOOK)).toBe(bar);
});

check.prop([
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.nat(40),
])("a bar is as wide as it was asked to be", (whole, part, columns) => {
  const shares = { succeeded: whole * part, failed: whole * (1 - part) };
  expect(textWidth(renderBar(shares, columns, LOOK))).toBe(columns);
  expect(renderBar(shares, columns, ASCII)).toMatch(/^[#.]*$/);
});

test("the least worth goes first, and the order stays", () => {
  const parts = [
    { text: "aaaa", worth: 1 },
    { text: "bbbb", worth: 3 },
    { text: "", worth: 9 },
    { text: "cccc", worth: 2 },
  ];
  expect(fitLine(parts, 80)).toBe("aaaa  bbbb  cccc");
  expect(fitLine(parts, 12)).toBe("bbbb  cccc");
  expect(fitLine(parts, 4)).toBe("bbbb");
  expect(fitLine(parts, 3)).toBe("");
});

function mapStage(changes: Partial<StageProgress> = {}): StageProgress {
  const stage = makeStageProgress({ name: "score", kind: "map", attemptsMax: 3 });
  const items = {
    ...makeItemCounts(10_000),
    pending: 536,
    succeeded: 9_361,
    failed: 39,
    running: 64,
  };
  const rate = new RateMeter(0);
  for (let second = 0; second < 60; second++)
    for (let item = 0; item < 3; item++) rate.add(second * 1_000);
  return { ...stage, state: "running", startedAtMs: 0, items, rate, ...changes };
}

function row(stage: StageProgress, columns: number): string {
  return renderStageRow(stage, layoutRows([stage], columns), { look: LOOK, nowMs: 60_000 });
}

test("a map shows how far it is, and drops what matters least in a narrow window", () => {
  expect([100, 79, 60, 40, 30].map((columns) => row(mapStage(), columns))).toMatchInlineSnapshot(`
    [
      "◐ score  9,400/10,000  ███████████████████·  39 failed  64 running  3/s  ETA 3m",
      "◐ score  9,400/10,000  ███████████████████·  39 failed  64 running  3/s  ETA 3m",
      "◐ score  9,400/10,000  39 failed  64 running  3/s  ETA 3m",
      "◐ score  9,400/10,000  39 failed  ETA 3m",
      "◐ score  9,400/10,000",
    ]
  `);
});

check.prop([fc.integer({ min: 20, max: 200 })])("no row is wider than its place", (columns) => {
  expect(textWidth(row(mapStage(), columns))).toBeLessThanOrEqual(columns);
  const reported = { done: 3, total: 9, note: "a long note about what is going on just now" };
  const plain = makeStageProgress({ name: "x".repeat(90), kind: "command", attemptsMax: 2 });
  const stage: StageProgress = { ...plain, state: "running", startedAtMs: 0, reported };
  expect(textWidth(row(stage, columns))).toBeLessThanOrEqual(columns);
});

test("a map whose open items all wait is drawn as waiting, for what they wait", () => {
  const items = { ...makeItemCounts(5), pending: 3, waiting: 2 };
  const wait = {
    kind: "quota",
    name: "shots",
    dueAtMs: undefined,
    attempt: 1,
    ahead: undefined,
    waiting: 2,
    message: undefined,
    class: undefined,
  };
  const stage = mapStage({ items, waits: new Map([["quota shots", { wait, count: 2 }]]) });
  expect(markOfStage(stage)).toBe("waiting");
  expect(row(stage, 100)).toContain("2 waiting for quota shots");
});

test("a stage that waits for its retry says which attempt, when, and why", () => {
  const wait = {
    kind: "retry",
    name: undefined,
    dueAtMs: 64_100,
    attempt: 2,
    ahead: undefined,
    waiting: 1,
    message: "HTTP 503\nfrom x",
    class: "server",
  };
  const stage: StageProgress = {
    ...makeStageProgress({ name: "fetch", kind: "stage", attemptsMax: 3 }),
    state: "waiting",
    waits: new Map([["retry ", { wait, count: 1 }]]),
  };
  expect(row(stage, 100)).toBe("↻ fetch  waiting · attempt 2 of 3 in 4.1 s · HTTP 503 from x");
});

test("a stage that reports its progress gets a bar", () => {
  const stage: StageProgress = {
    ...makeStageProgress({ name: "parse", kind: "command", attemptsMax: 2 }),
    state: "running",
    startedAtMs: 48_000,
    attempts: 2,
    reported: { done: 5, total: 10, note: "sheet 5" },
    silentMs: 300_000,
  };
  expect(row(stage, 100)).toBe(
    "◐ parse  5/10  ██████████··········  12 s · attempt 2 of 2 · silent for 5m  sheet 5",
  );
});
