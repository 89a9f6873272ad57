// What a route takes, parsed by its own schemas: the parts of its path, its query, its body. All faults of one part
// come together, each with its path.

import type * as z from "zod";
import { MillraceError } from "../../model/errors.ts";
import { HTTP_QUERY_PARAMETERS_MAX } from "../../model/limits.ts";
import type { Json } from "../../std/json.ts";

/** Parts of a request; faults name them. */
export type RequestPart = "path" | "query" | "body";

/** Faults that one refusal lists at most. */
const FAULTS_MAX = 50;

/** What the schema makes of it. BODY_INVALID with every fault. */
export function parsePart<T>(schema: z.ZodType<T>, value: unknown, part: RequestPart): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, FAULTS_MAX).map((issue) => toFault(issue, part));
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  throw new MillraceError(
    "BODY_INVALID",
    `The ${part} does not fit: ${first?.path ?? part}: ${first?.message ?? "refused"}${more}.`,
    { details: { faults: faults.map(({ path, message }) => ({ path, message })) } },
  );
}

interface Fault {
  readonly path: string;
  readonly message: string;
}

function toFault(issue: z.core.$ZodIssue, part: RequestPart): Fault {
  const extra =
    issue.code === "unrecognized_keys" ? issue.keys.map((key) => key.slice(0, 100)) : [];
  const path = [part, ...issue.path.map(String)].join(".");
  return {
    path: extra.length === 0 ? path : `${path}.${extra[0] ?? ""}`,
    message:
      extra.length === 0 ? issue.message : `unknown: ${extra.map((key) => `"${key}"`).join(", ")}`,
  };
}

/** The parameters of a query: one value is text, several are a list. REQUEST_INVALID. */
export function readQuery(query: string): Readonly<Record<string, string | readonly string[]>> {
  const found: Record<string, string | string[]> = {};
  if (query === "") return found;
  const pairs = query.split("&").filter((pair) => pair !== "");
  if (pairs.length > HTTP_QUERY_PARAMETERS_MAX) {
    throw malformed(`has more than ${HTTP_QUERY_PARAMETERS_MAX} parameters`);
  }
  for (const pair of pairs) {
    const mark = pair.indexOf("=");
    const key = decode(mark === -1 ? pair : pair.slice(0, mark));
    const value = mark === -1 ? "" : decode(pair.slice(mark + 1));
    if (IS_PROTOTYPE.test(key)) throw malformed("has a parameter that names a prototype");
    const before = Object.hasOwn(found, key) ? found[key] : undefined;
    found[key] = before === undefined ? value : [before, value].flat();
  }
  return found;
}

/** For a route without parameters. BODY_INVALID naming the first. */
export function refuseQuery(query: Readonly<Record<string, Json | readonly string[]>>): void {
  const [first] = Object.keys(query);
  if (first === undefined) return;
  const path = `query.${first.slice(0, 100)}`;
  throw new MillraceError("BODY_INVALID", `The query does not fit: ${path}: unknown.`, {
    details: { faults: [{ path, message: "unknown" }] },
  });
}

const IS_PROTOTYPE = /^(?:__proto__|constructor|prototype)$|(?:^|[.[])__proto__/;

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (cause) {
    throw malformed("is not UTF-8 in percent signs", cause);
  }
}

function malformed(what: string, cause?: unknown): MillraceError {
  return new MillraceError(
    "REQUEST_INVALID",
    `The query ${what}.`,
    cause === undefined ? {} : { cause },
  );
}
