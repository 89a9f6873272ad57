// Gives colours names that people would: a hue word and a step from 50 (light) to 950 (dark).
import { oklch } from "culori";

/** Hue words and the angle in OKLCH where each one begins. */
const HUES: readonly (readonly [startsAt: number, word: string])[] = [
  [0, "pink"],
  [14, "red"],
  [40, "orange"],
  [68, "amber"],
  [95, "yellow"],
  [115, "lime"],
  [138, "green"],
  [165, "teal"],
  [212, "cyan"],
  [232, "blue"],
  [272, "indigo"],
  [290, "violet"],
  [318, "magenta"],
  [345, "pink"],
];

/** Steps and the OKLCH lightness each stands for. */
const STEPS: readonly (readonly [step: number, lightness: number])[] = [
  [50, 0.975],
  [100, 0.94],
  [200, 0.89],
  [300, 0.82],
  [400, 0.73],
  [500, 0.64],
  [600, 0.55],
  [700, 0.47],
  [800, 0.39],
  [900, 0.32],
  [950, 0.24],
];

/** Less colourful than this is a grey; between the two it is one with a tinge. */
const CHROMA_GRAY_MAX = 0.035;
const CHROMA_NEUTRAL_MAX = 0.006;

/** A name for one colour, such as "red-600", "gray-100", "white". Equal colours get equal names. */
export function nameColor(hex: string): string {
  const color = oklch(hex);
  if (color === undefined) throw new TypeError(`"${hex}" is not a colour, expected "#rrggbb"`);
  if (color.l > 0.995) return "white";
  if (color.l < 0.1) return "black";
  const hue = color.c < CHROMA_GRAY_MAX ? findGray(color) : findHue(color.h ?? 0);
  return `${hue}-${findStep(color.l)}`;
}

function findGray({ c, h = 0 }: { readonly c: number; readonly h?: number }): string {
  if (c < CHROMA_NEUTRAL_MAX) return "gray";
  if (h >= 40 && h < 140) return "stone";
  return h >= 180 && h < 300 ? "slate" : "gray";
}

function findHue(angle: number): string {
  return HUES.findLast(([startsAt]) => angle >= startsAt)?.[1] ?? "pink";
}

function findStep(lightness: number): number {
  const [first = [500, 0.64], ...rest] = STEPS;
  return rest.reduce(
    (best, step) => (Math.abs(step[1] - lightness) < Math.abs(best[1] - lightness) ? step : best),
    first,
  )[0];
}

/** Makes names unique: the second "red-600" becomes "red-600-2". The first keeps its own. */
export function makeUnique(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}
