import { expect, test } from "vitest";
import { Slots } from "../../slots.ts";
import { IsolatedSlots } from "./isolated-slots.ts";

test("one slot while it is active, those of the pool afterwards, and whoever waits is woken", () => {
  const pool = new Slots(3);
  let isActive = true;
  const slots = new IsolatedSlots(pool, () => isActive);
  let woken = 0;
  const waiter = { wake: () => void (woken += 1) };
  expect([slots.tryTake(), slots.tryTake()]).toEqual([true, false]);
  slots.wait(waiter);
  slots.release();
  expect([woken, pool.used]).toEqual([1, 0]);
  slots.tryTake();
  isActive = false;
  expect([slots.tryTake(), slots.tryTake(), slots.tryTake()]).toEqual([true, true, false]);
  slots.wait(waiter);
  slots.release();
  expect([woken, pool.used]).toEqual([2, 2]);
  slots.wait(waiter);
  slots.leave(waiter);
  slots.release();
  expect(woken).toBe(2);
});
