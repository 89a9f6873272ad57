import assert from "node:assert/strict";
import { fc, test } from "@fast-check/vitest";
import { TimeHeap, type TimeEntry } from "./time-heap.ts";

const drawn = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ at: fc.nat(5), number: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.constant("pop" as const) },
  ),
);

test.prop([drawn])("entries come out by time, then by number, whenever they came in", (moves) => {
  const heap = new TimeHeap<number>();
  const expected: TimeEntry<number>[] = [];
  for (const [value, move] of [...moves, ...moves.map(() => "pop" as const)].entries()) {
    if (move === "pop") {
      const first = heap.peek();
      assert.equal(heap.pop(), first);
      const next = expected.shift();
      assert.deepEqual([first?.at, first?.number], [next?.at, next?.number]);
    } else {
      heap.push({ ...move, value });
      expected.push({ ...move, value });
      expected.sort((left, right) => left.at - right.at || left.number - right.number);
    }
  }
});
