import { expect, test } from "vitest";
import { groupPoints } from "./k-means.ts";
import type { KMeansProblem } from "./k-means.ts";

function problem(points: readonly number[][], extra: Partial<KMeansProblem> = {}): KMeansProblem {
  return {
    points: Float64Array.from(points.flat()),
    weights: new Float64Array(points.length).fill(1),
    pinned: new Float64Array(0),
    free: 2,
    seed: 7,
    ...extra,
  };
}

const TWO_CLOUDS = [
  [0, 0, 0],
  [0.1, 0, 0],
  [0, 0.1, 0],
  [5, 5, 5],
  [5.1, 5, 5],
  [5, 5.1, 5],
];

test("two clouds are two groups, whatever the seed", () => {
  for (let seed = 1; seed < 40; seed++) {
    const { labels } = groupPoints(problem(TWO_CLOUDS, { seed }));
    expect(new Set(labels.subarray(0, 3)).size).toBe(1);
    expect(new Set(labels.subarray(3)).size).toBe(1);
    expect(labels[0]).not.toBe(labels[3]);
  }
});

test("the same seed gives the same answer", () => {
  expect(groupPoints(problem(TWO_CLOUDS))).toEqual(groupPoints(problem(TWO_CLOUDS)));
});

test("a pinned centre takes part and does not move", () => {
  const { centers, labels } = groupPoints(
    problem(TWO_CLOUDS, { pinned: Float64Array.from([0.5, 0.5, 0.5]), free: 1 }),
  );
  expect([...centers.subarray(0, 3)]).toEqual([0.5, 0.5, 0.5]);
  expect([...labels]).toEqual([0, 0, 0, 1, 1, 1]);
  expect(centers[3]).toBeCloseTo(5.0333, 3);
});

test("weights pull a centre", () => {
  const { centers } = groupPoints(
    problem(
      [
        [0, 0, 0],
        [4, 0, 0],
      ],
      { free: 1, weights: Float64Array.from([3, 1]) },
    ),
  );
  expect(centers[0]).toBeCloseTo(1, 10);
});

test("fewer different points than centres, or none at all, is no fault", () => {
  const same = problem(
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
    { free: 5 },
  );
  expect(groupPoints(same).centers).toHaveLength(3);
  expect(groupPoints(problem([])).labels).toHaveLength(0);
});
