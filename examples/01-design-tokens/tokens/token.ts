// The nouns of the later stages: a token, where it was seen, and a set of tokens. Plain values throughout,
// since they are stored between stages and written to files.

/** Kinds of tokens, in the order of every file and table. */
export const TOKEN_KINDS = ["color", "spacing", "radius", "text"] as const;

/** What a token is a decision about. */
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** One sighting that a token rests on. */
export interface Source {
  /** File inside the folder. */
  readonly image: string;
  /** What was seen there, before merging: "#e43836" or "24px". */
  readonly value: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** How much of it: share of the picture for colours, a count for lengths. */
  readonly weight: number;
}

interface Evidence {
  /** Unique among the tokens of its kind; lower case letters, digits and hyphens. */
  readonly name: string;
  /** The highest confidence of all sources, 0 to 1. */
  readonly confidence: number;
  /** All sources taken together: more of them can only raise it, 0 to 1. */
  readonly combined: number;
  readonly sources: readonly Source[];
}

/** A colour somebody chose. */
export interface ColorToken extends Evidence {
  readonly kind: "color";
  /** "#rrggbb". */
  readonly value: string;
  /** Mean share over all pictures, 0 to 1. */
  readonly coverage: number;
}

/** A length somebody chose: a distance, a corner radius or a font size. */
export interface LengthToken extends Evidence {
  readonly kind: "spacing" | "radius" | "text";
  /** In pixels. */
  readonly value: number;
}

/** One decision of a design. */
export type Token = ColorToken | LengthToken;

/** Which colour was written on which, and how large. Colours are names of tokens. */
export interface TextUse {
  readonly ink: string;
  readonly ground: string;
  readonly sizePx: number;
  readonly glyphs: number;
  readonly images: readonly string[];
}

/** A file that gave nothing, or less than it should have. */
export interface FileError {
  readonly file: string;
  /** "preprocess", or the extractor that failed. */
  readonly part: string;
  readonly message: string;
}

/** What `aggregate` hands on. */
export interface TokenSet {
  readonly images: number;
  readonly tokens: readonly Token[];
  readonly uses: readonly TextUse[];
  readonly errors: readonly FileError[];
}

/** `min(1, s (1 + 0.1 (n - 1)))`, where s is the weighted mean over n sources. Zero without sources. */
export function combineConfidence(sources: readonly Source[]): number {
  const total = sources.reduce((sum, source) => sum + source.weight, 0);
  if (total <= 0) return 0;
  const mean = sources.reduce((sum, source) => sum + source.weight * source.confidence, 0) / total;
  return Math.min(1, mean * (1 + 0.1 * (sources.length - 1)));
}

/** The colours of a set, in their order. */
export function colorsOf(tokens: readonly Token[]): ColorToken[] {
  return tokens.filter((token) => token.kind === "color");
}

/** The lengths of one kind, in their order. */
export function lengthsOf(tokens: readonly Token[], kind: LengthToken["kind"]): LengthToken[] {
  return tokens.filter((token) => token.kind !== "color").filter((token) => token.kind === kind);
}
