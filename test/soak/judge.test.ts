import { expect, test } from "vitest";
import { judgeSoak, type SoakBound, type SoakSample } from "./judge.ts";

const HEAP: SoakBound = { key: "heapMb", name: "heap", grownMax: 8, atMost: 100 };

function makeSamples(heapAt: (index: number) => number): readonly SoakSample[] {
  return Array.from({ length: 40 }, (_, index) => ({
    atS: index * 30,
    cpuPercent: 10,
    rssMb: 100,
    heapMb: heapAt(index),
    handles: 20,
    files: 30,
    walMb: 4,
    storeMb: index,
    depth: 3,
  }));
}

test("what warms up first and then stays is flat", () => {
  const [verdict] = judgeSoak(
    makeSamples((index) => Math.min(50, index * 10) + (index % 3)),
    [HEAP],
  ) ?? [undefined];
  expect(verdict).toMatchObject({ isFlat: true, before: 51, after: 51 });
});

test("what grows slowly is not flat, although no sample is far from the one before", () => {
  const [verdict] = judgeSoak(
    makeSamples((index) => 50 + index * 0.5),
    [HEAP],
  ) ?? [undefined];
  expect(verdict?.isFlat).toBe(false);
});

test("one sample above what is bearable is not flat, though the medians are the same", () => {
  const samples = makeSamples((index) => (index === 25 ? 101 : 50));
  const [verdict] = judgeSoak(samples, [HEAP]) ?? [undefined];
  expect(verdict).toMatchObject({ isFlat: false, before: 50, after: 50, most: 101 });
});

test("too few samples are not judged", () => {
  expect(judgeSoak(makeSamples(() => 50).slice(0, 11), [HEAP])).toBe(null);
});
