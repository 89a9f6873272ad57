// What changed between two sets of tokens, both in the W3C form that `tokens.json` has: added, removed,
// changed, by path ("color.red-500"). The order of the files makes no difference.

/** One token that is not the same in both sets. */
export interface TokenChange {
  /** Group and name, joined by a dot. */
  readonly path: string;
  /** As text for people: "#e53935", "24px". Undefined where the token is missing. */
  readonly before?: string;
  readonly after?: string;
}

/** All changes, each list sorted by path. */
export interface TokenDifference {
  readonly added: readonly TokenChange[];
  readonly removed: readonly TokenChange[];
  readonly changed: readonly TokenChange[];
}

/** Compares two sets. Whatever is not a leaf with a `$value` is ignored. */
export function compareTokens(before: unknown, after: unknown): TokenDifference {
  const [old, current] = [collectLeaves(before), collectLeaves(after)];
  const paths = [...new Set([...old.keys(), ...current.keys()])].sort();
  const changes = paths.map((path) => toChange(path, old.get(path), current.get(path)));
  return {
    added: changes.filter((change) => change.before === undefined),
    removed: changes.filter((change) => change.after === undefined),
    changed: changes.filter(
      ({ before: one, after: other }) => one !== undefined && other !== undefined && one !== other,
    ),
  };
}

function toChange(
  path: string,
  before: string | undefined,
  after: string | undefined,
): TokenChange {
  return {
    path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

function collectLeaves(value: unknown, path = ""): Map<string, string> {
  if (!isRecord(value)) return new Map();
  if ("$value" in value) return new Map([[path, toText(value["$value"])]]);
  const inner = Object.entries(value)
    .filter(([key]) => !key.startsWith("$"))
    .flatMap(([key, child]) => [...collectLeaves(child, path === "" ? key : `${path}.${key}`)]);
  return new Map(inner);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Colours by their hex form, lengths with their unit, all else as JSON. */
function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (isRecord(value)) {
    if (typeof value["hex"] === "string") return value["hex"];
    if (typeof value["unit"] === "string") return `${String(value["value"])}${value["unit"]}`;
  }
  return JSON.stringify(value);
}
