import { expect, test } from "vitest";
import { classifyError } from "./classify.ts";

const NOW_MS = Date.UTC(2026, 6, 14, 9);
const NOW_SECONDS = NOW_MS / 1_000;

function resetOf(headers: Readonly<Record<string, string>>, nowMs?: number): number | undefined {
  return classifyError(Object.assign(new Error("no"), { status: 429, headers }), null, nowMs)
    .resetMs;
}

test.each([
  [{ "RateLimit-Remaining": "0", "RateLimit-Reset": "30" }, 30_000],
  [{ "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "45" }, 45_000],
  [{ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_SECONDS + 60) }, 60_000],
  [{ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_MS + 1_500) }, 1_500],
  [{ ratelimit: '"default";r=0;t=50' }, 50_000],
  [{ ratelimit: '"burst";r=0;t=5, "day";r=0;t=900, "week";r=7;t=9000' }, 900_000],
  [{ ratelimit: "limit=100, remaining=0, reset=20" }, 20_000],
])("an allowance that is used up says for how long: %j", (headers, ms) => {
  expect(resetOf(headers, NOW_MS)).toBe(ms);
});

test.each([
  [{}],
  [{ "ratelimit-remaining": "1", "ratelimit-reset": "30" }],
  [{ "ratelimit-remaining": "0" }],
  [{ "ratelimit-reset": "30" }],
  [{ "ratelimit-remaining": "0", "ratelimit-reset": "soon" }],
  [{ "ratelimit-remaining": "0", "ratelimit-reset": "-5" }],
  [{ "ratelimit-remaining": "0", "ratelimit-reset": "0" }],
  [{ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_SECONDS - 60) }],
  [{ ratelimit: '"default";r=10;t=50' }],
  [{ ratelimit: '"default";r=0' }],
  [{ ratelimit: '"default";t=50' }],
  [{ "ratelimit-policy": '"default";q=100;w=60' }],
])("what says no more than this is no reset: %j", (headers) => {
  expect(resetOf(headers, NOW_MS)).toBeUndefined();
});

test("a reset that is a moment is read by the clock of the other side, where it says what time it is", () => {
  const headers = {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": String(NOW_SECONDS + 60),
    date: new Date(NOW_MS + 50_000).toUTCString(),
  };
  expect(resetOf(headers, NOW_MS - 3_600_000)).toBe(10_000);
  expect(resetOf({ ...headers, date: "today" })).toBeUndefined();
});
