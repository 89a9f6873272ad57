import fc from "fast-check";
import { expect, test } from "vitest";
import { goesBefore, orderMsOf, WaitingLine, type LineMember } from "./waiting-line.ts";

interface Named extends LineMember {
  readonly name: string;
}

function memberOf(number: number, orderMs: number): Named {
  return { name: `w${number}`, number, orderMs, isWaiting: false };
}

function sorted(members: readonly Named[]): Named[] {
  return members.toSorted((left, right) => (goesBefore(left, right) ? -1 : 1));
}

function drain(line: WaitingLine<Named>): Named[] {
  const taken: Named[] = [];
  for (let next = line.shift(); next !== undefined; next = line.shift()) taken.push(next);
  return taken;
}

/** A member that counts how often its place is looked at. */
class CountedMember implements LineMember {
  static reads: number = 0;
  readonly number: number;
  isWaiting: boolean = false;

  constructor(number: number) {
    this.number = number;
  }

  get orderMs(): number {
    CountedMember.reads += 1;
    return this.number;
  }
}

test("one unit of priority is worth a minute of waiting", () => {
  expect(orderMsOf(60_000, 1)).toBe(orderMsOf(0, 0));
  expect(orderMsOf(60_001, 1)).toBeGreaterThan(orderMsOf(0, 0));
  expect(orderMsOf(59_999, 1)).toBeLessThan(orderMsOf(0, 0));
  expect(orderMsOf(0, -2)).toBe(120_000);
});

test("at equal priority the first to join goes first, whatever happens in between", () => {
  const line = new WaitingLine<Named>();
  const members = Array.from({ length: 100 }, (_, number) => memberOf(number, 7));
  for (const member of members) line.push(member);
  for (const member of members) if (member.number % 3 === 0) line.remove(member);
  expect(drain(line)).toEqual(members.filter(({ number }) => number % 3 !== 0));
});

test("a line does what a sorted array does, for any sequence of moves", () => {
  const move = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("push"), value: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("shift"), value: fc.nat(9) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove"), value: fc.nat(999) }) },
  );
  const check = fc.property(fc.array(move, { maxLength: 200, size: "max" }), (moves) => {
    const line = new WaitingLine<Named>();
    const everyone: Named[] = [];
    let model: Named[] = [];
    for (const { kind, value } of moves) {
      if (kind === "push") {
        const member = memberOf(everyone.length, value);
        everyone.push(member);
        line.push(member);
        model = sorted([...model, member]);
      } else if (kind === "shift") {
        expect(line.shift()).toBe(model.shift());
      } else {
        const member = everyone[value % Math.max(1, everyone.length)];
        if (member === undefined) continue;
        expect(line.remove(member)).toBe(model.includes(member));
        model = model.filter((other) => other !== member);
      }
      expect(line.size).toBe(model.length);
      expect(line.peek()).toBe(model[0]);
    }
    expect(line.toArray()).toEqual(model);
    expect(everyone.filter(({ isWaiting }) => isWaiting).length).toBe(model.length);
    expect(model.map((member) => line.countBefore(member))).toEqual([...model.keys()]);
    expect(drain(line)).toEqual(model);
    expect(line.shift()).toBeUndefined();
  });
  fc.assert(check, { numRuns: 100 });
});

test("30,000 who leave cost a few looks each, from the front, the back or anywhere", () => {
  const size = 30_000;
  const orders: readonly ((at: number) => number)[] = [
    (at) => at,
    (at) => size - 1 - at,
    (at) => (at * 7_919) % size,
  ];
  for (const order of orders) {
    const line = new WaitingLine<LineMember>();
    const members = Array.from({ length: size }, (_, number) => new CountedMember(number));
    for (const member of members) line.push(member);
    CountedMember.reads = 0;
    let left = 0;
    for (let at = 0; at < size; at += 1) {
      const member = members[order(at)];
      if (member !== undefined && line.remove(member)) left += 1;
    }
    expect(left).toBe(size);
    expect(line.size).toBe(0);
    expect(line.peek()).toBeUndefined();
    expect(CountedMember.reads).toBeLessThan(20 * size);
  }
});

test("who joins last is compared with one other, however many wait", () => {
  const line = new WaitingLine<LineMember>();
  for (let number = 0; number < 10_000; number += 1) line.push(new CountedMember(number));
  CountedMember.reads = 0;
  line.push(new CountedMember(10_000));
  // One to see that it is a number, and two for each side of the comparison.
  expect(CountedMember.reads).toBeLessThanOrEqual(5);
});

test("a member that joins twice or has no place is refused, and the line stays as it was", () => {
  const line = new WaitingLine<Named>();
  const member = memberOf(1, 5);
  line.push(member);
  expect(() => line.push(member)).toThrow("joined a line in which it waits");
  expect(() => line.push(memberOf(2, Number.NaN))).toThrow("not a number of ms");
  expect(line.toArray()).toEqual([member]);
});
