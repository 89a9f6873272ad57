// GCRA against a naive model: a list of what was granted and when, searched in full on every question. The
// model allows a take iff every window that ends now stays within burst + length / interval.

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  quotaAvailable,
  type QuotaState,
  type QuotaTerms,
  refundQuota,
  reserveQuota,
  takeQuota,
  tightenQuota,
} from "./quota.ts";

const START_US = 1_800_000_000_000_000;

interface Grant {
  readonly atUs: number;
  readonly cost: number;
}

/** Units times interval, so that the model counts in whole numbers. */
function isWithin(terms: QuotaTerms, grants: readonly Grant[]): boolean {
  return grants.every((from, first) => {
    let units = 0;
    return grants.slice(first).every(({ atUs, cost }) => {
      units += cost;
      return units * terms.intervalUs <= terms.burst * terms.intervalUs + (atUs - from.atUs);
    });
  });
}

function mayGo(terms: readonly QuotaTerms[], grants: readonly Grant[], next: Grant): boolean {
  return terms.every((window) => isWithin(window, [...grants, next]));
}

const windowOf = (intervalUsMin: number) =>
  fc.record({
    intervalUs: fc.integer({ min: intervalUsMin, max: 20_000 }),
    burst: fc.integer({ min: 2, max: 12 }).map((halves) => halves / 2),
    maxWaitMs: fc.constant(null),
  });
const windows = fc.array(windowOf(1), { minLength: 1, maxLength: 3 });
const step = fc.record({ waitUs: fc.integer({ min: 0, max: 30_000 }), cost: fc.nat({ max: 4 }) });
const steps = fc.array(step, { minLength: 1, maxLength: 40 });
const backAndForth = fc.array(
  fc.record({ waitUs: fc.integer({ min: -20_000, max: 30_000 }), cost: fc.nat({ max: 4 }) }),
  { minLength: 1, maxLength: 40 },
);

const unused = (terms: readonly QuotaTerms[]): readonly (QuotaState | undefined)[] =>
  terms.map(() => undefined);

test("a take is granted iff the naive model allows it, in all windows at once, also when the clock goes back", () => {
  fc.assert(
    fc.property(windows, backAndForth, (terms, moves) => {
      let states = unused(terms);
      const grants: Grant[] = [];
      let nowUs = START_US;
      for (const { waitUs, cost } of moves) {
        nowUs += waitUs;
        // Time does not go back behind what was granted.
        const atUs = Math.max(nowUs, grants.at(-1)?.atUs ?? nowUs);
        const answer = takeQuota({ terms, states, cost, nowUs });
        expect(answer.granted).toBe(cost === 0 || mayGo(terms, grants, { atUs, cost }));
        if (answer.granted) states = answer.states;
        if (answer.granted && cost > 0) grants.push({ atUs, cost });
      }
    }),
  );
});

test("a refused take would be granted after the wait it was told, and not 1 ms before", () => {
  fc.assert(
    fc.property(windows, steps, (terms, moves) => {
      let states = unused(terms);
      let nowUs = START_US;
      for (const { waitUs, cost } of moves) {
        nowUs += waitUs;
        const answer = takeQuota({ terms, states, cost, nowUs });
        if (answer.granted) {
          states = answer.states;
        } else if (answer.because === "impossible") {
          expect(terms[answer.index]?.burst).toBeLessThan(cost);
        } else {
          const { waitMs } = answer;
          const after = (ms: number): boolean =>
            takeQuota({ terms, states, cost, nowUs: nowUs + ms * 1_000 }).granted;
          expect([waitMs, after(waitMs), after(waitMs - 1)]).toEqual([waitMs, true, false]);
        }
      }
    }),
  );
});

test("what may be taken now is what quotaAvailable says, and no unit more", () => {
  fc.assert(
    fc.property(windowOf(1), steps, (window, moves) => {
      const terms = [window];
      let states = unused(terms);
      let nowUs = START_US;
      for (const { waitUs, cost } of moves) {
        nowUs += waitUs;
        const units = quotaAvailable(window, states[0], nowUs);
        const granted = (count: number): boolean =>
          takeQuota({ terms, states, cost: count, nowUs }).granted;
        expect([units <= window.burst, granted(units), granted(units + 1)]).toEqual([
          true,
          true,
          false,
        ]);
        const answer = takeQuota({ terms, states, cost, nowUs });
        if (answer.granted) states = answer.states;
      }
    }),
  );
});

