import { expect, test } from "vitest";
import type { ColorToken, LengthToken, Token, TokenSet } from "./token.ts";
import { validateTokens } from "./validate.ts";

function color(name: string, value: string, confidence = 0.9): ColorToken {
  const sources = [{ image: "a.png", value, confidence, weight: 0.1 }];
  return { kind: "color", name, value, confidence, combined: confidence, coverage: 0.1, sources };
}

function spacing(name: string, value: number, confidence = 0.9): LengthToken {
  return { kind: "spacing", name, value, confidence, combined: confidence, sources: [] };
}

function setOf(tokens: readonly Token[], extra: Partial<TokenSet> = {}): TokenSet {
  return { images: 1, tokens, uses: [], errors: [], ...extra };
}

const WHITE = color("white", "#ffffff");
const GRAY = color("gray-600", "#777777");
const BLACK = color("black", "#000000");

function use(ink: string, ground: string, sizePx = 16): TokenSet["uses"][number] {
  return { ink, ground, sizePx, glyphs: 20, images: ["a.png"] };
}

test("R300: text is judged by the colours of its tokens", () => {
  const { contrast, scores } = validateTokens(
    setOf([WHITE, GRAY, BLACK], {
      uses: [use("black", "white"), use("gray-600", "white"), use("gray-600", "white", 30)],
    }),
    { strict: false },
  );
  expect(contrast.map(({ aa, aaa }) => [aa, aaa])).toEqual([
    [true, true],
    [false, false],
    [true, false],
  ]);
  expect(scores.accessibility).toBeCloseTo(2 / 3);
});

test("R300: quality and overall follow their formulae", () => {
  const { scores } = validateTokens(
    setOf([color("white", "#ffffff", 0.8), spacing("unit", 8, 0.6)], { uses: [] }),
    { strict: false },
  );
  expect(scores).toMatchObject({ confidence: 0.7, completeness: 0.5, naming: 1, accessibility: 1 });
  expect(scores.quality).toBeCloseTo(0.5 * 0.7 + 0.3 * 0.5 + 0.2);
  expect(scores.overall).toBeCloseTo(0.4 + 0.4 * scores.quality + 0.2);
});

test("R300: an error takes half of the last part of the overall score, an unsure token does not", () => {
  const overall = (set: TokenSet): number => validateTokens(set, { strict: false }).scores.overall;
  const error = { file: "b.png", part: "preprocess", message: "cut off" };
  expect(overall(setOf([WHITE])) - overall(setOf([WHITE], { errors: [error] }))).toBeCloseTo(0.1);
  const unsure = validateTokens(setOf([color("white", "#ffffff", 0.3)]), { strict: false });
  expect(unsure.scores.overall).toBeCloseTo(0.4 + 0.4 * unsure.scores.quality + 0.2);
});

test("R300: strict drops what is invalid or unsure, and says why; otherwise it is only said", () => {
  const tokens = [
    WHITE,
    color("gray-500", "#8d9093", 0.41),
    color("Bad Name", "#112233"),
    color("red-500", "reddish"),
    spacing("unit", 0),
    spacing("1", 8),
    spacing("1", 9),
  ];
  const strict = validateTokens(setOf(tokens), { strict: true });
  expect(strict.tokens).toEqual([WHITE]);
  expect(strict.dropped).toBe(6);
  expect(strict.faults.map(({ name, severity }) => `${name} ${severity}`)).toEqual([
    "gray-500 unsure",
    "Bad Name invalid",
    "red-500 invalid",
    "unit invalid",
    "1 invalid",
    "1 invalid",
  ]);
  const open = validateTokens(setOf(tokens), { strict: false });
  expect(open.tokens).toHaveLength(7);
  expect(open.faults).toEqual(strict.faults);
});

test("text whose colours were dropped is not judged", () => {
  const set = setOf([WHITE, color("gray-500", "#8d9093", 0.3)], {
    uses: [use("gray-500", "white")],
  });
  expect(validateTokens(set, { strict: true }).contrast).toEqual([]);
});

test("R300: colours that only some people can tell apart are found", () => {
  const pair = [color("red-600", "#c03020"), color("green-700", "#3d6b1f")];
  const { conflicts } = validateTokens(setOf([...pair, color("blue-600", "#0050d0")]), {
    strict: false,
  });
  expect(conflicts[0]).toMatchObject({ one: "red-600", other: "green-700" });
  expect(conflicts[0]?.vision).toMatch(/protanopia|deuteranopia/);
  expect(conflicts.every(({ one, other }) => one !== "blue-600" && other !== "blue-600")).toBe(
    true,
  );
});

test("an empty set is judged, not refused", () => {
  const { scores } = validateTokens(setOf([]), { strict: false });
  expect(scores).toMatchObject({
    confidence: 0,
    naming: 0,
    quality: 0,
    accessibility: 0,
    overall: 0.2,
  });
});
