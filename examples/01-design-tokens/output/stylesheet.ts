// `tokens.css` and `tokens.scss`: the same names and values, as custom properties and as variables.
import { TOKEN_KINDS } from "../tokens/token.ts";
import type { Token } from "../tokens/token.ts";
import { fullName, GROUPS, toCssValue } from "./group.ts";

/** Custom properties on `:root`, a blank line between the kinds. */
export function toCss(tokens: readonly Token[]): string {
  const blocks = byKind(tokens).map((own) =>
    own.map((token) => `  --${fullName(token)}: ${toCssValue(token)};`).join("\n"),
  );
  return `:root {\n${blocks.join("\n\n")}\n}\n`;
}

/** One variable per token, then one map per kind. */
export function toScss(tokens: readonly Token[]): string {
  const variables = byKind(tokens).map((own) =>
    own.map((token) => `$${fullName(token)}: ${toCssValue(token)};`).join("\n"),
  );
  const maps = byKind(tokens).map((own) => {
    const rows = own.map((token) => `  "${token.name}": $${fullName(token)},`);
    return `$${GROUPS[own[0]?.kind ?? "color"]}s: (\n${rows.join("\n")}\n);`;
  });
  return `${[...variables, ...maps].join("\n\n")}\n`;
}

function byKind(tokens: readonly Token[]): Token[][] {
  return TOKEN_KINDS.map((kind) => tokens.filter((token) => token.kind === kind)).filter(
    (own) => own.length > 0,
  );
}
