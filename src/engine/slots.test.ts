import fc from "fast-check";
import { expect, test } from "vitest";
import { Slots, SlotShare, type SlotPool, type SlotWaiter } from "./slots.ts";

/** Somebody with work: takes a slot when woken, and says so. */
class Worker implements SlotWaiter {
  readonly name: string;
  left: number;
  held: number = 0;
  readonly #slots: SlotPool;
  readonly #log: string[];

  constructor(name: string, work: number, where: { slots: SlotPool; log: string[] }) {
    this.name = name;
    this.left = work;
    this.#slots = where.slots;
    this.#log = where.log;
  }

  wake(): void {
    while (this.left > 0) {
      if (!this.#slots.tryTake()) {
        this.#slots.wait(this);
        return;
      }
      this.left -= 1;
      this.held += 1;
      this.#log.push(this.name);
    }
  }

  finishOne(): void {
    this.held -= 1;
    this.#slots.release();
  }
}

test("slots are taken up to the limit and no further", () => {
  const slots = new Slots(2);
  expect([slots.tryTake(), slots.tryTake(), slots.tryTake()]).toEqual([true, true, false]);
  expect(slots.used).toBe(2);
  slots.release();
  expect(slots.tryTake()).toBe(true);
});

test("a slot that nobody held cannot be given back", () => {
  expect(() => new Slots(1).release()).toThrow("A slot was released that nobody held.");
});

test("whoever waits longest is woken first, one per slot", () => {
  const slots = new Slots(1);
  const log: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => new Worker(name, 1, { slots, log }));
  for (const one of [a, b, c]) one?.wake();
  expect(log).toEqual(["a"]);
  a?.finishOne();
  expect(log).toEqual(["a", "b"]);
  b?.finishOne();
  expect(log).toEqual(["a", "b", "c"]);
});

test("asking again keeps the place in line", () => {
  const slots = new Slots(1);
  const log: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => new Worker(name, 1, { slots, log }));
  for (const one of [a, b, c, b]) one?.wake();
  a?.finishOne();
  expect(log).toEqual(["a", "b"]);
});

test("one that left the line is not woken", () => {
  const slots = new Slots(1);
  const log: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => new Worker(name, 1, { slots, log }));
  for (const one of [a, b, c]) one?.wake();
  if (b !== undefined) slots.leave(b);
  a?.finishOne();
  expect(log).toEqual(["a", "c"]);
});

test("one that has no use for the slot any more passes it on", () => {
  const slots = new Slots(1);
  const log: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => new Worker(name, 1, { slots, log }));
  for (const one of [a, b, c]) one?.wake();
  if (b !== undefined) b.left = 0; // its run was cancelled meanwhile
  a?.finishOne();
  expect(log).toEqual(["a", "c"]);
});

test("a share holds at most its own limit and leaves the rest to others", () => {
  const slots = new Slots(3);
  const log: string[] = [];
  const narrow = new Worker("narrow", 5, { slots: new SlotShare(slots, 1), log });
  const wide = new Worker("wide", 5, { slots, log });
  narrow.wake();
  wide.wake();
  expect([narrow.held, wide.held]).toEqual([1, 2]);
  narrow.finishOne();
  // The line of the whole process goes first; the share waits for its turn in it.
  expect([narrow.held, wide.held]).toEqual([0, 3]);
  wide.finishOne();
  wide.finishOne();
  expect([narrow.held, wide.held]).toEqual([1, 2]);
});

test("whatever the demands and the order of ends, the limit holds and everybody gets done", () => {
  const demand = fc.record({
    work: fc.integer({ min: 0, max: 6 }),
    share: fc.option(fc.integer({ min: 1, max: 3 })),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(demand, { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.nat()),
      (limit, demands, dice) => {
        const slots = new Slots(limit);
        const log: string[] = [];
        const workers = demands.map(({ work, share }, index) => {
          const own = share === null ? slots : new SlotShare(slots, share);
          return { worker: new Worker(`w${index}`, work, { slots: own, log }), share };
        });
        for (const { worker } of workers) worker.wake();
        for (;;) {
          const held = workers.filter(({ worker }) => worker.held > 0);
          const total = workers.reduce((sum, { worker }) => sum + worker.held, 0);
          expect(total).toBe(slots.used);
          expect(total).toBeLessThanOrEqual(limit);
          for (const { worker, share } of held)
            expect(worker.held).toBeLessThanOrEqual(share ?? limit);
          const { value: throwOfDice } = dice.next();
          const next = held[Number(throwOfDice) % Math.max(1, held.length)];
          if (next === undefined) break;
          next.worker.finishOne();
        }
        expect(workers.map(({ worker }) => worker.left)).toEqual(workers.map(() => 0));
        expect(log).toHaveLength(demands.reduce((sum, { work }) => sum + work, 0));
      },
    ),
    { numRuns: 300 },
  );
});
