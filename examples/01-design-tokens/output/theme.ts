// Files for programs: `theme.ts` for React and TypeScript, `tailwind.config.js`. Neither imports anything.
import type { Token } from "../tokens/token.ts";
import { fullName, toCssValue, toRecord } from "./group.ts";

/** A typed theme, and the same tokens as a style object: `<main style={cssVariables}>`. */
export function toTheme(tokens: readonly Token[]): string {
  const theme = {
    color: toRecord(tokens, "color"),
    space: toRecord(tokens, "spacing"),
    radius: toRecord(tokens, "radius"),
    text: toRecord(tokens, "text"),
  };
  const variables = Object.fromEntries(
    tokens.map((token) => [`--${fullName(token)}`, toCssValue(token)]),
  );
  return [
    `export const theme = ${toSource(theme)} as const;\n`,
    "export type Theme = typeof theme;",
    'export type ColorName = keyof Theme["color"];',
    'export type SpaceName = keyof Theme["space"];',
    'export type RadiusName = keyof Theme["radius"];',
    'export type TextName = keyof Theme["text"];\n',
    "/** All tokens as custom properties, for the style of one element and everything in it. */",
    `export const cssVariables: Readonly<Record<\`--\${string}\`, string>> = ${toSource(variables)};\n`,
  ].join("\n");
}

/** Extends Tailwind's own theme, so that its defaults stay available. */
export function toTailwind(tokens: readonly Token[]): string {
  const extend = {
    colors: toRecord(tokens, "color"),
    spacing: toRecord(tokens, "spacing"),
    borderRadius: toRecord(tokens, "radius"),
    fontSize: toRecord(tokens, "text"),
  };
  const config = toSource({ theme: { extend } });
  return `/** @type {import("tailwindcss").Config} */\nexport default ${config};\n`;
}

function toSource(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
