// `tokens.json`: the format of the Design Tokens Community Group (2025.10). Every leaf has `$type` and
// `$value`; what the token rests on stands in `$extensions`, which other tools carry along unread.
import type { Source, Token } from "../tokens/token.ts";
import { GROUPS, roundShare } from "./group.ts";

/** The set as a JSON value, groups and tokens in the order of the set. */
export function toW3c(tokens: readonly Token[]): Record<string, unknown> {
  const groups: Record<string, Record<string, unknown>> = {};
  for (const token of tokens) {
    const group = GROUPS[token.kind];
    groups[group] = { ...groups[group], [token.name]: toLeaf(token) };
  }
  return groups;
}

function toLeaf(token: Token): Record<string, unknown> {
  const evidence = {
    confidence: roundShare(token.confidence),
    combined: roundShare(token.combined),
    ...(token.kind === "color" ? { coverage: roundShare(token.coverage) } : {}),
    sources: token.sources.map(toEvidence),
  };
  return { ...toValue(token), $extensions: { "dev.millrace.evidence": evidence } };
}

function toValue(token: Token): Record<string, unknown> {
  if (token.kind !== "color") {
    return { $type: "dimension", $value: { value: token.value, unit: "px" } };
  }
  const components = [1, 3, 5].map((at) =>
    roundShare(Number.parseInt(token.value.slice(at, at + 2), 16) / 255),
  );
  return {
    $type: "color",
    $value: { colorSpace: "srgb", components, alpha: 1, hex: token.value },
  };
}

function toEvidence(source: Source): Record<string, unknown> {
  return {
    image: source.image,
    value: source.value,
    confidence: roundShare(source.confidence),
    weight: roundShare(source.weight),
  };
}
