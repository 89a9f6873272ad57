// Copies a store with its blobs while others go on working on it.

import { openUpkeep } from "../../storage/open-upkeep.ts";
import type { StoreCopyFacts } from "../../storage/upkeep.ts";

export type { StoreCopyFacts };

/** Which store, and where its copy goes. */
export interface BackUpOptions {
  readonly store: string;
  /** Absolute; its blobs go into the folder `blobs` beside it, where a store looks for them. */
  readonly path: string;
  readonly busyTimeoutMs: number;
}

/** Makes a backup that can be opened as a store. STORE_UNSUPPORTED in memory, FILE_EXISTS, STORE_DAMAGED. */
export async function backUpStore(options: BackUpOptions): Promise<StoreCopyFacts> {
  const { store, path, busyTimeoutMs } = options;
  const upkeep = await openUpkeep(store, { purpose: "back up", busyTimeoutMs });
  try {
    return await upkeep.copyTo(path);
  } finally {
    upkeep.close();
  }
}
