// What all output files agree on: what a kind of token is called in them, and how numbers are rounded.
import type { Token, TokenKind } from "../tokens/token.ts";

/** The word that stands before a token's name in every file. */
export const GROUPS: Readonly<Record<TokenKind, string>> = {
  color: "color",
  spacing: "space",
  radius: "radius",
  text: "text",
};

/** "color-red-500": the full name of a token in CSS, SCSS and TypeScript. */
export function fullName(token: Token): string {
  return `${GROUPS[token.kind]}-${token.name}`;
}

/** "#e53935" or "24px". */
export function toCssValue(token: Token): string {
  return token.kind === "color" ? token.value : `${token.value}px`;
}

/** Four digits: finer differences are noise, and would make equal files differ. */
export function roundShare(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}

/** Names to values of one kind, for files that want an object. */
export function toRecord(tokens: readonly Token[], kind: TokenKind): Record<string, string> {
  const own = tokens.filter((token) => token.kind === kind);
  return Object.fromEntries(own.map((token) => [token.name, toCssValue(token)]));
}
