import { expect, test } from "vitest";
import { compareSightings, toFinding, type Seen, type Sighting } from "./finding.ts";

const LARGE: Sighting = { rule: "log-large", subject: "store", message: "large" };
const OPEN: Sighting = { rule: "breaker-open", subject: "api", message: "open", holdMs: 60_000 };
const MAX = { max: 10 };

function rulesOf(seen: readonly Seen[]): readonly string[] {
  return seen.map(({ sighting }) => sighting.rule);
}

test("what needs no second sign is a finding at once, is told once, and is gone when it is seen no more", () => {
  const first = compareSightings([], [LARGE], { nowMs: 1_000, ...MAX });
  expect(rulesOf(first.opened)).toEqual(["log-large"]);
  const second = compareSightings(first.seen, [LARGE], { nowMs: 2_000, ...MAX });
  expect(second.opened).toEqual([]);
  expect(second.seen.map(toFinding)).toEqual([
    {
      rule: "log-large",
      subject: "store",
      level: "warn",
      sinceMs: 1_000,
      message: "large",
      next: null,
    },
  ]);
  const third = compareSightings(second.seen, [], { nowMs: 3_000, ...MAX });
  expect(rulesOf(third.closed)).toEqual(["log-large"]);
  expect(third.seen).toEqual([]);
});

test("what needs time is a finding once it was seen for as long without a break", () => {
  const first = compareSightings([], [OPEN], { nowMs: 0, ...MAX });
  expect(first.opened).toEqual([]);
  const second = compareSightings(first.seen, [OPEN], { nowMs: 59_999, ...MAX });
  expect(second.opened).toEqual([]);
  expect(rulesOf(compareSightings(second.seen, [OPEN], { nowMs: 60_000, ...MAX }).opened)).toEqual([
    "breaker-open",
  ]);
  const broken = compareSightings(second.seen, [], { nowMs: 59_999, ...MAX });
  expect(broken.closed).toEqual([]);
  expect(compareSightings(broken.seen, [OPEN], { nowMs: 60_000, ...MAX }).opened).toEqual([]);
});

test("one subject is kept once for each rule, and no more than may be", () => {
  const many = Array.from({ length: 20 }, (_, index) => ({ ...LARGE, subject: String(index) }));
  const { seen } = compareSightings([], [LARGE, LARGE, ...many], { nowMs: 0, max: 5 });
  expect(seen.map(({ sighting }) => sighting.subject)).toEqual(["store", "0", "1", "2", "3"]);
});
