// A flag that names an instant.

import type { FlagReader } from "./flag-reader.ts";

/** Reads an ISO 8601 time with its zone ("Z" or an offset); a date alone is midnight UTC. Gives UTC ms. */
export function readTime(reader: FlagReader, name: string): number | undefined {
  const text = reader.text(name);
  if (text === undefined) return undefined;
  const isTime = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
  const atMs = isTime.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(atMs)) return atMs;
  return reader.fault(name, `expected a time such as 2026-07-14T09:00:00Z; got "${text}"`);
}
