import { expect, test } from "vitest";
import {
  isSuspicious,
  judgeRun,
  type RunTerms,
  type RunWork,
  type WatchedRun,
} from "./judge-run.ts";

const NOW_MS = 10_000_000;
const TERMS: RunTerms = { nowMs: NOW_MS, graceMs: 1_000, silentMs: 600_000 };
const CALM: WatchedRun = {
  id: "id",
  name: "7f3k",
  pipeline: "crawl",
  state: "running",
  reason: null,
  foreground: false,
  leaseEndsAtMs: NOW_MS + 20_000,
  updatedAtMs: NOW_MS - 1_000,
  wakeAtMs: null,
};
const WORK: RunWork = {
  blockers: ["score waits for quota api"],
  isOwnerHeard: true,
  running: 1,
  waiting: 0,
  isKnown: true,
};

function judge(run: Partial<WatchedRun>, work: Partial<RunWork> = {}) {
  const watched = { ...CALM, ...run };
  const found = judgeRun(watched, TERMS, { ...WORK, ...work });
  // Nothing that is told may be passed over by the first look.
  if (found.length > 0) expect(isSuspicious(watched, TERMS)).toBe(true);
  return found;
}

const waiting = { state: "waiting", leaseEndsAtMs: null, reason: "retry" } as const;

test("a run that moves, and one that waits for its time, are passed over", () => {
  expect(isSuspicious(CALM, TERMS)).toBe(false);
  expect(judge({})).toEqual([]);
  const parked = { ...CALM, ...waiting, wakeAtMs: NOW_MS + 1, updatedAtMs: 0 };
  expect(isSuspicious(parked, TERMS)).toBe(false);
  expect(judge(parked)).toEqual([]);
});

test("a lease that ran out is told after the grace, for who is to act", () => {
  expect(judge({ leaseEndsAtMs: NOW_MS - 1_000 })).toEqual([]);
  const over = { leaseEndsAtMs: NOW_MS - 61_000 };
  expect(judge(over)).toMatchObject([{ rule: "lease-expired", level: "red", holdMs: 15_000 }]);
  expect(judge(over)[0]?.message).toBe(
    "The lease of run 7f3k ran out 1m 1s ago, and it was not reclaimed yet.",
  );
  expect(judge(over, { isKnown: false })[0]?.message).toContain('knows pipeline "crawl"');
  expect(judge({ ...over, foreground: true })[0]?.message).toContain("resume it to take it over");
});

test("a running run without a lease is told", () => {
  expect(judge({ leaseEndsAtMs: null }).map(({ rule }) => rule)).toEqual(["lease-missing"]);
});

test("silence is told with the words of why, from the time that is set on", () => {
  expect(judge({ updatedAtMs: NOW_MS - 599_999 })).toEqual([]);
  expect(judge({ updatedAtMs: NOW_MS - 600_000 })).toEqual([
    {
      rule: "no-checkpoint",
      subject: "7f3k",
      runId: "id",
      next: "npx millrace why 7f3k",
      message: "Run 7f3k has committed nothing for 10m: score waits for quota api",
      blockers: ["score waits for quota api"],
    },
  ]);
  expect(judge({ updatedAtMs: 0 }, { blockers: [] })[0]?.message).not.toContain(":");
});

test.each(["due", "retry", "limit", "quota", "breaker", "budget"])(
  "a run of a queue that waits for %s has a time, or it is told after a minute",
  (reason) => {
    const still = { ...waiting, reason, updatedAtMs: NOW_MS - 60_000 };
    expect(judge(still).map(({ rule }) => rule)).toEqual(["wake-missing"]);
    expect(judge({ ...still, updatedAtMs: NOW_MS - 59_999 })).toEqual([]);
    expect(judge({ ...still, foreground: true })).toEqual([]);
  },
);

test.each([null, "interrupted", "paused", "busy"])(
  "a run that waits for %s needs no time",
  (reason) => {
    expect(judge({ ...waiting, reason, updatedAtMs: 0 })).toEqual([]);
  },
);

test("a run is stranded when its process is heard and says that nothing of it runs or waits", () => {
  const still = { updatedAtMs: NOW_MS - 60_000 };
  const none = { running: 0 };
  expect(judge(still, none)).toMatchObject([{ rule: "stranded", level: "red", holdMs: 60_000 }]);
  expect(judge(still, { ...none, waiting: 1 })).toEqual([]);
  expect(judge(still, { ...none, isOwnerHeard: false })).toEqual([]);
  expect(judge({ updatedAtMs: NOW_MS - 59_999 }, none)).toEqual([]);
  const over = { ...still, leaseEndsAtMs: NOW_MS - 5_000 };
  expect(judge(over, none).map(({ rule }) => rule)).toEqual(["lease-expired"]);
});
