import fc from "fast-check";
import { expect, test } from "vitest";
import { STAGE_STATES, type StageState } from "../../model/outcome.ts";
import { ItemKeys } from "./item-keys.ts";
import { MapItems } from "./map-items.ts";

const makeItems = (eager: boolean = false): MapItems =>
  new MapItems(new ItemKeys("m", null), eager);

test("items are pending at first and known by position", () => {
  const items = makeItems();
  expect(items.add("a")).toBe(0);
  expect(items.add("b")).toBe(1);
  expect(items.size).toBe(2);
  expect([items.stateOf(0), items.stateOf(1)]).toEqual(["pending", "pending"]);
  expect(items.open).toBe(2);
});

test("keys by content are made when somebody asks, in any order, and are the same then", () => {
  const eager = makeItems(true);
  const lazy = makeItems(false);
  for (const item of ["x", "y", "x", { a: 1 }]) {
    eager.add(item);
    lazy.add(item);
  }
  const late = lazy.keyOf(3);
  expect([lazy.keyOf(0), lazy.keyOf(1), lazy.keyOf(2), late]).toEqual(
    [0, 1, 2, 3].map((index) => eager.keyOf(index)),
  );
});

test("a key that is given is the item's key", () => {
  const items = makeItems();
  items.add(undefined, "theirs");
  expect(items.keyOf(0)).toBe("theirs");
});

const move = fc.record({
  index: fc.nat({ max: 400 }),
  to: fc.constantFrom<StageState>(...STAGE_STATES),
});

test("whatever moves, the counts equal a recount and no other item moves along", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.array(move, { maxLength: 200 }),
      (size, moves) => {
        const items = makeItems();
        const oracle: StageState[] = [];
        for (let index = 0; index < size; index += 1) {
          items.add(index);
          oracle.push("pending");
        }
        for (const { index, to } of moves) {
          if (index >= size) continue;
          items.move(index, to);
          oracle[index] = to;
        }
        for (const state of STAGE_STATES) {
          expect(items.counts[state]).toBe(oracle.filter((one) => one === state).length);
        }
        expect(oracle.map((_state, index) => items.stateOf(index))).toEqual(oracle);
        const open = oracle.filter((one) => ["pending", "running", "waiting"].includes(one));
        expect(items.open).toBe(open.length);
      },
    ),
  );
});
