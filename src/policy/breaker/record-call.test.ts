import { expect, test } from "vitest";
import { classifyError } from "../classify/classify.ts";
import { newBreaker, presentBreaker, type BreakerTerms } from "./breaker.ts";
import { newCounts } from "./breaker-counts.ts";
import { breakerOutcome, type CallOutcome } from "./breaker-outcome.ts";
import { tripBreaker, resetBreaker } from "./override-breaker.ts";
import { AUTH_PAUSE_MS, recordCall } from "./record-call.ts";
import type { BreakerRecord, EndedCall, RecordedCall } from "./record-call.ts";

const random = { float: () => 0, bytes: (count: number) => new Uint8Array(count) };

function termsOf(parts: Partial<BreakerTerms> = {}): BreakerTerms {
  return { threshold: 3, recoveryMs: 30_000, ratio: null, probes: 1, successes: 1, ...parts };
}

function fresh(): BreakerRecord {
  return { state: newBreaker(0), counts: newCounts() };
}

/** Ends calls one after the other, each let go by the state as it is. */
function endAll(
  terms: BreakerTerms,
  outcomes: readonly CallOutcome[],
  {
    from = fresh(),
    atMs = () => 0,
  }: { from?: BreakerRecord; atMs?: (index: number) => number } = {},
): RecordedCall {
  let last: RecordedCall = { ...from, moved: false, pauseKeyMs: null };
  for (const [index, outcome] of outcomes.entries()) {
    last = recordCall(terms, last, callOf(outcome, last.state.generation, atMs(index)));
  }
  return last;
}

function callOf(outcome: CallOutcome, generation: number, nowMs = 0): EndedCall {
  return { outcome, generation, probe: false, nowMs, random };
}

test("as many failures in a row as the threshold open it, one less does not", () => {
  expect(endAll(termsOf(), ["failure", "failure"])).toMatchObject({
    state: { state: "closed" },
    counts: { failuresInARow: 2 },
    moved: false,
  });
  expect(endAll(termsOf(), ["failure", "failure", "failure"])).toMatchObject({
    state: { state: "open", openUntilMs: 30_000, openings: 1 },
    moved: true,
  });
});

test("R117: a success while closed starts the row of failures over", () => {
  const ended = endAll(termsOf(), ["failure", "failure", "success", "failure", "failure"]);
  expect(ended).toMatchObject({ state: { state: "closed" }, counts: { failuresInARow: 2 } });
});

test("R123: a class that is excluded leaves the row of failures as it was", () => {
  const excluded = breakerOutcome({ class: "timeout" }, ["timeout"]);
  const ended = endAll(termsOf(), ["failure", "failure", excluded, excluded]);
  expect(ended).toMatchObject({ state: { state: "closed" }, counts: { failuresInARow: 2 } });
  expect(endAll(termsOf(), ["failure"], { from: ended }).state.state).toBe("open");
});

test("R131: each status has its effect on the row of failures", () => {
  const rows = [500, 503, 408, 401, 403, 429, 504, 404, 502, 410, 520, 451, 500, "ECONNRESET"].map(
    (evidence) => {
      const error = typeof evidence === "number" ? { status: evidence } : { code: evidence };
      const { class: errorClass, code = "" } = classifyError(error);
      return breakerOutcome({ class: errorClass, code });
    },
  );
  const row = rows.map(
    (_, index) =>
      endAll(termsOf({ threshold: 100 }), rows.slice(0, index + 1)).counts.failuresInARow,
  );

  expect(row).toEqual([1, 2, 3, 3, 3, 3, 4, 0, 1, 0, 1, 0, 1, 2]);
});

test("R133: three failures of three calls in the window open it for its recovery time", () => {
  const terms = termsOf({ threshold: 100, ratio: { of: 1, windowMs: 10_000, minCalls: 3 } });
  const atMs = (index: number): number => index * 4_000;

  expect(endAll(terms, ["failure", "failure", "failure"], { atMs })).toMatchObject({
    state: { state: "open", openUntilMs: 38_000 },
  });
});

test("R133: without a ratio only failures in a row open it", () => {
  const outcomes = Array.from({ length: 300 }, (_, index): CallOutcome =>
    index % 3 === 2 ? "success" : "failure",
  );
  const ratio = { of: 0.5, windowMs: 10_000, minCalls: 10 };

  expect(endAll(termsOf(), outcomes)).toMatchObject({
    state: { state: "closed" },
    counts: { buckets: [] },
  });
  expect(endAll(termsOf({ ratio }), outcomes).state.state).toBe("open");
});

test("R133: too few calls in the window say nothing", () => {
  const ratio = { of: 0.5, windowMs: 10_000, minCalls: 4 };
  const terms = termsOf({ threshold: 100, ratio });

  expect(endAll(terms, ["failure", "failure", "success"]).state.state).toBe("closed");
  expect(endAll(terms, ["failure", "failure", "success", "success"]).state.state).toBe("open");
});

test("what was ignored or cancelled is no call of the window", () => {
  const ratio = { of: 0.5, windowMs: 10_000, minCalls: 3 };
  const outcomes: CallOutcome[] = ["failure", "failure", "ignored", "cancelled", "auth"];

  expect(endAll(termsOf({ threshold: 100, ratio }), outcomes)).toMatchObject({
    state: { state: "closed" },
    counts: { buckets: [{ startMs: 0, calls: 2, failures: 2 }] },
  });
});

