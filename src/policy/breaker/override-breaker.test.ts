import { expect, test } from "vitest";
import { askBreaker, newBreaker, type BreakerState, type BreakerTerms } from "./breaker.ts";
import { newCounts, type BreakerCounts } from "./breaker-counts.ts";
import { forceClosed, resetBreaker, tripBreaker } from "./override-breaker.ts";
import { recordCall } from "./record-call.ts";

const TERMS: BreakerTerms = {
  threshold: 2,
  recoveryMs: 30_000,
  ratio: null,
  probes: 1,
  successes: 1,
};
const random = { float: () => 0, bytes: (count: number) => new Uint8Array(count) };
const order = { reason: "maintenance", actor: "ada", untilMs: 100_000 };

function ask(state: BreakerState, nowMs: number): ReturnType<typeof askBreaker> {
  return askBreaker(TERMS, state, { nowMs, probesHeld: 0 });
}

function fail(
  record: { state: BreakerState; counts: BreakerCounts },
  nowMs: number,
): ReturnType<typeof recordCall> {
  const { generation } = record.state;
  const call = { outcome: "failure", generation, probe: false, nowMs, random } as const;
  return recordCall(TERMS, record, call);
}

function opened(): BreakerState {
  return fail(fail({ state: newBreaker(0), counts: newCounts() }, 0), 0).state;
}

test("a breaker opened by hand lets nothing go until it lapses, and is then probed", () => {
  const state = tripBreaker(newBreaker(0), order, 10);

  expect(state).toMatchObject({
    state: "open",
    openings: 0,
    sinceMs: 10,
    override: { kind: "force-open", ...order },
  });
  expect(ask(state, 99_999)).toEqual({ pass: false, because: "forced", untilMs: 100_000, state });
  expect(ask(state, 100_000)).toMatchObject({
    pass: true,
    probe: true,
    state: { state: "half_open", override: null },
  });
});

test("an opening from failures goes on below one by hand, and is not cut by it", () => {
  const state = tripBreaker(opened(), { ...order, untilMs: 5_000 }, 10);

  expect(ask(state, 4_999)).toMatchObject({ because: "forced", untilMs: 30_000 });
  expect(ask(state, 5_000)).toMatchObject({ because: "open", untilMs: 30_000 });
  expect(ask(state, 30_000)).toMatchObject({ pass: true, probe: true });
});

test("a second order by hand takes the place of the first, shorter or longer", () => {
  const first = tripBreaker(newBreaker(0), order, 10);
  const second = tripBreaker(first, { ...order, untilMs: 20_000 }, 20);

  expect(ask(second, 19_999)).toMatchObject({ because: "forced", untilMs: 20_000 });
  expect(ask(second, 20_000)).toMatchObject({ pass: true, probe: true });
});

test("a breaker closed by hand lets all go, and opens for no failure before it lapses", () => {
  let record = { state: forceClosed(opened(), order, 10), counts: newCounts() };
  expect(record.state).toMatchObject({ state: "closed", override: { kind: "force-closed" } });
  for (let nowMs = 11; nowMs < 20; nowMs++) {
    expect(ask(record.state, nowMs)).toEqual({ pass: true, probe: false, state: record.state });
    record = fail(record, nowMs);
    expect(record.state.state).toBe("closed");
  }

  // The failures were seen all the same: the first one after that opens it.
  expect(fail(record, 100_000).state).toMatchObject({ state: "open", override: null });
});

test("a breaker that is reset is as new, under a new generation", () => {
  const tripped = tripBreaker(opened(), order, 10);
  const state = resetBreaker(tripped, 20);

  expect(state).toEqual({
    ...newBreaker(20),
    generation: tripped.generation + 1,
    sinceGeneration: tripped.generation + 1,
  });
  expect(ask(state, 20)).toEqual({ pass: true, probe: false, state });
});
