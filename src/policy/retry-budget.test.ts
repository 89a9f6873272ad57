import fc from "fast-check";
import { expect, test } from "vitest";
import { RetryBudget, type RetryBudgetTerms } from "./retry-budget.ts";

const TERMS: RetryBudgetTerms = { share: 0.2, minPerSecond: 1 };

function noteTries(budget: RetryBudget, count: number, nowMs: number): void {
  for (let left = count; left > 0; left -= 1) budget.noteTry(nowMs);
}

/** Retries admitted before the first refusal, and when the refusal says to ask again. */
function admitAll(budget: RetryBudget, nowMs: number): readonly [number, number] {
  for (let count = 0; count < 1_000; count += 1) {
    const answer = budget.admitRetry(nowMs);
    if (!answer.admitted) return [count, answer.retryAtMs];
  }
  throw new Error("Admitted without an end.");
}

test("without first tries ten retries in ten seconds are admitted, and the next in the eleventh", () => {
  const budget = new RetryBudget(TERMS);
  expect(admitAll(budget, 3_999)).toEqual([10, 13_000]);
  expect(admitAll(budget, 12_999)).toEqual([0, 13_000]);
  expect(admitAll(budget, 13_000)).toEqual([10, 23_000]);
});

test("a fifth of the first tries of the last ten seconds may be repeated besides", () => {
  const budget = new RetryBudget(TERMS);
  noteTries(budget, 100, 0);
  expect(admitAll(budget, 5_000)[0]).toBe(30);
  noteTries(budget, 50, 9_000);
  expect(admitAll(budget, 9_000)[0]).toBe(10);
});

test("retries make no room for retries", () => {
  const budget = new RetryBudget({ share: 0.2, minPerSecond: 0 });
  noteTries(budget, 10, 0);
  expect(admitAll(budget, 0)[0]).toBe(2);
  expect(admitAll(budget, 9_999)[0]).toBe(0);
});

test("a refusal names the second in which enough of the older retries are past", () => {
  const budget = new RetryBudget(TERMS);
  for (const nowMs of [0, 1_000, 2_500]) {
    for (let count = 0; count < 3; count += 1) budget.admitRetry(nowMs);
  }
  expect(admitAll(budget, 4_200)).toEqual([1, 10_000]);
  expect(admitAll(budget, 10_000)).toEqual([3, 11_000]);
});

test("a budget that only new first tries can fill is asked again every second", () => {
  const budget = new RetryBudget({ share: 0.2, minPerSecond: 0 });
  expect(admitAll(budget, 7_300)).toEqual([0, 8_000]);
  noteTries(budget, 1, 7_400);
  expect(admitAll(budget, 7_500)[0]).toBe(1);
});

test("an hour of rest leaves nothing over, and a clock that goes back frees nothing", () => {
  const budget = new RetryBudget(TERMS);
  noteTries(budget, 100, 0);
  expect(admitAll(budget, 3_600_000)[0]).toBe(10);
  expect(admitAll(budget, 0)).toEqual([0, 3_610_000]);
});

test.each([
  [{ ...TERMS, share: Number.NaN }, "NaN"],
  [{ ...TERMS, share: -1 }, "-1"],
  [{ ...TERMS, minPerSecond: Number.POSITIVE_INFINITY }, "Infinity"],
])("terms of %o are refused", (terms, shown) => {
  expect(() => new RetryBudget(terms)).toThrow(`got "${shown}"`);
});

test("a time that is no number, or before 0, breaks an invariant", () => {
  expect(() => new RetryBudget(TERMS).noteTry(Number.NaN)).toThrow(`got "NaN"`);
  expect(() => new RetryBudget(TERMS).admitRetry(-1)).toThrow(`got "-1"`);
});

/** The model: every first try and retry for ever, counted anew on every question. */
class NaiveBudget {
  readonly #terms: RetryBudgetTerms;
  readonly tries: number[] = [];
  readonly retries: number[] = [];

  constructor(terms: RetryBudgetTerms) {
    this.#terms = terms;
  }

  hasRoom(nowMs: number): boolean {
    const { share, minPerSecond } = this.#terms;
    const recent = (times: readonly number[]): number =>
      times.filter((atMs) => Math.floor(atMs / 1_000) > Math.floor(nowMs / 1_000) - 10).length;
    return recent(this.retries) < share * recent(this.tries) + 10 * minPerSecond;
  }

  /** First full second after `nowMs` with room; the next one if there is none within ten. */
  firstRoomMs(nowMs: number): number {
    const nextMs = (Math.floor(nowMs / 1_000) + 1) * 1_000;
    const seconds = Array.from({ length: 10 }, (_, index) => nextMs + index * 1_000);
    return seconds.find((atMs) => this.hasRoom(atMs)) ?? nextMs;
  }
}

const moves = fc.array(
  fc.record({
    waitMs: fc.nat({ max: 2_500 }),
    tries: fc.nat({ max: 8 }),
    retries: fc.nat({ max: 6 }),
  }),
  { maxLength: 40 },
);
const terms = fc.record({
  share: fc.constantFrom(0, 0.2, 0.5, 1),
  minPerSecond: fc.constantFrom(0, 0.1, 0.5, 1),
});

test("every answer is that of a naive list, and the moment it names is the first with room", () => {
  fc.assert(
    fc.property(terms, fc.nat({ max: 5_000 }), moves, (rule, startMs, steps) => {
      const budget = new RetryBudget(rule);
      const naive = new NaiveBudget(rule);
      let nowMs = startMs;
      for (const { waitMs, tries, retries } of steps) {
        nowMs += waitMs;
        noteTries(budget, tries, nowMs);
        naive.tries.push(...Array.from({ length: tries }, () => nowMs));
        for (let left = retries; left > 0; left -= 1) {
          const room = naive.hasRoom(nowMs);
          const refusal = { admitted: false, retryAtMs: naive.firstRoomMs(nowMs) };
          expect(budget.admitRetry(nowMs)).toEqual(room ? { admitted: true } : refusal);
          if (room) naive.retries.push(nowMs);
        }
      }
    }),
  );
});

test("in a lasting outage the extra load stays at the share and one per second", () => {
  const budget = new RetryBudget(TERMS);
  let retries = 0;
  for (let nowMs = 0; nowMs < 600_000; nowMs += 50) {
    noteTries(budget, 5, nowMs);
    for (let wanted = 5; wanted > 0; wanted -= 1) {
      if (budget.admitRetry(nowMs).admitted) retries += 1;
    }
  }
  const shareOfTries = 0.2 * 100 * 600;
  expect(retries).toBeGreaterThan(shareOfTries);
  expect(retries).toBeLessThanOrEqual(shareOfTries + 600 + 10);
});
