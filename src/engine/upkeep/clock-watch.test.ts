import { expect, test } from "vitest";
import { Amnesty } from "./amnesty.ts";
import { ClockWatch } from "./clock-watch.ts";

function makeTimes() {
  const times = { wallMs: 1_000_000, monotonicMs: 5 };
  const jumps: number[] = [];
  const watch = new ClockWatch({
    clock: { wallMs: () => times.wallMs, monotonicMs: () => times.monotonicMs },
    jumped: (byMs) => jumps.push(byMs),
  });
  const pass = (wallMs: number, monotonicMs: number = wallMs): void => {
    times.wallMs += wallMs;
    times.monotonicMs += monotonicMs;
    watch.look();
  };
  return { pass, jumps };
}

test("time that passes for both is no jump, however long, and neither is drift", () => {
  const { pass, jumps } = makeTimes();
  pass(0);
  pass(86_400_000);
  for (let seconds = 0; seconds < 60; seconds += 1) pass(1_200, 1_000);
  pass(6_000, 1_000);
  expect(jumps).toEqual([]);
});

test("a clock that is set, and a machine that slept, are told once, by how much", () => {
  const { pass, jumps } = makeTimes();
  pass(0);
  pass(6_001, 1_000);
  pass(1_000);
  pass(-3_600_000, 1_000);
  pass(1_000);
  expect(jumps).toEqual([5_001, -3_601_000]);
});

test("an amnesty lasts for one lease from the last reason for it on", () => {
  let nowMs = 100;
  const amnesty = new Amnesty({ nowMs: () => nowMs, lengthMs: 30 });
  expect(amnesty.isOn).toBe(false);
  amnesty.begin();
  nowMs = 120;
  amnesty.begin();
  nowMs = 149;
  expect(amnesty.isOn).toBe(true);
  nowMs = 150;
  expect(amnesty.isOn).toBe(false);
});
