// What the extractors say about one picture. A reading is a plain value: it is stored as the output of one
// item and read again by `aggregate`, perhaps in another process.

/** In the order in which their findings are joined. */
export const EXTRACTORS = ["color", "spacing", "shape", "type"] as const;

/** One way of looking at a picture. */
export type Extractor = (typeof EXTRACTORS)[number];

/** One colour of a picture. */
export interface ColorFinding {
  readonly hex: string;
  /** Share of the seen pixels, 0 to 1. */
  readonly coverage: number;
  /** How sure the extractor is that somebody chose this colour, 0 to 1. */
  readonly confidence: number;
  /** `flat`: areas of exactly this colour. `blend`: the middle of a cloud of similar ones. */
  readonly origin: "flat" | "blend";
}

/** A length in pixels and how often it was met. */
export interface LengthCount {
  readonly px: number;
  readonly count: number;
}

/** Lines of text that look alike: same size, same colours. */
export interface TextFinding {
  /** Estimated font size. */
  readonly sizePx: number;
  readonly ink: string;
  readonly ground: string;
  readonly lines: number;
  readonly glyphs: number;
}

/** What one extractor found in one picture. */
export type Reading =
  | { readonly kind: "color"; readonly colors: readonly ColorFinding[] }
  | { readonly kind: "spacing"; readonly gaps: readonly LengthCount[] }
  | {
      readonly kind: "shape";
      readonly boxes: number;
      /** Corners by radius; square corners are `px: 0`. */
      readonly corners: readonly LengthCount[];
      /** Boxes whose short side is one arc: pills and circles. */
      readonly pills: number;
    }
  | { readonly kind: "type"; readonly texts: readonly TextFinding[] };

/** Counts equal lengths; sorted by length. */
export function countLengths(lengths: Iterable<number>): LengthCount[] {
  const counts = new Map<number, number>();
  for (const px of lengths) counts.set(px, (counts.get(px) ?? 0) + 1);
  return [...counts].map(([px, count]) => ({ px, count })).sort((one, other) => one.px - other.px);
}