test("reservations go in the order in which they came, within every window, together with takes", () => {
  const slowWindows = fc.array(windowOf(1_000), { minLength: 1, maxLength: 3 });
  const kinds = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(slowWindows, steps, kinds, (terms, moves, reserves) => {
      let states = unused(terms);
      const grants: Grant[] = [];
      let nowUs = START_US;
      for (const [index, { waitUs, cost }] of moves.entries()) {
        nowUs += waitUs;
        const request = { terms, states, cost, nowUs };
        const take = takeQuota(request);
        const reservation = reserves[index] === true ? reserveQuota(request) : take;
        if (!reservation.granted || cost === 0) continue;
        states = reservation.states;
        const waitMs = take.granted ? 0 : take.waitMs;
        grants.push({ atUs: nowUs + waitMs * 1_000, cost });
      }
      const times = grants.map(({ atUs }) => atUs);
      expect(times).toEqual(times.toSorted((left, right) => left - right));
      expect(terms.every((window) => isWithin(window, grants))).toBe(true);
    }),
  );
});

test("a reservation that need not wait is a take, and one that must goes when a take could have gone", () => {
  fc.assert(
    fc.property(windows, steps, (terms, moves) => {
      let states = unused(terms);
      let nowUs = START_US;
      for (const { waitUs, cost } of moves) {
        nowUs += waitUs;
        const take = takeQuota({ terms, states, cost, nowUs });
        const reservation = reserveQuota({ terms, states, cost, nowUs });
        if (take.granted) {
          expect(reservation).toEqual({ ...take, waitMs: 0 });
        } else if (take.because === "wait") {
          expect(reservation).toMatchObject({ granted: true, waitMs: take.waitMs });
        } else {
          expect(reservation).toEqual(take);
        }
        if (reservation.granted && cost > 0) {
          states = reservation.states;
          nowUs += reservation.waitMs * 1_000;
        }
      }
    }),
  );
});

test("refunds of what was never sent keep what was sent within the quota, and never exceed the burst", () => {
  const move = fc.record({
    waitUs: fc.integer({ min: 0, max: 10_000 }),
    cost: fc.integer({ min: 1, max: 4 }),
    /** Gives back the grant so many before the newest; a number too high gives nothing back. */
    refund: fc.option(fc.nat({ max: 2 })),
  });
  fc.assert(
    fc.property(windows, fc.array(move, { maxLength: 40 }), (terms, moves) => {
      let states = unused(terms);
      let held: (Grant & { readonly taken: readonly QuotaState[] })[] = [];
      let nowUs = START_US;
      for (const { waitUs, cost, refund } of moves) {
        nowUs += waitUs;
        const answer = takeQuota({ terms, states, cost, nowUs });
        if (answer.granted) {
          states = answer.states;
          held.push({ atUs: nowUs, cost, taken: answer.states });
        }
        const back = refund === null ? undefined : held.at(-1 - refund);
        const known = states.filter((state) => state !== undefined);
        if (back === undefined || known.length === 0) continue;
        states = refundQuota({ terms, states: known, taken: back.taken, cost: back.cost });
        if (refund === 0 && answer.granted) expect(states).not.toBe(known);
        if (states !== known) expect(back).toBe(held.at(-1));
        held = held.filter((grant) => grant !== back);
        expect(terms.every((window) => isWithin(window, held))).toBe(true);
        for (const [index, window] of terms.entries()) {
          expect(quotaAvailable(window, states[index], nowUs)).toBeLessThanOrEqual(window.burst);
        }
      }
    }),
  );
});

test("a server's hint lets nothing go before its reset, and nothing that would not have gone without it", () => {
  const resetMs = fc.integer({ min: -100, max: 100 });
  fc.assert(
    fc.property(windowOf(1), steps, resetMs, (window, moves, ms) => {
      const terms = [window];
      let states = unused(terms);
      let nowUs = START_US;
      for (const { waitUs, cost } of moves) {
        nowUs += waitUs;
        const answer = takeQuota({ terms, states, cost, nowUs });
        if (answer.granted) states = answer.states;
      }
      const resetAtUs = nowUs + ms * 1_000;
      const tight = tightenQuota(window, states[0], { resetAtUs, nowUs });
      for (let laterUs = nowUs; laterUs < nowUs + 200_000; laterUs += 3_700) {
        const units = quotaAvailable(window, tight, laterUs);
        expect(units).toBeLessThanOrEqual(quotaAvailable(window, states[0], laterUs));
        if (laterUs < resetAtUs) expect(units).toBe(0);
        else if (ms > 0 && laterUs >= resetAtUs + 120_000) expect(units).toBeGreaterThan(0);
      }
    }),
  );
});
