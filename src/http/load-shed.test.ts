import { expect, test } from "vitest";
import { makeVirtualClock } from "../std/virtual-clock.ts";
import { LoadShed } from "./load-shed.ts";

test("a process sheds once it was late for five seconds on end, and stops when it is not", async () => {
  const clock = makeVirtualClock();
  let lateMs = 300;
  let isClosed = false;
  const shed = new LoadShed(clock, {
    takeP99Ms: () => lateMs,
    close: () => {
      isClosed = true;
    },
  });
  await clock.advance(5_000);
  expect(shed.isOverloaded()).toBe(false);
  await clock.advance(1_000);
  expect(shed.isOverloaded()).toBe(true);
  lateMs = 200;
  await clock.advance(1_000);
  expect(shed.isOverloaded()).toBe(false);
  lateMs = 900;
  await clock.advance(4_000);
  lateMs = 10;
  await clock.advance(1_000);
  lateMs = 900;
  await clock.advance(4_000);
  expect(shed.isOverloaded()).toBe(false);
  shed.close();
  shed.close();
  expect([isClosed, clock.pendingTimers]).toEqual([true, 0]);
});
