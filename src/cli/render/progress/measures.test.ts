// Rate, percentiles, groups of failures and tails of logs: the small measures behind the picture of a run.

import { fc, test as check } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { DurationSketch } from "./duration-sketch.ts";
import { FAILURE_GROUPS_MAX, FailureGroups } from "./failure-groups.ts";
import { LogTails } from "./log-tails.ts";
import { RateMeter } from "./rate-meter.ts";

test("a pace that was steady is told as it was", () => {
  const meter = new RateMeter(0);
  for (let ms = 0; ms < 120_000; ms += 250) meter.add(ms);
  expect(meter.perSecond(120_000)).toBeCloseTo(4, 0);
});

test("only the last half minute counts, so that a change is seen soon", () => {
  const meter = new RateMeter(0);
  for (let ms = 0; ms < 60_000; ms += 100) meter.add(ms);
  for (let ms = 60_000; ms < 95_000; ms += 1_000) meter.add(ms);
  expect(meter.perSecond(95_000)).toBeCloseTo(1, 0);
});

test("what ends rarely is measured since the start", () => {
  const meter = new RateMeter(0);
  meter.add(60_000);
  meter.add(120_000);
  expect(meter.perSecond(120_000)).toBeCloseTo(2 / 120);
  expect(new RateMeter(0).perSecond(5_000)).toBe(0);
});

check.prop([fc.array(fc.nat(200_000), { maxLength: 100 })])(
  "times out of order break nothing",
  (times) => {
    const meter = new RateMeter(0);
    for (const ms of times) meter.add(ms);
    const perSecond = meter.perSecond(Math.max(0, ...times));
    expect(perSecond).toBeGreaterThanOrEqual(0);
    expect(Number.isFinite(perSecond)).toBe(true);
  },
);

check.prop([fc.array(fc.nat(10_000_000), { minLength: 1 }), fc.constantFrom(0.5, 0.95, 1)])(
  "percentiles are off by a tenth at most",
  (durations, share) => {
    const sketch = new DurationSketch();
    for (const ms of durations) sketch.add(ms);
    const sorted = durations.toSorted((left, right) => left - right);
    const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0;
    const told = sketch.percentile(share) ?? Number.NaN;
    expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * 0.1 + 1);
  },
);

test("there is no percentile of nothing", () => {
  expect(new DurationSketch().percentile(0.5)).toBeUndefined();
});

const FAILURE = {
  stage: "score",
  class: "server",
  message: "no",
  code: undefined,
  firstItem: "a",
  attempts: 1,
  firstAtMs: 0,
};

test("failures beyond two hundred kinds are counted together", () => {
  const groups = new FailureGroups();
  for (let kind = 0; kind < FAILURE_GROUPS_MAX + 50; kind++) {
    groups.add({ ...FAILURE, fingerprint: `${kind}` });
    groups.add({ ...FAILURE, fingerprint: `${kind}` });
  }
  expect(groups).toMatchObject({ kinds: FAILURE_GROUPS_MAX, total: 500, ungrouped: 100 });
  expect(groups.list()).toHaveLength(FAILURE_GROUPS_MAX);
});

test("the most frequent kind comes first, equals in the order they came", () => {
  const groups = new FailureGroups();
  for (const fingerprint of ["a", "b", "c", "b"]) groups.add({ ...FAILURE, fingerprint });
  expect(groups.byCount().map((group) => group.fingerprint)).toEqual(["b", "a", "c"]);
});

test("tails of more than a thousand attempts forget the oldest", () => {
  const tails = new LogTails();
  for (let item = 0; item < 1_500; item++) {
    tails.add({ atMs: 0, stage: "score", item: `${item}`, level: "info", text: "x" });
  }
  expect(tails.of("score", "0")).toEqual([]);
  expect(tails.of("score", "1499")).toHaveLength(1);
  expect(tails.last(5)).toHaveLength(5);
  tails.forget("score", "1499");
  expect(tails.of("score", "1499")).toEqual([]);
});
