// The trade after a range, on wild bars: wide enough to cross both ends within a minute, which the bundled days never do.
import fc from "fast-check";
import { expect, test } from "vitest";
import { searchRow, type CentBar } from "../support/brute-force.ts";
import type { LocalBar } from "./local-bar.ts";
import { findRange, type Slot } from "./slot.ts";
import { findTrade, type Trade } from "./trade.ts";

const SLOT: Slot = { session: "S1", start: "02:00", end: "02:03" };
const TARGET_TICKS = 4;

const BAR = fc.record({
  open: fc.integer({ min: 97, max: 103 }),
  close: fc.integer({ min: 97, max: 103 }),
  above: fc.integer({ min: 0, max: 4 }),
  below: fc.integer({ min: 0, max: 4 }),
});

const BARS = fc.array(BAR, { minLength: 4, maxLength: 14 }).map((bars) =>
  bars.map(({ open, close, above, below }, minute): LocalBar => {
    const time = `02:${String(minute).padStart(2, "0")}`;
    const [high, low] = [Math.max(open, close) + above, Math.min(open, close) - below];
    return { stamp: `2019-11-01T${time}:00-05:00`, time, open, high, low, close };
  }),
);

/** The same bars in cents, a tick of which is 25. */
function toCents(bars: readonly LocalBar[]): CentBar[] {
  return bars.map(({ stamp, open, high, low, close }) => {
    const prices = { open: open * 25, high: high * 25, low: low * 25, close: close * 25 };
    return { stamp, ...prices };
  });
}

function tradeOf(bars: readonly LocalBar[]): Trade {
  const range = findRange(bars, SLOT);
  if (range === undefined) throw new Error("the first bars are in the range");
  return findTrade(range, bars.slice(range.next), TARGET_TICKS);
}

test("R302: on wild bars as well, a search in another way comes to the same trade", () => {
  const results = new Set<string>();
  const check = fc.property(BARS, (bars) => {
    const { entry, stop, target, excursion, result } = tradeOf(bars);
    const found = searchRow(toCents(bars), [SLOT.start, SLOT.end], { tick: 25, target: 100 });
    const inCents = (ticks: number | null): number | null => ticks && ticks * 25;
    expect(found).toMatchObject({
      entry: inCents(entry),
      stop: inCents(stop),
      target: inCents(target),
      excursion: inCents(excursion),
      result,
    });
    results.add(result);
  });
  fc.assert(check, { numRuns: 3_000, seed: 7 });
  expect(results.size).toBe(5);
});

const FLAT = { open: 100, high: 101, low: 99, close: 100 };

/** Three minutes from 99 to 101, then these. */
function afterRange(...later: readonly Omit<LocalBar, "stamp" | "time">[]): LocalBar[] {
  return [FLAT, FLAT, FLAT, ...later].map((bar, minute) => {
    const time = `02:${String(minute).padStart(2, "0")}`;
    return { stamp: `2019-11-01T${time}:00-05:00`, time, ...bar };
  });
}

test.each([
  {
    name: "up to the target",
    bars: [{ open: 101, high: 106, low: 100, close: 105 }],
    trade: { entry: 102, stop: 98, target: 106, excursion: 4, result: "win" },
  },
  {
    name: "down to the target",
    bars: [{ open: 99, high: 100, low: 94, close: 95 }],
    trade: { entry: 98, stop: 102, target: 94, excursion: 4, result: "win" },
  },
  {
    name: "a minute over both ends enters at the nearer one, and its other end is no stop",
    bars: [{ open: 99, high: 102, low: 97, close: 98 }],
    trade: { entry: 98, stop: 102, target: 94, excursion: 1, result: "time" },
  },
  {
    name: "stopped before it went anywhere",
    bars: [
      { open: 101, high: 102, low: 101, close: 101 },
      { open: 101, high: 101, low: 98, close: 98 },
    ],
    trade: { entry: 102, stop: 98, target: 106, excursion: 0, result: "loss" },
  },
  {
    name: "back at the entry after most of the way",
    bars: [
      { open: 101, high: 105, low: 101, close: 105 },
      { open: 105, high: 105, low: 102, close: 103 },
    ],
    trade: { entry: 102, stop: 98, target: 106, excursion: 3, result: "break_even" },
  },
  {
    name: "never outside the range",
    bars: [FLAT],
    trade: { entry: null, stop: null, target: null, excursion: null, result: "no_trade" },
  },
])("a trade: $name", ({ bars, trade }) => {
  expect(tradeOf(afterRange(...bars))).toEqual(trade);
});
