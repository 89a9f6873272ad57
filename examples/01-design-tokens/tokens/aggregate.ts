// The third stage, without the engine: joins the readings of all pictures into one set of tokens, each with
// every place it was seen. Readings are joined in the order they are given, never in the order in which
// they were made, so the same pictures always give the same set.
import type { Reading, TextFinding } from "../extract/reading.ts";
import { mergeLengths, toRadiusTokens, toSpacingTokens, toTextTokens } from "./length-token.ts";
import type { LengthSighting } from "./length-token.ts";
import { colorDistance, MERGE_DISTANCE_MAX, mergeColors } from "./merge-colors.ts";
import type { ColorGroup, ColorSighting } from "./merge-colors.ts";
import { makeUnique, nameColor } from "./name-color.ts";
import { combineConfidence } from "./token.ts";
import type { ColorToken, FileError, TextUse, TokenSet } from "./token.ts";

/** What one extractor said about one file. */
export interface FileReading {
  readonly file: string;
  readonly reading: Reading;
}

/** Joins readings. `images` is how many pictures were read, also those in which nothing was found. */
export function aggregateReadings(
  readings: readonly FileReading[],
  context: { readonly images: number; readonly errors: readonly FileError[] },
): TokenSet {
  const groups = mergeColors(readings.flatMap(toColorSightings));
  const colors = toColorTokens(groups, context.images);
  const texts = readings.flatMap(({ file, reading }) =>
    reading.kind === "type" ? reading.texts.map((text) => ({ file, text })) : [],
  );
  return {
    images: context.images,
    tokens: [
      ...colors,
      ...toSpacingTokens(readings.flatMap((item) => toLengths(item, "spacing"))),
      ...toRadiusTokens(readings.flatMap((item) => toLengths(item, "shape"))),
      ...toTextTokens(
        mergeLengths(
          readings.flatMap((item) => toLengths(item, "type")),
          0.08,
        ),
      ),
    ],
    uses: toTextUses(texts, colors),
    errors: context.errors,
  };
}

function toColorSightings({ file, reading }: FileReading): ColorSighting[] {
  if (reading.kind !== "color") return [];
  return reading.colors.map(({ hex, confidence, coverage }) => ({
    image: file,
    value: hex,
    confidence,
    weight: coverage,
  }));
}

function toColorTokens(groups: readonly ColorGroup[], images: number): ColorToken[] {
  const tokens = groups.map(({ value, sources }) => ({
    kind: "color" as const,
    value,
    confidence: sources[0]?.confidence ?? 0,
    combined: combineConfidence(sources),
    coverage: sources.reduce((sum, source) => sum + source.weight, 0) / Math.max(1, images),
    sources,
  }));
  const sorted = tokens.sort(
    (one, other) =>
      other.confidence - one.confidence ||
      other.combined - one.combined ||
      other.coverage - one.coverage ||
      (one.value < other.value ? -1 : 1),
  );
  const names = makeUnique(sorted.map((token) => nameColor(token.value)));
  return sorted.map((token, index) => ({ ...token, name: names[index] ?? "" }));
}

function toLengths({ file, reading }: FileReading, kind: Reading["kind"]): LengthSighting[] {
  if (reading.kind !== kind) return [];
  switch (reading.kind) {
    case "spacing":
      return reading.gaps.map(({ px, count }) => ({ image: file, px, count }));
    case "shape":
      return reading.corners.map(({ px, count }) => ({ image: file, px, count }));
    case "type":
      return reading.texts.map(({ sizePx, glyphs }) => ({
        image: file,
        px: sizePx,
        count: glyphs,
      }));
    case "color":
      return [];
  }
}

/** Gathers text by the tokens of its colours; colours that became no token are left out. */
function toTextUses(
  texts: readonly { readonly file: string; readonly text: TextFinding }[],
  colors: readonly ColorToken[],
): TextUse[] {
  const uses = new Map<string, TextUse>();
  for (const { file, text } of texts) {
    const [ink, ground] = [findColor(colors, text.ink), findColor(colors, text.ground)];
    if (ink === undefined || ground === undefined || ink === ground) continue;
    const isLarge = text.sizePx >= 24;
    const key = `${ink} ${ground} ${isLarge}`;
    const known = uses.get(key);
    uses.set(key, {
      ink,
      ground,
      sizePx: Math.min(text.sizePx, known?.sizePx ?? text.sizePx),
      glyphs: text.glyphs + (known?.glyphs ?? 0),
      images: [...new Set([...(known?.images ?? []), file])],
    });
  }
  return [...uses.values()].sort(
    (one, other) =>
      other.glyphs - one.glyphs ||
      (`${one.ink} ${one.ground}` < `${other.ink} ${other.ground}` ? -1 : 1),
  );
}

/** The name of the token that a colour was merged into, or of one that looks the same. */
function findColor(colors: readonly ColorToken[], hex: string): string | undefined {
  const exact = colors.find((color) => color.sources.some((source) => source.value === hex));
  if (exact !== undefined) return exact.name;
  return colors.find((color) => colorDistance(color.value, hex) <= MERGE_DISTANCE_MAX)?.name;
}
