import { expect, test } from "vitest";
import { judgeDisk, judgeLog, judgeLoop, judgeMemory, judgeStuck } from "./judge-process.ts";
import { judgeFailures, judgeQueueAge, judgeScheduler } from "./judge-queue.ts";
import { judgeBreaker, judgePermit } from "./judge-resource.ts";

const MEBIBYTE = 1024 * 1024;

test.each([
  [100, 5, false],
  [100, 6, true],
  [1, 1, true],
  [10, 0, false],
  [1_000_000, 999, false],
  [1_000_000, 1_000, true],
])("of %d queued runs %d old ones make the queue old: %s", (queued, overdue, isOld) => {
  const found = judgeQueueAge({ pipeline: "crawl", queued, overdue, overdueMax: 1_000 });
  expect(found?.rule).toBe(isOld ? "queue-old" : undefined);
  if (overdue === 1_000) expect(found?.message).toContain("at least 1000");
});

test.each([
  [{ before: 0, now: 20, passedMs: 60_000 }, false],
  [{ before: 0, now: 21, passedMs: 60_000 }, true],
  [{ before: 5, now: 26, passedMs: 60_000 }, true],
  [{ before: 0, now: 11, passedMs: 30_000 }, true],
  [{ before: 0, now: 9, passedMs: 1_000 }, false],
  [{ before: 0, now: 100, passedMs: 0 }, false],
])("failed runs that grow as in %j are too many: %s", (growth, isMany) => {
  const found = judgeFailures({ pipeline: "crawl", ...growth });
  expect(found?.rule).toBe(isMany ? "failures-growing" : undefined);
});

test("schedules are late after ninety seconds", () => {
  expect(judgeScheduler(90_000)).toBeUndefined();
  expect(judgeScheduler(91_000)?.message).toBe(
    "A schedule is 1m 31s late; at most 1m 30s is right.",
  );
});

test("a disk is full under 500 MB, and under a twentieth of it", () => {
  expect(judgeDisk({ freeBytes: 500e6, totalBytes: 10e9 }, "p")).toBeUndefined();
  expect(judgeDisk({ freeBytes: 499e6, totalBytes: 1e9 }, "p")?.rule).toBe("disk-full");
  expect(judgeDisk({ freeBytes: 49e9, totalBytes: 1e12 }, "p")?.message).toContain(
    "49.0 GB, 4.9 %",
  );
  expect(judgeDisk({ freeBytes: 600e6, totalBytes: 0 }, "p")).toBeUndefined();
});

test("a log is long from 64 MiB on, and red from 512 MiB on", () => {
  expect(judgeLog(64 * MEBIBYTE - 1, false, "p")).toBeUndefined();
  expect(judgeLog(64 * MEBIBYTE, false, "p")).toMatchObject({ rule: "log-large", level: "warn" });
  expect(judgeLog(512 * MEBIBYTE, true, "p")).toMatchObject({ level: "red" });
  expect(judgeLog(512 * MEBIBYTE, true, "p")?.message).toContain("a reader that does not end");
});

test("memory, loop and stuck attempts have their limits", () => {
  expect(judgeMemory({ usedBytes: 85, limitBytes: 100 }, "w")).toBeUndefined();
  expect(judgeMemory({ usedBytes: 86, limitBytes: 100 }, "w")?.holdMs).toBe(5_000);
  expect(judgeMemory({ usedBytes: 86, limitBytes: null }, "w")).toBeUndefined();
  expect(judgeLoop(200, "w")).toBeUndefined();
  expect(judgeLoop(201, "w")?.message).toContain("201 ms late");
  expect(judgeStuck(4, "w")).toBeUndefined();
  expect(judgeStuck(5, "w")?.message).toContain("5 attempts");
});

test("a breaker that does not close is told after an hour", () => {
  expect(judgeBreaker({ resource: "host", key: "a" })).toMatchObject({
    rule: "breaker-open",
    subject: "host/a",
    holdMs: 3_600_000,
  });
  expect(judgeBreaker({ resource: "host", key: "" }).subject).toBe("host");
});

test("a permit is old a minute after its attempt had to end, and never where nothing ends it", () => {
  const permit = {
    resource: "api",
    key: "",
    run: "7f3k",
    runId: "id",
    stage: "score",
    takenAtMs: 1_000,
    timeoutMs: 10_000,
  };
  expect(judgePermit(permit, 71_000)).toBeUndefined();
  expect(judgePermit(permit, 71_001)).toMatchObject({ subject: "api 7f3k/score", runId: "id" });
  expect(judgePermit({ ...permit, key: "eu" }, 71_001)?.subject).toBe("api/eu 7f3k/score");
  expect(judgePermit({ ...permit, timeoutMs: null }, 1e12)).toBeUndefined();
});
