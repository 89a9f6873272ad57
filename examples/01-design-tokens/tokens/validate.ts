// The fourth stage, without the engine: judges a set of tokens. It checks names and values, contrast and
// colour vision, and rates the whole. In strict mode it drops what is invalid or unsure; deciding that
// nothing is left is up to the caller.
import { findVisionConflicts } from "./color-vision.ts";
import type { VisionConflict } from "./color-vision.ts";
import { judgeContrast } from "./contrast.ts";
import type { ContrastVerdict } from "./contrast.ts";
import { nameColor } from "./name-color.ts";
import { colorsOf, TOKEN_KINDS } from "./token.ts";
import type { ColorToken, TextUse, Token, TokenSet } from "./token.ts";

/** In strict mode tokens below this confidence are dropped. */
const CONFIDENCE_MIN = 0.5;

/** Text as it was seen, judged. */
export interface ContrastRow extends TextUse, ContrastVerdict {}

/** A token that is not passed on, or would not be in strict mode. */
export interface TokenFault {
  readonly kind: Token["kind"];
  readonly name: string;
  readonly problem: string;
  /** `unsure`: no error; strict mode drops the token, the ordinary mode keeps it. */
  readonly severity: "invalid" | "unsure";
}

/** The marks, each 0 to 1. */
export interface Scores {
  readonly confidence: number;
  readonly completeness: number;
  readonly naming: number;
  /** 0.5 confidence + 0.3 completeness + 0.2 naming. */
  readonly quality: number;
  /** Share of the text that reaches AA; 1 when no text was seen, 0 when nothing was. */
  readonly accessibility: number;
  /** 0.4 accessibility + 0.4 quality + 0.2 (clean: 1.0, with errors: 0.5). */
  readonly overall: number;
}

/** What `validate` hands on. */
export interface ValidatedSet extends TokenSet {
  readonly strict: boolean;
  readonly faults: readonly TokenFault[];
  /** Tokens that were left out because of a fault; only in strict mode. */
  readonly dropped: number;
  readonly contrast: readonly ContrastRow[];
  readonly conflicts: readonly VisionConflict[];
  readonly scores: Scores;
}

/** Judges a set. Errors of files count as errors of the set. */
export function validateTokens(set: TokenSet, options: { readonly strict: boolean }): ValidatedSet {
  const faults = set.tokens.flatMap((token) => findFaults(token, set.tokens));
  const isFaulty = (token: Token): boolean =>
    faults.some((fault) => fault.kind === token.kind && fault.name === token.name);
  const tokens = options.strict ? set.tokens.filter((token) => !isFaulty(token)) : set.tokens;
  const colors = colorsOf(tokens).filter((color) => isValid(color.value));
  const contrast = judgeUses(set.uses, colors);
  const isClean = set.errors.length === 0 && faults.every((fault) => fault.severity === "unsure");
  return {
    ...set,
    tokens,
    strict: options.strict,
    faults,
    dropped: set.tokens.length - tokens.length,
    contrast,
    conflicts: findVisionConflicts(colors),
    scores: rate(tokens, contrast, isClean),
  };
}

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const HEX = /^#[0-9a-f]{6}$/;
const LENGTH_PX_MAX = 4096;

function findFaults(token: Token, all: readonly Token[]): TokenFault[] {
  const { kind, name, value, confidence } = token;
  const namesakes = all.filter((other) => other.kind === kind && other.name === name);
  const invalid = [
    NAME.test(name) ? "" : `name "${name}" has characters other than a to z, 0 to 9 and hyphens`,
    namesakes.length === 1 ? "" : `name "${name}" is used ${namesakes.length} times`,
    isValid(value) ? "" : `value "${value}" is neither "#rrggbb" nor 1 to ${LENGTH_PX_MAX} px`,
  ];
  const unsure = `confidence ${confidence.toFixed(2)} is below ${CONFIDENCE_MIN}`;
  return [
    ...invalid
      .filter((problem) => problem !== "")
      .map((problem) => ({ kind, name, problem, severity: "invalid" as const })),
    ...(confidence < CONFIDENCE_MIN
      ? [{ kind, name, problem: unsure, severity: "unsure" as const }]
      : []),
  ];
}

function isValid(value: Token["value"]): boolean {
  return typeof value === "string" ? HEX.test(value) : value > 0 && value <= LENGTH_PX_MAX;
}

function judgeUses(uses: readonly TextUse[], colors: readonly ColorToken[]): ContrastRow[] {
  const values = new Map(colors.map((color) => [color.name, color.value]));
  return uses.flatMap((use) => {
    const [ink, ground] = [values.get(use.ink), values.get(use.ground)];
    if (ink === undefined || ground === undefined) return [];
    return [{ ...use, ...judgeContrast(ink, ground, use.sizePx) }];
  });
}

function rate(
  tokens: readonly Token[],
  contrast: readonly ContrastRow[],
  isClean: boolean,
): Scores {
  const confidence = meanOf(tokens.map((token) => token.confidence));
  const kinds = TOKEN_KINDS.filter((kind) => tokens.some((token) => token.kind === kind));
  const completeness = kinds.length / TOKEN_KINDS.length;
  const naming = meanOf(tokens.map((token) => Number(isWellNamed(token))));
  const quality = 0.5 * confidence + 0.3 * completeness + 0.2 * naming;
  const readable = contrast.length === 0 ? 1 : meanOf(contrast.map((row) => Number(row.aa)));
  const accessibility = tokens.length === 0 ? 0 : readable;
  const overall = 0.4 * accessibility + 0.4 * quality + 0.2 * (isClean ? 1 : 0.5);
  return { confidence, completeness, naming, quality, accessibility, overall };
}

/** A colour whose name had to be numbered is one of several that nobody can tell apart by name. */
function isWellNamed(token: Token): boolean {
  if (!NAME.test(token.name) || !isValid(token.value)) return false;
  return token.kind !== "color" || token.name === nameColor(token.value);
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
