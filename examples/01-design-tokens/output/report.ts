// What the report says, as one plain value: `report.json` is this value, `report.html` draws it. Nothing in
// it depends on when, where or how fast the run was.
import type { Size } from "../image/fit.ts";
import { colorDistance } from "../tokens/merge-colors.ts";
import { colorsOf } from "../tokens/token.ts";
import type { Source, Token } from "../tokens/token.ts";
import type { TokenDifference } from "../tokens/difference.ts";
import type { ValidatedSet } from "../tokens/validate.ts";
import { roundShare } from "./group.ts";

/** One picture of the folder. */
export interface ReportImage {
  readonly file: string;
  readonly source: Size;
  readonly size: Size;
  readonly bytes: number;
  readonly seenShare: number;
  /** A small PNG. Only `report.html` shows it. */
  readonly thumbnail: Uint8Array;
}

/** Everything the report draws on. */
export interface ReportInput {
  readonly brand: string;
  readonly set: ValidatedSet;
  readonly images: readonly ReportImage[];
  /** Against an earlier `tokens.json`, when one was given. */
  readonly difference?: TokenDifference;
}

/** A colour token that stands for several shades. */
export interface ColorMerge {
  readonly token: string;
  readonly value: string;
  readonly shades: readonly {
    readonly value: string;
    /** CIEDE2000, from the token's own value. */
    readonly distance: number;
    readonly sources: readonly Source[];
  }[];
}

/** Colour tokens with more than one shade, each shade with its pictures. */
export function listMerges(tokens: readonly Token[]): ColorMerge[] {
  return colorsOf(tokens).flatMap((token) => {
    const values = [...new Set(token.sources.map((source) => source.value))];
    if (values.length < 2) return [];
    const shades = values.map((value) => ({
      value,
      distance: roundShare(colorDistance(token.value, value)),
      sources: token.sources.filter((source) => source.value === value),
    }));
    return [{ token: token.name, value: token.value, shades }];
  });
}

/** The report as a JSON value. */
export function toReport({ brand, set, images, difference }: ReportInput): unknown {
  return roundAll({
    brand,
    strict: set.strict,
    scores: set.scores,
    tokens: set.tokens,
    merges: listMerges(set.tokens),
    contrast: set.contrast,
    visionConflicts: set.conflicts,
    faults: set.faults,
    dropped: set.dropped,
    images: images.map(({ file, source, size, bytes, seenShare }) => {
      return { file, source, size, bytes, seenShare };
    }),
    errors: groupErrors(set),
    ...(difference === undefined ? {} : { difference }),
  });
}

function groupErrors(set: ValidatedSet): Record<string, unknown> {
  const files = [...new Set(set.errors.map((error) => error.file))];
  return Object.fromEntries(
    files.map((file) => [
      file,
      set.errors
        .filter((error) => error.file === file)
        .map(({ part, message }) => ({ part, message })),
    ]),
  );
}

function roundAll(value: unknown): unknown {
  if (typeof value === "number") return roundShare(value);
  if (Array.isArray(value)) return value.map(roundAll);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, roundAll(inner)]));
}
