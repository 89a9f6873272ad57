import fc from "fast-check";
import { expect, test } from "vitest";
import { brandId, makeIdSource, isUuid } from "./id.ts";
import { makeSeededRandom, type Random } from "./random.ts";
import { makeVirtualClock } from "./virtual-clock.ts";

test("ids are UUIDs of version 7 that begin with the clock's millisecond", () => {
  const clock = makeVirtualClock({ startAtMs: 0x0123_4567_89ab });
  const id = makeIdSource(clock, makeSeededRandom(1))();
  expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("ids rise strictly while the wall clock stands, jumps forward or goes back", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 50 })), fc.nat(), (jumps, seed) => {
      let wallMs = 1_700_000_000_000;
      const clock = { ...makeVirtualClock(), wallMs: () => wallMs };
      const makeId = makeIdSource(clock, makeSeededRandom(seed));
      const ids = [makeId()];
      for (const jump of jumps) {
        wallMs += jump;
        ids.push(makeId(), makeId());
      }
      expect(ids).toEqual([...new Set(ids)].toSorted());
    }),
  );
});

test("a million ids within one millisecond rise strictly", () => {
  const makeId = makeIdSource(makeVirtualClock(), makeSeededRandom(3));
  let last = "";
  for (let count = 0; count < 1_000_000; count++) {
    const id = makeId();
    if (id <= last) expect.unreachable(`${id} follows ${last}`);
    last = id;
  }
});

test("the same clock and dice give the same ids", () => {
  const make = (): string => makeIdSource(makeVirtualClock(), makeSeededRandom(9))();
  expect(make()).toBe(make());
});

test("the sequence starts in the lower half, so that it has room to rise", () => {
  const ones: Random = { float: () => 0, bytes: (count) => new Uint8Array(count).fill(255) };
  const makeId = makeIdSource(makeVirtualClock(), ones);
  const [first, second] = [makeId(), makeId()];
  expect(first.slice(14, 18)).toBe("77ff");
  expect(second > first).toBe(true);
});

test("UUIDs are told from other text", () => {
  expect(isUuid("0194f3a0-0000-7000-8000-000000000000")).toBe(true);
  expect(isUuid("0194F3A0-0000-7000-8000-000000000000")).toBe(true);
  expect(isUuid("0194f3a0-0000-7000-8000-00000000000")).toBe(false);
  expect(isUuid("7f3k")).toBe(false);
});

test("a brand changes nothing at run time", () => {
  expect(brandId<"OrderId">("a")).toBe("a");
});
