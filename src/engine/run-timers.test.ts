import { expect, test } from "vitest";
import { makeVirtualClock } from "../std/virtual-clock.ts";
import { RunTimers } from "./run-timers.ts";

function setup() {
  const clock = makeVirtualClock();
  const timers = new RunTimers(clock, (error) => {
    throw error;
  });
  return { clock, timers };
}

test("the next one is known only where all are further off", async () => {
  const { clock, timers } = setup();
  expect(timers.findLeftMs(10)).toBeNull();
  timers.wait(500, () => {});
  const late = timers.after(100, () => {});
  expect(timers.findLeftMs(99)).toBe(100);
  expect(timers.findLeftMs(100)).toBeNull();
  timers.cancel(late);
  await clock.advance(200);
  expect(timers.findLeftMs(100)).toBe(300);
  timers.clear();
  expect(timers.findLeftMs(0)).toBeNull();
});

test("only what stages and items wait for counts as a wait, until it is over", async () => {
  const { clock, timers } = setup();
  timers.after(10, () => {});
  expect([timers.size, timers.waits]).toEqual([1, 0]);
  const seen: number[] = [];
  timers.wait(20, () => seen.push(timers.waits));
  timers.wait(30, () => {});
  expect([timers.size, timers.waits]).toEqual([3, 2]);
  await clock.advance(20);
  expect(seen).toEqual([1]);
  timers.clear();
  expect([timers.size, timers.waits]).toEqual([0, 0]);
});
