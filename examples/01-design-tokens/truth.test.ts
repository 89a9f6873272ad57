// The extractors against the truth: pictures rendered from pages whose colours, distances, radii and sizes
// are known because a style sheet says so.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { readImage } from "./extract/extractor.ts";
import { EXTRACTORS } from "./extract/reading.ts";
import { toPicture } from "./image/picture.ts";
import { decodePng } from "./image/png-file.ts";
import { aggregateReadings } from "./tokens/aggregate.ts";
import type { FileReading } from "./tokens/aggregate.ts";
import { colorDistance } from "./tokens/merge-colors.ts";
import { colorsOf, lengthsOf } from "./tokens/token.ts";
import type { TokenSet } from "./tokens/token.ts";

const FIXTURES = join(import.meta.dirname, "fixtures");

const TRUTH = z
  .object({
    colors: z.record(z.string(), z.string()),
    spacing: z.object({ unit: z.number(), scale: z.array(z.number()) }),
    radii: z.array(z.number()),
    textSizes: z.array(z.number()),
    images: z.array(z.object({ file: z.string(), coverage: z.record(z.string(), z.number()) })),
  })
  .parse(JSON.parse(readFileSync(join(FIXTURES, "truth.json"), "utf8")));

function readBrand(files: readonly string[]): FileReading[] {
  return files.flatMap((file) => {
    const picture = toPicture(decodePng(readFileSync(join(FIXTURES, "brand", file)), file));
    return EXTRACTORS.map((extractor) => ({ file, reading: readImage(picture, extractor) }));
  });
}

const readings = readBrand(readdirSync(join(FIXTURES, "brand")).toSorted());
const set: TokenSet = aggregateReadings(readings, { images: 8, errors: [] });
const colors = colorsOf(set.tokens);

const DEMANDED = TRUTH.images.flatMap(({ file, coverage }) =>
  Object.entries(coverage)
    .filter(([, share]) => share >= 0.02)
    .map(([name, share]) => ({ file, name, hex: TRUTH.colors[name] ?? "", share })),
);

test("the truth asks for something in every page", () => {
  expect(new Set(DEMANDED.map(({ file }) => file)).size).toBe(6);
  expect(DEMANDED.length).toBeGreaterThan(30);
});

test.each(DEMANDED)("R300: $name of $file is found within distance 2", ({ file, hex, share }) => {
  const token = colors.find(
    (color) =>
      colorDistance(color.value, hex) <= 2 && color.sources.some(({ image }) => image === file),
  );
  expect(token?.sources.find(({ image }) => image === file)?.weight).toBeCloseTo(share, 1);
});

test("R300: the two reds are one token with both sources, the third red is another", () => {
  const [red, ...rest] = colors.filter(({ sources }) =>
    sources.some(({ value }) => value === "#e43836"),
  );
  expect(rest).toEqual([]);
  expect(red?.value).toBe("#e53935");
  const sources = red?.sources.map(({ image, value }) => `${image} ${value}`);
  expect(sources?.toSorted()).toEqual([
    "status-1280.png #e43836",
    "status-1280.png #e53935",
    "status-768.png #e43836",
    "status-768.png #e53935",
  ]);
  const deep = colors.find(({ value }) => value === "#d32f2f");
  expect(deep?.name).not.toBe(red?.name);
});

test("R300: the spacing unit is exact, and so are the multiples in use", () => {
  const [unit, ...multiples] = lengthsOf(set.tokens, "spacing");
  expect(unit).toMatchObject({ name: "unit", value: TRUTH.spacing.unit });
  const found = multiples.map(({ value }) => value);
  // No page keeps a distance of 64 between two straight edges.
  expect(found).toEqual(TRUTH.spacing.scale.filter((px) => px < 64));
});

test("R300: the corner radii are exact", () => {
  expect(lengthsOf(set.tokens, "radius").map(({ value }) => value)).toEqual(TRUTH.radii);
});

test.each(TRUTH.textSizes)("R300: text of %i px is found within 7 %%", (size) => {
  const nearest = lengthsOf(set.tokens, "text").map(({ value }) => Math.abs(value - size) / size);
  expect(Math.min(...nearest)).toBeLessThan(0.07);
});

test("R300: text and its ground are the colours of the style sheet", () => {
  const values = new Map(colors.map(({ name, value }) => [name, value]));
  const uses = set.uses.map(({ ink, ground }) => `${values.get(ink)} on ${values.get(ground)}`);
  const { ink, slate, surface, foam, deep, alert } = TRUTH.colors;
  expect(uses).toEqual(
    expect.arrayContaining([
      `${ink} on ${surface}`,
      `${slate} on ${surface}`,
      `${foam} on ${deep}`,
      `${surface} on ${alert}`,
    ]),
  );
});

test("the order in which pictures were read makes no difference to values and names", () => {
  const other = aggregateReadings(readings.toReversed(), { images: 8, errors: [] });
  const outline = (tokens: TokenSet["tokens"]): unknown =>
    tokens.map(({ kind, name, value, confidence }) => ({ kind, name, value, confidence }));
  expect(outline(other.tokens)).toEqual(outline(set.tokens));
});
