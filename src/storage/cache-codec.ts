// Rows of the cache and their columns, the same for every database. A row that is not as we write it is no
// entry: unlike anything else in a store, what is damaged here can be made again.

import type { CacheComponents, CacheEntry, NewCacheEntry } from "../model/cache.ts";
import { isMillraceError } from "../model/errors.ts";
import {
  jsonColumn,
  outputColumns,
  readJson,
  readNumber,
  readNumberOrNull,
  readOutput,
  readText,
  readTextOrNull,
  type Column,
  type Row,
} from "./codec.ts";

/** Values of `key` to `metrics`. */
export function cacheColumns(entry: NewCacheEntry): readonly Column[] {
  return [
    entry.key,
    jsonColumn(entry.components),
    entry.reason,
    ...outputColumns(entry.output),
    entry.outputVersion,
    jsonColumn(entry.state),
    jsonColumn(entry.metrics),
  ];
}

/** The entry of a row; undefined for a row that cannot be read. */
export function toCacheEntry(row: Row): CacheEntry | undefined {
  try {
    return readEntry(row);
  } catch (error) {
    if (isMillraceError(error) && error.code === "STORE_DAMAGED") return undefined;
    throw error;
  }
}

function readEntry(row: Row): CacheEntry | undefined {
  const output = readOutput(row);
  const components = readJson<CacheComponents | null>(row, "components", null);
  if (output === null || components === null) return undefined;
  const item = readText(row, "item");
  return {
    key: readText(row, "key"),
    item: item === "" ? null : item,
    components,
    output,
    outputVersion: readText(row, "output_version"),
    state: readJson(row, "state", []),
    metrics: readJson(row, "metrics", {}),
    reason: readTextOrNull(row, "reason"),
    run: readNumber(row, "run"),
    madeAtMs: readNumber(row, "made_at_ms"),
    expiresAtMs: readNumberOrNull(row, "expires_at_ms"),
    seal: readText(row, "seal"),
  };
}
