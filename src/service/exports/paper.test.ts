import { expect, test } from "vitest";
import type { ItemRecord, RetryRecord } from "../../model/checkpoint.ts";
import { STAGE_STATES, type Failure } from "../../model/outcome.ts";
import { listTrailAttempts, listTrailWaits } from "./attempt-trail.ts";
import { toPaper, toPaperStatus } from "./paper.ts";

const T0 = Date.UTC(2026, 6, 14, 9);

function makeItem(changes: Partial<ItemRecord> = {}): ItemRecord {
  return {
    stage: "review",
    key: "a.pdf",
    index: 0,
    state: "succeeded",
    via: "run",
    attempts: 1,
    output: null,
    inputVersion: null,
    reason: null,
    failure: null,
    metrics: {},
    waitedMs: {},
    dueAtMs: null,
    blocker: null,
    startedAtMs: T0 + 5_000,
    endedAtMs: T0 + 6_000,
    durationMs: 1_000,
    ...changes,
  };
}

function makeRetry(changes: Partial<RetryRecord> = {}): RetryRecord {
  return {
    stage: "review",
    item: "a.pdf",
    attempt: 1,
    class: "server",
    message: "HTTP 502",
    delayMs: 1_500,
    startedAtMs: T0,
    endedAtMs: T0 + 1_000,
    ...changes,
  };
}

function makeFailure(message: string): Failure {
  return { class: "permanent", message, attempts: 2, fingerprint: "f" };
}

test("R257: a paper has state, times, retries, last error and every error", () => {
  const item = makeItem({ state: "failed", attempts: 2, failure: makeFailure("x".repeat(900)) });

  const paper = toPaper([{ item, retries: [makeRetry()] }]);

  expect(paper).toMatchObject({
    stage: "review",
    status: "failed",
    retries: 1,
    started_at: "2026-07-14T09:00:00.000Z",
    completed_at: "2026-07-14T09:00:06.000Z",
    errors: [
      { attempt: 1, class: "server", error: "HTTP 502", next_delay: 1.5 },
      { attempt: 2, class: "permanent", failed_at: "2026-07-14T09:00:06.000Z", next_delay: null },
    ],
  });
  expect(paper.last_error?.length).toBe(500);
  expect(paper.errors[1]?.error.length).toBe(200);
});

test("an item of several stages is one paper, which is at the last of them", () => {
  const review = { item: makeItem(), retries: [makeRetry()] };
  const judge = {
    item: makeItem({ stage: "judge", state: "waiting", endedAtMs: null, startedAtMs: T0 + 9_000 }),
    retries: [],
  };

  const paper = toPaper([review, judge]);

  expect(paper).toMatchObject({
    stage: "judge",
    status: "retrying",
    completed_at: null,
    last_error: "HTTP 502",
    stages: { review: { status: "completed", duration: 1 }, judge: { status: "retrying" } },
  });
});

test("every state has a word in the older form", () => {
  const words = STAGE_STATES.map(toPaperStatus);

  expect(new Set(words)).toEqual(
    new Set(["pending", "in_progress", "retrying", "completed", "failed", "skipped"]),
  );
});

test("an attempt that a wait followed has failed, although the item was cancelled while it waited", () => {
  const item = makeItem({ state: "cancelled", attempts: 1, waitedMs: { retry: 1_500 } });

  expect(listTrailAttempts(item, [makeRetry()])).toMatchObject([{ n: 1, state: "failed" }]);
});

test("waits before retries are told with their times, other waits by their sums, none twice", () => {
  const item = makeItem({ attempts: 2, waitedMs: { retry: 1_500, quota: 7_000.4, limit: 0 } });

  expect(listTrailWaits(item, [makeRetry()])).toEqual([
    {
      cause: "retry",
      attempt: 1,
      startedAt: "2026-07-14T09:00:01.000Z",
      endedAt: "2026-07-14T09:00:02.500Z",
      durationMs: 1_500,
    },
    { cause: "quota", durationMs: 7_000 },
  ]);
});
