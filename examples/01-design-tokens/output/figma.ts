// `figma.json`: the body that Figma's REST API takes at POST /v1/files/{key}/variables. Ids are ours and
// temporary; Figma replaces them. One collection, one mode.
import type { Token, TokenKind } from "../tokens/token.ts";
import { GROUPS, roundShare } from "./group.ts";

const COLLECTION_ID = "design-tokens";
const MODE_ID = "default";

/** Where Figma offers a variable of each kind. */
const SCOPES: Readonly<Record<TokenKind, readonly string[]>> = {
  color: ["ALL_SCOPES"],
  spacing: ["GAP", "WIDTH_HEIGHT"],
  radius: ["CORNER_RADIUS"],
  text: ["FONT_SIZE"],
};

/** The set as variables, named "color/red-500". */
export function toFigma(tokens: readonly Token[]): Record<string, unknown> {
  return {
    variableCollections: [
      { action: "CREATE", id: COLLECTION_ID, name: "Design tokens", initialModeId: MODE_ID },
    ],
    variableModes: [
      { action: "UPDATE", id: MODE_ID, name: "Default", variableCollectionId: COLLECTION_ID },
    ],
    variables: tokens.map((token) => ({
      action: "CREATE",
      id: toName(token),
      name: toName(token),
      variableCollectionId: COLLECTION_ID,
      resolvedType: token.kind === "color" ? "COLOR" : "FLOAT",
      scopes: SCOPES[token.kind],
    })),
    variableModeValues: tokens.map((token) => ({
      variableId: toName(token),
      modeId: MODE_ID,
      value: token.kind === "color" ? toChannels(token.value) : token.value,
    })),
  };
}

function toName(token: Token): string {
  return `${GROUPS[token.kind]}/${token.name}`;
}

function toChannels(hex: string): Record<"r" | "g" | "b" | "a", number> {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) =>
    roundShare(Number.parseInt(hex.slice(at, at + 2), 16) / 255),
  );
  return { r, g, b, a: 1 };
}
