import { expect, test } from "vitest";
import { mergeLengths, toRadiusTokens, toSpacingTokens, toTextTokens } from "./length-token.ts";

const seen = (
  px: number,
  count: number,
  image = "a.png",
): { image: string; px: number; count: number } => ({
  image,
  px,
  count,
});

test("lengths join the most frequent one near them", () => {
  const groups = mergeLengths([seen(16, 40), seen(15, 8, "b.png"), seen(20, 9), seen(19, 3)], 0.08);
  expect(groups.map(({ px, count }) => ({ px, count }))).toEqual([
    { px: 16, count: 48 },
    { px: 20, count: 12 },
  ]);
  expect(groups[0]?.sightings.map(({ image }) => image)).toEqual(["a.png", "b.png"]);
});

test("without tolerance only equal lengths join", () => {
  expect(mergeLengths([seen(8, 1), seen(9, 5), seen(8, 1)], 0)).toMatchObject([
    { px: 8, count: 2 },
    { px: 9, count: 5 },
  ]);
});

test("spacing tokens are the unit and its multiples; accidents are left out", () => {
  const tokens = toSpacingTokens([
    seen(8, 6),
    seen(16, 9),
    seen(24, 12, "b.png"),
    seen(13, 2),
    seen(40, 1),
    seen(136, 5),
  ]);
  expect(tokens.map(({ name, value }) => `${name} ${value}`)).toEqual([
    "unit 8",
    "1 8",
    "2 16",
    "3 24",
  ]);
  expect(tokens[0]?.sources.map(({ image }) => image)).toEqual(["a.png", "b.png"]);
});

test("distances without a unit give no tokens", () => {
  expect(toSpacingTokens([seen(7, 4), seen(11, 4), seen(13, 4), seen(17, 4), seen(23, 4)])).toEqual(
    [],
  );
});

test("radii are named by their rank; square corners and rare ones are none", () => {
  const tokens = toRadiusTokens([
    seen(0, 90),
    seen(4, 20),
    seen(5, 2),
    seen(8, 30),
    seen(16, 12),
    seen(31, 1),
  ]);
  expect(tokens.map(({ name, value }) => `${name} ${value}`)).toEqual(["sm 4", "md 8", "lg 16"]);
  expect(toRadiusTokens([])).toEqual([]);
});

test("font sizes take the nearest common name; a few letters are no size", () => {
  const tokens = toTextTokens(
    mergeLengths([seen(14, 60), seen(16, 300), seen(47, 18), seen(81, 7)], 0.08),
  );
  expect(tokens.map(({ name, value }) => `${name} ${value}`)).toEqual([
    "sm 14",
    "base 16",
    "5xl 47",
  ]);
});

test("confidence grows with the count and never reaches certainty", () => {
  const [rare, common] = toRadiusTokens([seen(4, 3), seen(12, 60)]);
  expect(rare?.confidence).toBeCloseTo(0.68);
  expect(common?.confidence).toBe(0.98);
});
