import fc from "fast-check";
import { expect, test } from "vitest";
import { RecentSet, RingBuffer } from "./bounded-list.ts";

test("a ring keeps the newest entries in order and counts the rest", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 12 }), (entries, capacity) => {
      const ring = new RingBuffer<number>(capacity);
      for (const entry of entries) ring.push(entry);
      expect(ring.toArray()).toEqual(entries.slice(-capacity));
      expect(ring.size).toBe(Math.min(entries.length, capacity));
      expect(ring.dropped).toBe(Math.max(0, entries.length - capacity));
      expect(ring.capacity).toBe(capacity);
    }),
  );
});

test("what a ring gives out does not change with it", () => {
  const ring = new RingBuffer<number>(1);
  ring.push(1);
  const before = ring.toArray();
  ring.push(2);
  expect(before).toEqual([1]);
});

test.each([0, -1, 1.5, NaN, Infinity])("a ring of %d entries is refused", (capacity) => {
  expect(() => new RingBuffer(capacity)).toThrow(`cannot hold ${capacity} entries`);
});

test("a set remembers the values that were added last, and those it forgot are new to it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 })),
      fc.integer({ min: 1, max: 6 }),
      (values, capacity) => {
        const set = new RecentSet<number>(capacity);
        for (const value of values) set.add(value);
        const last = [...new Set(values.toReversed())].slice(0, capacity);
        expect(set.size).toBe(last.length);
        for (let value = 0; value <= 9; value++)
          expect(set.delete(value)).toBe(last.includes(value));
        expect(set.size).toBe(0);
      },
    ),
  );
});