test("the window moves by tenths, and holds ten of them", () => {
  const ratio = { of: 1, windowMs: 10_000, minCalls: 1_000 };
  const outcomes = Array.from({ length: 50 }, (): CallOutcome => "failure");
  const { counts } = endAll(termsOf({ threshold: 100, ratio }), outcomes, {
    atMs: (index) => index * 500 + 250,
  });

  expect(counts.buckets.map(({ startMs }) => startMs)).toEqual(
    Array.from({ length: 10 }, (_, index) => 15_000 + index * 1_000),
  );
  expect(counts.buckets.every(({ calls }) => calls === 2)).toBe(true);
});

test("a window of no whole tenths still has whole ones", () => {
  const ratio = { of: 1, windowMs: 15, minCalls: 1_000 };
  const outcomes = Array.from({ length: 100 }, (): CallOutcome => "failure");
  const { counts } = endAll(termsOf({ threshold: 1_000, ratio }), outcomes, {
    atMs: (index) => index,
  });

  expect(counts.buckets.map(({ startMs }) => startMs)).toEqual([
    80, 82, 84, 86, 88, 90, 92, 94, 96, 98,
  ]);
});

test("a clock that steps back puts calls into the newest tenth", () => {
  const ratio = { of: 1, windowMs: 10_000, minCalls: 1_000 };
  const { counts } = endAll(termsOf({ threshold: 100, ratio }), ["failure", "failure"], {
    atMs: (index) => 5_000 - index * 4_000,
  });

  expect(counts.buckets).toEqual([{ startMs: 5_000, calls: 2, failures: 2 }]);
});

test("a share that is reached exactly opens it, whatever its binary fraction", () => {
  const ratio = { of: 0.07, windowMs: 10_000, minCalls: 100 };
  const outcomes = Array.from({ length: 100 }, (_, index): CallOutcome =>
    index < 7 ? "failure" : "success",
  );

  expect(endAll(termsOf({ threshold: 100, ratio }), outcomes).state.state).toBe("open");
  const oneLess = ["success" as const, ...outcomes.slice(1)];
  expect(endAll(termsOf({ threshold: 100, ratio }), oneLess).state.state).toBe("closed");
});

test("results of permits from before the last move count in the totals alone", () => {
  const terms = termsOf({ threshold: 1 });
  const before = fresh();
  const state = resetBreaker(before.state, 0);
  const stale = callOf("failure", before.state.generation, 7);

  const ended = recordCall(terms, { ...before, state }, stale);
  expect(ended.state).toBe(state);
  expect(ended).toMatchObject({
    moved: false,
    counts: { failuresInARow: 0, calls: 1, failures: 1, lastFailureAtMs: 7 },
  });
});

test("a move that another process made zeroes the row and the window here", () => {
  const ratio = { of: 1, windowMs: 10_000, minCalls: 1_000 };
  const terms = termsOf({ threshold: 3, ratio });
  const from = endAll(terms, ["failure", "failure", "auth", "auth"]);
  const state = resetBreaker(from.state, 0);

  expect(endAll(terms, ["failure"], { from: { ...from, state } })).toMatchObject({
    state: { state: "closed" },
    counts: { failuresInARow: 1, authInARow: 0, buckets: [{ calls: 1 }], failures: 3 },
  });
});

test("credentials refused `threshold` times in a row pause the key for 15 minutes, and open nothing", () => {
  const twice = endAll(termsOf(), ["auth", "failure", "auth", "ignored"]);
  expect(twice).toMatchObject({ pauseKeyMs: null, counts: { authInARow: 2, failuresInARow: 1 } });

  const third = endAll(termsOf(), ["auth"], { from: twice });
  expect(third).toMatchObject({ pauseKeyMs: AUTH_PAUSE_MS, state: { state: "closed" } });
  expect(AUTH_PAUSE_MS).toBe(15 * 60_000);
  expect(endAll(termsOf(), ["auth"], { from: third }).pauseKeyMs).toBeNull();
});

test("a success between refused credentials starts their row over", () => {
  const ended = endAll(termsOf(), ["auth", "auth", "success", "auth", "auth"]);
  expect(ended).toMatchObject({ pauseKeyMs: null, counts: { authInARow: 2 } });
});

test("totals count every call once, and outlast moves", () => {
  const outcomes: CallOutcome[] = ["success", "failure", "ignored", "cancelled", "auth", "success"];
  expect(endAll(termsOf({ threshold: 1 }), outcomes).counts).toMatchObject({
    calls: 6,
    successes: 2,
    failures: 1,
  });
});

test("an opening by hand is not judged by calls from before it", () => {
  const before = fresh();
  const order = { reason: "outage", actor: "ada", untilMs: 60_000 };
  const state = tripBreaker(before.state, order, 0);
  const call = callOf("success", before.state.generation);

  expect(recordCall(termsOf(), { ...before, state }, call).state).toBe(state);
});

test("where nothing but a probe can have gone, nothing but a probe is judged", () => {
  const order = { reason: "outage", actor: "ada", untilMs: 60_000 };
  const open = tripBreaker(newBreaker(0), order, 0);
  const halfOpen = presentBreaker(termsOf(), open, 60_000);
  expect(halfOpen.state).toBe("half_open");

  for (const [state, probe] of [
    [open, false],
    [open, true],
    [halfOpen, false],
  ] as const) {
    for (const outcome of ["success", "failure"] as const) {
      const call = { ...callOf(outcome, state.generation, 60_000), probe };
      expect(recordCall(termsOf(), { state, counts: newCounts() }, call).state).toBe(state);
    }
  }
});

test("terms with a 0 are a fault of ours, never 'unset'", () => {
  for (const parts of [{ threshold: 0 }, { recoveryMs: 0 }, { successes: 0 }]) {
    expect(() => endAll(termsOf(parts), ["success"])).toThrow("A breaker cannot have");
  }
});
