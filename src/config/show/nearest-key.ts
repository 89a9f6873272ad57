// The setting that a misspelt key most likely stands for. People leave the section out, or take another one, so that a
// key is also known by its last part.

import { findNearest } from "../../std/nearest.ts";

/** The nearest of the keys and their sections (`worker`), else by last part (`lease` is `worker.lease`). */
export function findNearestKey(given: string, keys: readonly string[]): string | undefined {
  const whole = new Map(keys.flatMap((key) => [sectionOf(key), key]).map((name) => [name, name]));
  const parts = new Map(keys.map((key) => [lastOf(key), key] as const));
  const known = new Map([...parts, ...whole]);
  const found = findNearest(given, known.keys()) ?? findNearest(lastOf(given), parts.keys());
  return found === undefined ? undefined : known.get(found);
}

function sectionOf(key: string): string {
  return key.split(".")[0] ?? key;
}

function lastOf(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}
