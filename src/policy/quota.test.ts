import { expect, test } from "vitest";
import {
  creditQuota,
  quotaAvailable,
  type QuotaReservation,
  type QuotaState,
  quotaTerms,
  type QuotaTerms,
  refundQuota,
  reserveQuota,
  takeQuota,
  tightenQuota,
} from "./quota.ts";

const NOW_US = 1_800_000_000_000_000;
const SECOND_US = 1_000_000;
const PER_SECOND = { perMs: 1_000 };

/** One key: asks as of a time after the start, in ms, and keeps what is granted. */
class Key {
  readonly #terms: readonly QuotaTerms[];
  states: readonly (QuotaState | undefined)[];

  constructor(...terms: readonly QuotaTerms[]) {
    this.#terms = terms;
    this.states = terms.map(() => undefined);
  }

  take(atMs: number, cost = 1): "granted" | { because: string; waitMs: number; index: number } {
    const answer = takeQuota(this.#request(atMs, cost));
    if (!answer.granted) {
      const { because, waitMs, index } = answer;
      return { because, waitMs, index };
    }
    this.states = answer.states;
    return "granted";
  }

  reserve(atMs: number, cost = 1): QuotaReservation {
    const answer = reserveQuota(this.#request(atMs, cost));
    if (answer.granted) this.states = answer.states;
    return answer;
  }

  available(atMs: number): readonly number[] {
    return this.#terms.map((terms, index) =>
      quotaAvailable(terms, this.states[index], NOW_US + atMs * 1_000),
    );
  }

  refund(taken: readonly QuotaState[], cost = 1): void {
    this.states = refundQuota({ terms: this.#terms, states: this.known(), taken, cost });
  }

  known(): readonly QuotaState[] {
    return this.states.filter((state) => state !== undefined);
  }

  #request(atMs: number, cost: number) {
    const nowUs = NOW_US + atMs * 1_000;
    return { terms: this.#terms, states: this.states, cost, nowUs };
  }
}

/** Takes until `endMs` as often as it is let, and gives the ms at which each unit went. */
function greedy(key: Key, endMs: number): readonly number[] {
  const times: number[] = [];
  let atMs = 0;
  while (atMs < endMs) {
    const answer = key.take(atMs);
    if (answer === "granted") times.push(atMs);
    else atMs += answer.waitMs;
    if (answer !== "granted" && answer.waitMs < 1) throw new Error("Refused without a wait.");
    if (times.length > 20_000) throw new Error("Granted without an end.");
  }
  return times;
}

function waitOf(answer: QuotaReservation): number | string {
  return answer.granted ? answer.waitMs : answer.because;
}

test("R137: 10 per second start full, so that 15 calls take half a second, and never hold more", () => {
  const key = new Key(quotaTerms({ rate: 10, ...PER_SECOND }));
  const waits = Array.from({ length: 15 }, () => waitOf(key.reserve(0)));
  expect(waits).toEqual([...Array<number>(10).fill(0), 100, 200, 300, 400, 500]);
  expect(key.available(500)).toEqual([0]);
  expect(key.available(750)).toEqual([2]);
  expect(key.available(3_600_000)).toEqual([10]);
  expect(key.take(3_600_000, 10)).toBe("granted");
  expect(key.take(3_600_000)).toEqual({ because: "wait", waitMs: 100, index: 0 });
});

test("R143: 5 and 2 more, refilled once a second, let seven go at once, then one per second", () => {
  const key = new Key(quotaTerms({ rate: 1, ...PER_SECOND, burst: 7 }));
  expect(greedy(key, 4_000)).toEqual([0, 0, 0, 0, 0, 0, 0, 1_000, 2_000, 3_000]);
});

test("R147: of two windows on one key both hold, and the one that binds is named", () => {
  const key = new Key(
    quotaTerms({ rate: 10, ...PER_SECOND }),
    quotaTerms({ rate: 5_000, perMs: 3_600_000 }),
  );
  const times = greedy(key, 3_600_000);
  const gaps = times.slice(20).map((atMs, index) => atMs - (times[index] ?? 0));
  expect(Math.min(...gaps)).toBe(1_100);
  expect(times.filter((atMs) => atMs < 1_000)).toHaveLength(19);
  expect(times).toHaveLength(5_000 + 3_600_000 / 720 - 1);
  expect(key.take(3_600_000 - 1)).toMatchObject({ because: "wait", index: 1 });
  expect(times.at(-1)).toBe(3_600_000 - 720);
});

test("R148: 1 per 3 s means one every 3 s", () => {
  const key = new Key(quotaTerms({ rate: 1, perMs: 3_000 }));
  expect(greedy(key, 9_000)).toEqual([0, 3_000, 6_000]);
  expect([1, 2, 3].map(() => waitOf(key.reserve(9_000)))).toEqual([0, 3_000, 6_000]);
});

test.each([
  [3, 1_000, 333_334],
  [7, 60_000, 8_571_429],
  [60, 60_000, 1_000_000],
  [2.5, 1_000, 400_000],
  [1, 86_400_000, 86_400_000_000],
  [1_000_000_000, 1_000, 1],
])("%d per %d ms is one per %d µs, rounded up", (rate, perMs, intervalUs) => {
  expect(quotaTerms({ rate, perMs })).toEqual({ intervalUs, burst: rate, maxWaitMs: null });
});

test("a rate under 1 lets one unit go at a time", () => {
  expect(quotaTerms({ rate: 0.5, ...PER_SECOND })).toMatchObject({
    intervalUs: 2_000_000,
    burst: 1,
  });
});

test("a cost above the burst is impossible at once, whatever else would bind (policy part of R139)", () => {
  const key = new Key(
    quotaTerms({ rate: 10, ...PER_SECOND, maxWaitMs: 0 }),
    quotaTerms({ rate: 5, ...PER_SECOND }),
  );
  expect(key.take(0, 5)).toBe("granted");
  const impossible = { granted: false, because: "impossible", waitMs: 0, index: 1 };
  expect(key.take(0, 6)).toEqual({ because: "impossible", waitMs: 0, index: 1 });
  expect(key.reserve(0, 6)).toEqual(impossible);
});

test.each([
  [{ rate: 0, perMs: 1 }, `rate must be above 0; got "0"`],
  [{ rate: Number.NaN, perMs: 1 }, `rate must be above 0; got "NaN"`],
  [{ rate: Number.POSITIVE_INFINITY, perMs: 1 }, `rate must be above 0; got "Infinity"`],
  [{ rate: 1, perMs: -1 }, `period must be above 0 ms; got "-1"`],
  [{ rate: 1, perMs: 1, burst: 0.5 }, `burst must be 1 or more; got "0.5"`],
  [{ rate: 1, perMs: 1, burst: Number.NaN }, `burst must be 1 or more; got "NaN"`],
  [{ rate: 1, perMs: 1, maxWaitMs: -1 }, `longest wait must be 0 ms or more; got "-1"`],
  [{ rate: 1, perMs: 31_622_400_000, burst: 100 }, `burst of "100" must fill within`],
])("terms of %o are refused", (options, message) => {
  expect(() => quotaTerms(options)).toThrow(message);
});

test.each([
  [{ cost: -1 }, `cost must be 0 or more; got "-1"`],
  [{ cost: Number.NaN }, `cost must be 0 or more; got "NaN"`],
  [{ cost: Number.POSITIVE_INFINITY }, `cost must be 0 or more; got "Infinity"`],
  [{ nowUs: 0.5 }, `time must be whole µs from 0; got "0.5"`],
  [{ nowUs: -1 }, `time must be whole µs from 0; got "-1"`],
  [{ states: [] }, "A take of 1 windows came with 0 states."],
])("a take with %o breaks an invariant", (fault, message) => {
  const terms = [quotaTerms({ rate: 1, ...PER_SECOND })];
  const request = { terms, states: [undefined], cost: 1, nowUs: NOW_US, ...fault };
  expect(() => takeQuota(request)).toThrow(message);
  expect(() => reserveQuota(request)).toThrow(message);
});

test("a refund with a state too few, and a reset that is no number, break an invariant", () => {
  const terms = quotaTerms({ rate: 1, ...PER_SECOND });
  const refund = { terms: [terms], states: [], taken: [], cost: 1 };
  expect(() => refundQuota(refund)).toThrow("A refund of 1 windows came with 0 states.");
  const hint = { resetAtUs: Number.NaN, nowUs: NOW_US };
  expect(() => tightenQuota(terms, undefined, hint)).toThrow("must be a number");
});

test("what one window refuses is debited in none", () => {
  const key = new Key(
    quotaTerms({ rate: 100, ...PER_SECOND }),
    quotaTerms({ rate: 2, ...PER_SECOND }),
  );
  key.take(0, 2);
  const before = key.states;
  expect(key.take(0)).toEqual({ because: "wait", waitMs: 500, index: 1 });
  expect(key.states).toBe(before);
  expect(key.available(0)).toEqual([98, 0]);
});

test("a key without a window grants everything", () => {
  expect(new Key().take(0, 1_000)).toBe("granted");
  expect(waitOf(new Key().reserve(0, 1_000))).toBe(0);
});

test("a cost of 0 is free: granted from an empty and from a refused window, and changes nothing", () => {
  const key = new Key(quotaTerms({ rate: 1, ...PER_SECOND, maxWaitMs: 0 }));
  expect(key.take(9, 0)).toBe("granted");
  expect(key.available(0)).toEqual([1]);
  key.take(0);
  expect(key.available(1_000)).toEqual([1]);
  const before = key.states;
  expect(key.take(10, 0)).toBe("granted");
  expect(waitOf(key.reserve(10, 0))).toBe(0);
  expect(key.states).toEqual(before);
});

test("a fraction is debited to the µs, and a whole burst is always possible", () => {
  const key = new Key({ intervalUs: 333_333, burst: 2.5, maxWaitMs: null });
  expect(key.available(0)).toEqual([2]);
  expect(key.take(0, 2.5)).toBe("granted");
  expect(key.take(0, 0.5)).toEqual({ because: "wait", waitMs: 167, index: 0 });
  expect(key.take(3_600_000, 2.5)).toBe("granted");
});

test("half a unit of burst is not worth a µs more than half a unit", () => {
  const terms = [{ intervalUs: 3, burst: 2.5, maxWaitMs: null }];
  const answer = takeQuota({ terms, states: [undefined], cost: 2, nowUs: 10 });
  const states = answer.granted ? answer.states : [];
  expect(takeQuota({ terms, states, cost: 1, nowUs: 11 }).granted).toBe(false);
  expect(takeQuota({ terms, states, cost: 1, nowUs: 12 }).granted).toBe(true);
});

test("a wait above the longest of its window is refused, told in full, and touches nothing", () => {
  const key = new Key(quotaTerms({ rate: 1, perMs: 60_000, maxWaitMs: 100 }));
  key.take(0);
  const before = key.states;
  expect(key.take(0)).toEqual({ because: "max-wait", waitMs: 60_000, index: 0 });
  expect(waitOf(key.reserve(0))).toBe("max-wait");
  expect(key.states).toBe(before);
  expect(key.take(59_899)).toMatchObject({ because: "max-wait", waitMs: 101 });
  expect(key.take(59_900)).toMatchObject({ because: "wait", waitMs: 100 });
  expect(waitOf(key.reserve(59_900))).toBe(100);
});

test("the longest wait of one window does not bind another; of two too long ones the longer is named", () => {
  const slow = quotaTerms({ rate: 1, perMs: 60_000 });
  const quick = quotaTerms({ rate: 1, ...PER_SECOND, maxWaitMs: 5_000 });
  const key = new Key(quick, slow);
  key.take(0);
  expect(key.take(0)).toEqual({ because: "wait", waitMs: 60_000, index: 1 });
  const hasty = new Key({ ...quick, maxWaitMs: 500 }, slow);
  hasty.take(0);
  expect(hasty.take(0)).toEqual({ because: "max-wait", waitMs: 1_000, index: 0 });
  const strict = new Key({ ...quick, maxWaitMs: 0 }, { ...slow, maxWaitMs: 0 });
  strict.take(0);
  expect(strict.take(0)).toEqual({ because: "max-wait", waitMs: 60_000, index: 1 });
});

test("without a longest wait nobody waits for more than 366 days", () => {
  const yearMs = 366 * 86_400_000;
  const key = new Key(quotaTerms({ rate: 1, perMs: yearMs, burst: 2 }));
  key.take(0, 2);
  expect(waitOf(key.reserve(0))).toBe(yearMs);
  expect(key.reserve(0)).toMatchObject({ because: "max-wait", waitMs: 2 * yearMs });
});

test("who reserves first goes first: a later reservation and a later take come after it", () => {
  const key = new Key(quotaTerms({ rate: 1, ...PER_SECOND, burst: 3 }));
  key.take(0, 3);
  expect([3, 1, 2].map((cost) => waitOf(key.reserve(0, cost)))).toEqual([3_000, 4_000, 6_000]);
  expect(key.take(500)).toEqual({ because: "wait", waitMs: 6_500, index: 0 });
});

test("a reservation is debited in every window for the moment at which it goes", () => {
  const slow = quotaTerms({ rate: 1, perMs: 10_000, burst: 2 });
  const quick = quotaTerms({ rate: 2, ...PER_SECOND });
  const key = new Key(slow, quick);
  key.take(0, 2);
  expect(waitOf(key.reserve(0))).toBe(10_000);
  // Debited now, the quick window would have refilled by then and let three go within a moment.
  expect(key.available(10_000)).toEqual([0, 1]);
});

test("a reservation is slept in whole ms, and the next one keeps its distance from that", () => {
  const key = new Key(quotaTerms({ rate: 3, ...PER_SECOND, burst: 1 }));
  expect([1, 2, 3, 4].map(() => waitOf(key.reserve(0)))).toEqual([0, 334, 668, 1_002]);
});

test("a refund gives a take back once, and never more than the burst", () => {
  const key = new Key(
    quotaTerms({ rate: 2, ...PER_SECOND }),
    quotaTerms({ rate: 4, perMs: 4_000 }),
  );
  key.take(0);
  const taken = key.known();
  key.refund(taken);
  expect(key.available(0)).toEqual([2, 4]);
  key.refund(taken);
  expect(key.available(0)).toEqual([2, 4]);
  expect(key.available(60_000)).toEqual([2, 4]);
});

test("a refund changes nothing once somebody took after it, in whichever window", () => {
  const terms = [quotaTerms({ rate: 5, ...PER_SECOND }), quotaTerms({ rate: 5, ...PER_SECOND })];
  const taken = [1, 2].map((count) => ({ tatUs: NOW_US + count * 200_000, lastNowUs: NOW_US }));
  for (const index of [0, 1]) {
    const states = taken.map((state, place) =>
      place === index ? { ...state, tatUs: state.tatUs + 200_000 } : state,
    );
    expect(refundQuota({ terms, states, taken, cost: 1 })).toBe(states);
  }
  const given = refundQuota({ terms, states: taken, taken, cost: 1 });
  expect(given.map(({ tatUs }) => tatUs - NOW_US)).toEqual([0, 200_000]);
});

test("a refund is refused where a later take left the window as full", () => {
  const terms = [quotaTerms({ rate: 5, ...PER_SECOND })];
  const taken = [{ tatUs: NOW_US + 200_000, lastNowUs: NOW_US }];
  const states = [{ tatUs: NOW_US + 200_000, lastNowUs: NOW_US + 1 }];
  expect(refundQuota({ terms, states, taken, cost: 1 })).toBe(states);
  expect(refundQuota({ terms, states, taken: [], cost: 1 })).toBe(states);
});

test("a clock that goes back gives no unit twice", () => {
  const key = new Key(quotaTerms({ rate: 1, ...PER_SECOND, burst: 2 }));
  expect(key.take(3_000, 2)).toBe("granted");
  expect(key.available(0)).toEqual([0]);
  expect(key.take(0)).toEqual({ because: "wait", waitMs: 1_000, index: 0 });
  expect(key.take(3_999)).toEqual({ because: "wait", waitMs: 1, index: 0 });
  expect(key.take(4_000)).toBe("granted");
});

test("a server that has nothing left lets nothing go before its reset, and then one per interval", () => {
  const terms = quotaTerms({ rate: 10, ...PER_SECOND });
  const key = new Key(terms);
  const hint = { resetAtUs: NOW_US + 30 * SECOND_US, nowUs: NOW_US };
  key.states = [tightenQuota(terms, undefined, hint)];
  expect(key.available(0)).toEqual([0]);
  expect(key.take(0)).toEqual({ because: "wait", waitMs: 30_000, index: 0 });
  expect(greedy(key, 30_300)).toEqual([30_000, 30_100, 30_200]);
});

test("a server's hint never loosens: not by an earlier reset, nor by one that has passed", () => {
  const terms = quotaTerms({ rate: 1, ...PER_SECOND });
  const busy = { tatUs: NOW_US + 60 * SECOND_US, lastNowUs: NOW_US };
  const hintAt = (resetAtUs: number) => ({ resetAtUs, nowUs: NOW_US });
  expect(tightenQuota(terms, busy, hintAt(NOW_US + 30 * SECOND_US))).toEqual(busy);
  expect(tightenQuota(terms, busy, hintAt(NOW_US))).toBe(busy);
  expect(tightenQuota(terms, busy, hintAt(Number.NEGATIVE_INFINITY))).toBe(busy);
  expect(quotaAvailable(terms, tightenQuota(terms, undefined, hintAt(0)), NOW_US)).toBe(1);
});

test("a server's reset counts for 24 h at most", () => {
  const terms = quotaTerms({ rate: 1, ...PER_SECOND });
  const hint = { resetAtUs: Number.POSITIVE_INFINITY, nowUs: NOW_US };
  const state = tightenQuota(terms, undefined, hint);
  expect(state.tatUs).toBe(NOW_US + 86_400 * SECOND_US);
});

test("the slowest quota there is keeps whole µs beyond the year 2150", () => {
  const nowUs = Date.UTC(2150, 0) * 1_000;
  const terms = [quotaTerms({ rate: 1, perMs: 31_622_400_000, burst: 35 })];
  const answer = takeQuota({ terms, states: [undefined], cost: 35, nowUs });
  const states = answer.granted ? answer.states : [];
  expect(states.every(({ tatUs }) => Number.isSafeInteger(tatUs))).toBe(true);
  expect(takeQuota({ terms, states, cost: 1, nowUs })).toMatchObject({ waitMs: 31_622_400_000 });
});

test("units given back without their take are there again, and never more than the burst", () => {
  const terms = [quotaTerms({ rate: 10, ...PER_SECOND }), quotaTerms({ rate: 20, ...PER_SECOND })];
  const available = (states: readonly (QuotaState | undefined)[], nowUs: number) =>
    terms.map((window, index) => quotaAvailable(window, states[index], nowUs));
  const taken = takeQuota({ terms, states: [undefined, undefined], cost: 8, nowUs: NOW_US });
  if (!taken.granted) throw new Error("It was refused.");
  const { states } = taken;
  const back = creditQuota({ terms, states, cost: 3, nowUs: NOW_US });
  expect(available(back, NOW_US)).toEqual([5, 15]);
  const laterUs = NOW_US + SECOND_US / 2;
  const all = creditQuota({ terms, states, cost: 8, nowUs: laterUs });
  expect(available(all, laterUs)).toEqual([10, 20]);
  const unused = creditQuota({ terms, states: [undefined, undefined], cost: 8, nowUs: NOW_US });
  expect(available(unused, NOW_US)).toEqual([10, 20]);
});
