import { fc, test as prop } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { COMPOSITE_MAX, compositeOf, isApproved, meanScores, needsPanel } from "./composite.ts";
import type { Scores } from "./composite.ts";

function scores(...values: readonly number[]): Scores {
  const [strength = 0, rigor = 0, relevance = 0, directness = 0, recency = 0, reproducibility = 0] =
    values;
  return { strength, rigor, relevance, directness, recency, reproducibility };
}

// Worked out by hand: 0.30 s + 0.25 r + 0.25 rel + 0.10 (d / 3) + 0.05 recent + 0.05 repro.
test.each([
  { given: scores(5, 5, 5, 3, 1, 1), composite: 4.2 },
  { given: scores(1, 1, 1, 1, 0, 0), composite: 0.833 },
  { given: scores(4, 3, 4, 3, 1, 0), composite: 3.1 },
  { given: scores(3, 4, 3, 2, 0.5, 1), composite: 2.792 },
  { given: scores(2, 5, 4, 1, 0.25, 0.5), composite: 2.921 },
])("R303: the composite of $given is $composite", ({ given, composite }) => {
  expect(compositeOf(given)).toBe(composite);
});

test("R303: composite, strength and relevance must each reach 3", () => {
  expect(isApproved(scores(3, 5, 4, 3, 1, 1))).toBe(true);
  expect(isApproved(scores(2.9, 5, 5, 3, 1, 1))).toBe(false);
  expect(isApproved(scores(5, 5, 2.9, 3, 1, 1))).toBe(false);
  expect(isApproved(scores(4, 2, 4, 3, 1, 0))).toBe(false);
});

test("R303: more judges are asked between 2.5 and 3.5, the ends included", () => {
  expect(needsPanel(scores(3, 3, 3, 3, 0, 0))).toBe(true);
  expect(needsPanel(scores(2, 3, 4, 3, 1, 0))).toBe(true);
  expect(needsPanel(scores(5, 4, 4, 3, 1, 1))).toBe(false);
  expect(needsPanel(scores(1, 2, 2, 1, 1, 1))).toBe(false);
  expect(compositeOf(scores(4, 4, 4, 3, 1, 1))).toBe(3.4);
});

test("several judges are one by their mean", () => {
  const all = [scores(3, 2, 4, 3, 1, 0), scores(4, 2, 5, 3, 1, 0), scores(4, 3, 5, 2, 1, 0.5)];
  expect(meanScores(all)).toEqual(scores(3.67, 2.33, 4.67, 2.67, 1, 0.17));
});

const score = (max: number): fc.Arbitrary<number> => fc.double({ min: 1, max, noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });

prop.prop([fc.tuple(score(5), score(5), score(5), score(3), share, share)])(
  "no score leads above the best composite or under the worst",
  (values) => {
    const composite = compositeOf(scores(...values));
    expect(composite).toBeLessThanOrEqual(COMPOSITE_MAX);
    expect(composite).toBeGreaterThanOrEqual(0.833);
  },
);
