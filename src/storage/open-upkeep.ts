// From the URL that a user writes to the upkeep of a store.

import { MillraceError } from "../model/errors.ts";
import { findStorePath, isMemoryUrl } from "./open-store.ts";
import type { StoreUpkeep } from "./upkeep.ts";

/** How a store is kept in order. */
export interface OpenUpkeepOptions {
  /** What it is opened for, as in "… has nothing to back up": for the refusal. */
  readonly purpose: string;
  /** Default 5 s. */
  readonly busyTimeoutMs?: number;
}

/** Opens a store that exists, for upkeep. STORE_UNSUPPORTED for one in memory, STORE_NOT_FOUND if there is none. */
export async function openUpkeep(
  url: string,
  { purpose, busyTimeoutMs }: OpenUpkeepOptions,
): Promise<StoreUpkeep> {
  if (isMemoryUrl(url)) {
    throw new MillraceError("STORE_UNSUPPORTED", `The store "${url}" has nothing to ${purpose}.`, {
      hint: "It ends with its process. Name a store in a file: --store sqlite:PATH",
    });
  }
  const path = findStorePath(url);
  // Loaded once the URL is known to need it.
  const { SqliteUpkeep } = await import("./sqlite/upkeep/sqlite-upkeep.ts");
  return SqliteUpkeep.open({
    url,
    path,
    ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }),
  });
}
