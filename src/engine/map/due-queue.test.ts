import fc from "fast-check";
import { expect, test } from "vitest";
import { DueQueue } from "./due-queue.ts";

test("any mix of pushes and takes is first in, first out", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (list) => {
      const queue = new DueQueue();
      const oracle: number[] = [];
      let next = 0;
      for (const isPush of list) {
        if (isPush) {
          queue.push({ index: next, history: null });
          oracle.push(next);
          next += 1;
        } else expect(queue.take()?.index).toBe(oracle.shift());
        expect(queue.isEmpty).toBe(oracle.length === 0);
      }
    }),
  );
});
