// The option `cache` in its three forms: true, a ttl, or a record.

import type { CacheRule } from "../definition.ts";
import { describeValue, isPlainRecord, type OptionReader } from "./option-reader.ts";

/** The rule; null: off. Faults go to the reader. */
export function parseCache(reader: OptionReader): CacheRule | null {
  const value = reader.raw("cache");
  if (value === undefined || value === false) return null;
  if (value === true) return { ttlMs: null, version: null, key: null };
  if (typeof value === "string" || typeof value === "number") {
    return { ttlMs: reader.durationMs("cache") ?? null, version: null, key: null };
  }
  const options = isPlainRecord(value) ? reader.nested("cache") : undefined;
  if (options === undefined) {
    reader.fault(
      "cache",
      `expected true, false, a duration or { ttl, version, key }; got ${describeValue(value)}`,
    );
    return null;
  }
  options.refuseUnknown(["ttl", "version", "key"]);
  return {
    ttlMs: options.durationMs("ttl") ?? null,
    version: options.text("version", 200) ?? null,
    key: options.function("key") ?? null,
  };
}
