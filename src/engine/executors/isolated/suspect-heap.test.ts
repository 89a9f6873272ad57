import { expect, test } from "vitest";
import { SuspectHeap } from "./suspect-heap.ts";

test("suspects come first, each kind in order, and a position is there once", () => {
  const heap = new SuspectHeap(6, (position) => position % 2 === 1);
  for (const position of [4, 5, 0, 3, 3, 2, 0]) heap.push(position);
  expect(heap.size).toBe(5);
  const order: number[] = [];
  while (heap.size > 0) {
    order.push(heap.peek());
    expect(heap.pop()).toBe(order.at(-1));
  }
  expect(order).toEqual([3, 5, 0, 2, 4]);
  expect([heap.peek(), heap.pop()]).toEqual([-1, -1]);
  heap.push(1);
  heap.push(2);
  heap.clear();
  expect(heap.size).toBe(0);
});
