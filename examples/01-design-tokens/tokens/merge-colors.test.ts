import { expect, test } from "vitest";
import { differenceCiede2000 } from "culori";
import { colorDistance, mergeColors } from "./merge-colors.ts";
import type { ColorSighting } from "./merge-colors.ts";

// The test data of Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula: implementation notes,
// supplementary test data, and mathematical observations": L a b, L a b, distance.
const PUBLISHED = [
  [50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425],
  [50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615],
  [50, 2.8361, -74.02, 50, 0, -82.7485, 3.4412],
  [50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0],
  [50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0],
  [50, -0.9009, -85.5211, 50, 0, -82.7485, 1.0],
  [50, 0, 0, 50, -1, 2, 2.3669],
  [50, -1, 2, 50, 0, 0, 2.3669],
  [50, 2.49, -0.001, 50, -2.49, 0.0009, 7.1792],
  [50, 2.49, -0.001, 50, -2.49, 0.001, 7.1792],
  [50, 2.49, -0.001, 50, -2.49, 0.0011, 7.2195],
  [50, 2.49, -0.001, 50, -2.49, 0.0012, 7.2195],
  [50, -0.001, 2.49, 50, 0.0009, -2.49, 4.8045],
  [50, -0.001, 2.49, 50, 0.001, -2.49, 4.8045],
  [50, -0.001, 2.49, 50, 0.0011, -2.49, 4.7461],
  [50, 2.5, 0, 50, 0, -2.5, 4.3065],
  [50, 2.5, 0, 73, 25, -18, 27.1492],
  [50, 2.5, 0, 61, -5, 29, 22.8977],
  [50, 2.5, 0, 56, -27, -3, 31.903],
  [50, 2.5, 0, 58, 24, 15, 19.4535],
  [50, 2.5, 0, 50, 3.1736, 0.5854, 1.0],
  [50, 2.5, 0, 50, 3.2972, 0, 1.0],
  [50, 2.5, 0, 50, 1.8634, 0.5757, 1.0],
  [50, 2.5, 0, 50, 3.2592, 0.335, 1.0],
  [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
  [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.263],
  [61.2901, 3.7196, -5.3901, 61.4292, 2.248, -4.962, 1.8731],
  [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
  [22.7233, 20.0904, -46.694, 23.0331, 14.973, -42.5619, 2.0373],
  [36.4612, 47.858, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
  [90.8027, -2.0831, 1.441, 91.1528, -1.6435, 0.0447, 1.4441],
  [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
  [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
  [2.0776, 0.0795, -1.135, 0.9033, -0.0636, -0.5514, 0.9082],
] as const;

test.each(PUBLISHED)(
  "R300: CIEDE2000 of (%f %f %f) and (%f %f %f) is %f as published",
  (...[l1, a1, b1, l2, a2, b2, distance]) => {
    const measure = differenceCiede2000();
    const one = { mode: "lab65", l: l1, a: a1, b: b1 } as const;
    const other = { mode: "lab65", l: l2, a: a2, b: b2 } as const;
    expect(measure(one, other)).toBeCloseTo(distance, 4);
  },
);

test("the two reds are half a unit apart and the third is not near them", () => {
  expect(colorDistance("#e53935", "#e43836")).toBeCloseTo(0.515, 2);
  expect(colorDistance("#e53935", "#d32f2f")).toBeCloseTo(4.65, 2);
});

function sighting(value: string, confidence: number, image = "a.png"): ColorSighting {
  return { image, value, confidence, weight: 0.1 };
}

test("R300: colours at most 2.0 apart become one, with the surest value and every source", () => {
  const groups = mergeColors([
    sighting("#e43836", 0.8, "b.png"),
    sighting("#d32f2f", 0.7),
    sighting("#e53935", 0.9),
    sighting("#e53935", 0.6, "c.png"),
  ]);
  expect(groups.map((group) => group.value)).toEqual(["#e53935", "#d32f2f"]);
  expect(groups[0]?.sources.map((source) => [source.image, source.value])).toEqual([
    ["a.png", "#e53935"],
    ["b.png", "#e43836"],
    ["c.png", "#e53935"],
  ]);
});

test("a chain of neighbours does not become one: each is compared with the first of the group", () => {
  // Each pair of neighbours is about 1.5 apart, the ends are about 3.
  const greys = ["#808080", "#858585", "#8a8a8a"];
  expect(colorDistance("#808080", "#858585")).toBeLessThan(2);
  expect(colorDistance("#808080", "#8a8a8a")).toBeGreaterThan(2);
  const groups = mergeColors(greys.map((grey, index) => sighting(grey, 0.9 - index / 10)));
  expect(groups.map((group) => group.value)).toEqual(["#808080", "#8a8a8a"]);
});

test("the order of the sightings makes no difference", () => {
  const sightings = ["#e53935", "#e43836", "#d32f2f", "#808080", "#858585"].map((value, index) =>
    sighting(value, 0.5 + (index % 2) / 10, `${index}.png`),
  );
  expect(mergeColors(sightings.toReversed())).toEqual(mergeColors(sightings));
});

test("what is no colour is refused by name", () => {
  expect(() => mergeColors([sighting("reddish", 1)])).toThrow('"reddish" is not a colour');
});
