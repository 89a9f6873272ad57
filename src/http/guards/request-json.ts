// JSON of a request: parsed, and walked once to see that it is neither too deep nor too many, and that none of its
// keys reaches for a prototype. What fits is plain data that a schema may look at.

import { MillraceError } from "../../model/errors.ts";
import { HTTP_JSON_DEPTH_MAX, HTTP_JSON_KEYS_MAX } from "../../model/limits.ts";
import { isRecord } from "../../std/record.ts";
import type { Json } from "../../std/json.ts";

/** Parses the text. REQUEST_INVALID with what is wrong with it. */
export function parseRequestJson(text: string): Json {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // What the parser says besides may hold pieces of the body.
    const [where] = /\(line \d+ column \d+\)/.exec(String(cause)) ?? ["(it ends too early)"];
    throw new MillraceError("REQUEST_INVALID", `The body is not JSON ${where}.`, { cause });
  }
  checkShape(value);
  return value;
}

/** Without recursion, so that no body can exhaust the stack. */
function checkShape(whole: unknown): void {
  let level: unknown[] = [whole];
  let count = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > HTTP_JSON_DEPTH_MAX) refuse(`is nested deeper than ${HTTP_JSON_DEPTH_MAX}`);
    const next: unknown[] = [];
    for (const value of level) {
      if (!isRecord(value)) continue;
      refusePrototypes(value);
      const inner = Object.values(value);
      count += inner.length;
      if (count > HTTP_JSON_KEYS_MAX) refuse(`has more than ${HTTP_JSON_KEYS_MAX} keys`);
      for (const each of inner) next.push(each);
    }
    level = next;
  }
}

function refusePrototypes(value: Readonly<Record<string, unknown>>): void {
  if (Object.hasOwn(value, "__proto__")) refuse('has a key "__proto__"');
  if (!Object.hasOwn(value, "constructor")) return;
  const inner = value["constructor"];
  if (isRecord(inner) && Object.hasOwn(inner, "prototype")) {
    refuse('has a key "constructor.prototype"');
  }
}

function refuse(what: string): never {
  throw new MillraceError("REQUEST_INVALID", `The body ${what}.`);
}
