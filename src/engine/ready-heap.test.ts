import fc from "fast-check";
import { expect, test } from "vitest";
import { ReadyHeap } from "./ready-heap.ts";

test("an empty heap has no lowest position", () => {
  const heap = new ReadyHeap(3);
  expect([heap.size, heap.peek(), heap.pop()]).toEqual([0, -1, -1]);
});

test("positions come out lowest first, each once however often it was put in", () => {
  const heap = new ReadyHeap(10);
  for (const position of [5, 3, 9, 3, 0, 5]) heap.push(position);
  expect(heap.size).toBe(4);
  expect(heap.peek()).toBe(0);
  expect([heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.pop()]).toEqual([0, 3, 5, 9, -1]);
});

test("a position may come again after it was taken", () => {
  const heap = new ReadyHeap(2);
  heap.push(1);
  heap.pop();
  heap.push(1);
  expect(heap.pop()).toBe(1);
});

test("nothing is left after clear, and everything may come again", () => {
  const heap = new ReadyHeap(3);
  heap.push(2);
  heap.push(1);
  heap.clear();
  expect([heap.size, heap.pop()]).toEqual([0, -1]);
  heap.push(2);
  expect(heap.pop()).toBe(2);
});

const SIZE = 60;
/** A position to put in, or null to take one out. */
const commands = fc.array(fc.option(fc.nat({ max: SIZE - 1 }), { freq: 2 }), { maxLength: 300 });

test("any mix of pushes and pops gives what a sorted set gives", () => {
  fc.assert(
    fc.property(commands, (list) => {
      const heap = new ReadyHeap(SIZE);
      const oracle = new Set<number>();
      for (const position of list) {
        if (position === null) {
          const lowest = oracle.size === 0 ? -1 : Math.min(...oracle);
          expect(heap.peek()).toBe(lowest);
          expect(heap.pop()).toBe(lowest);
          oracle.delete(lowest);
        } else {
          heap.push(position);
          oracle.add(position);
        }
        expect(heap.size).toBe(oracle.size);
      }
      const rest: number[] = [];
      while (heap.size > 0) rest.push(heap.pop());
      expect(rest).toEqual([...oracle].toSorted((a, b) => a - b));
    }),
    { numRuns: 300 },
  );
});
