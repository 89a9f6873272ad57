import { expect, test } from "vitest";
import { PAST_WAITS_MAX } from "../../model/resource/gate-wait.ts";
import { trailOf, WaitTally } from "./wait-tally.ts";

const wait = (fromMs: number, toMs: number, blocker = "limit:api") => ({ blocker, fromMs, toMs });

test("time is summed by cause", () => {
  const tally = new WaitTally();
  tally.add("retry", 5);
  tally.add("quota:scorer", 7);
  tally.add("retry", 2);
  expect(tally.sums).toEqual({ retry: 7, "quota:scorer": 7 });
  expect(trailOf(tally)).toEqual({});
});

test("who asks in vain and waits on has waited once", () => {
  const tally = new WaitTally();
  tally.note(wait(0, 900));
  tally.note(wait(910, 1_500));
  tally.note(wait(1_500, 4_000));
  expect(tally.past).toEqual([wait(0, 4_000)]);
});

test("a wait for another resource, and one after a while, is another wait", () => {
  const tally = new WaitTally();
  tally.note(wait(0, 2_000));
  tally.note(wait(2_000, 4_000, "breaker:api"));
  tally.note(wait(5_000, 7_000, "breaker:api"));
  expect(tally.past).toEqual([
    wait(0, 2_000),
    wait(2_000, 4_000, "breaker:api"),
    wait(5_000, 7_000, "breaker:api"),
  ]);
});

test("short waits are counted and not listed", () => {
  const tally = new WaitTally();
  tally.note(wait(0, 999));
  tally.note(wait(5_000, 5_010));
  expect(tally.past).toEqual([]);
});

test("of many waits the longest are kept, in their order", () => {
  const tally = new WaitTally();
  const waits = Array.from({ length: PAST_WAITS_MAX + 3 }, (_, index) => {
    const fromMs = index * 100_000;
    // The second, fourth and sixth are the shortest.
    return wait(fromMs, fromMs + (index % 2 === 1 && index < 6 ? 1_000 : 2_000));
  });
  for (const one of waits) tally.note(one);
  expect(tally.past).toEqual(waits.filter(({ fromMs, toMs }) => toMs - fromMs > 1_000));
});

test("a row that waits for a resource goes on where it was, and has waited until now", () => {
  const tally = new WaitTally();
  const gate = { kind: "quota", resource: "scorer", key: null } as const;
  const trail = { past: [wait(0, 3_000)], now: { sinceMs: 10_000, ahead: 2 } };

  const heldMs = tally.takeUp({ waitedMs: { retry: 5 }, trail }, { gate, nowMs: 14_000 });

  expect(heldMs).toBe(4_000);
  expect(tally.sums).toEqual({ retry: 5, "quota:scorer": 4_000 });
  expect(tally.past).toEqual([wait(0, 3_000), wait(10_000, 14_000, "quota:scorer")]);
});

test("a clock that has gone back counts nothing", () => {
  const tally = new WaitTally();
  const gate = { kind: "limit", resource: "api", key: null } as const;
  const trail = { past: [], now: { sinceMs: 10_000, ahead: null } };
  expect(tally.takeUp({ waitedMs: {}, trail }, { gate, nowMs: 9_000 })).toBe(0);
  expect(tally.sums).toEqual({});
});
