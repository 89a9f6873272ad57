// A judge that never finds anything is worthless: each question is asked of a log with a fault in it.
import { expect, test } from "vitest";
import { countParallelMax, listAsked, listTooSoon, listWaits } from "./judge.ts";
import type { LogEntry } from "./server.ts";

function entry(id: number, startMs: number, extra: Partial<LogEntry> = {}): LogEntry {
  return {
    id,
    host: "a.test",
    method: "GET",
    path: "/",
    startMs,
    endMs: startMs + 10,
    status: 200,
    bytes: 0,
    agent: null,
    ifNoneMatch: null,
    authorization: null,
    retryAfter: null,
    ...extra,
  };
}

test("requests at the same time are counted per host, and one that begins as another ends is not", () => {
  const log = [entry(1, 0), entry(2, 5), entry(3, 10), entry(4, 5, { host: "b.test" })];
  expect(countParallelMax(log, "a.test")).toBe(2);
  expect(countParallelMax(log, "b.test")).toBe(1);
  expect(countParallelMax(log, "c.test")).toBe(0);
});

test("a wait is told with what it got, of the host and of the address, in both forms", () => {
  const seconds = entry(1, 1_500, { retryAfter: "2", path: "/x" });
  const date = new Date(11_000).toUTCString();
  const log = [
    seconds,
    entry(2, 1_505),
    entry(3, 3_400),
    entry(4, 3_500, { path: "/x" }),
    entry(5, 9_700, { host: "b.test", retryAfter: date }),
  ];
  expect(listWaits(log)).toMatchObject([
    { askedMs: 2_000, gotMs: 1_900 },
    { askedMs: 2_000, gotMs: Infinity },
  ]);
  expect(listWaits(log, "address")[0]).toMatchObject({ gotMs: 2_000 });
});

test("what was asked is listed in the order of arrival", () => {
  const log = [entry(2, 0, { method: "HEAD" }), entry(1, 0, { path: "/first" })];
  expect(listAsked(log, "a.test")).toEqual(["GET /first", "HEAD /"]);
});

test("a request that comes while a host that failed too often should rest is found", () => {
  const failed = { status: 503 };
  const breaker = { threshold: 2, forMs: 100 };
  const log = [
    entry(1, 0, failed),
    entry(2, 20, failed),
    entry(3, 25),
    entry(4, 129),
    entry(5, 130),
    entry(6, 140, failed),
  ];
  expect(listTooSoon(log, "a.test", breaker).map(({ id }) => id)).toEqual([4]);
  expect(listTooSoon(log, "a.test", { ...breaker, threshold: 3 })).toEqual([]);
});

test("each failure of a probe begins a new rest, and a success ends it", () => {
  const failed = { status: 503 };
  const breaker = { threshold: 1, forMs: 100 };
  const log = [
    entry(1, 0, failed),
    entry(2, 110, failed),
    entry(3, 200),
    entry(4, 220),
    entry(5, 230),
  ];
  expect(listTooSoon(log, "a.test", breaker).map(({ id }) => id)).toEqual([3]);
});
