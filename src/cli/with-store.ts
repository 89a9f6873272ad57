// Asks a question of the store that the settings name: opens it for reading, and closes it whatever happens.

import { isMillraceError, MillraceError } from "../model/errors.ts";
import { openReader, type StoreReader } from "../service/queries/open-reader.ts";
import type { Settings } from "../config/resolve.ts";
import type { CliContext } from "./cli-context.ts";
import { readSettings } from "./settings.ts";

export type { StoreReader };

/** Opens the store, asks, closes. STORE_NOT_FOUND if there is none, and what the settings throw. */
export async function withStore<T>(
  context: CliContext,
  ask: (store: StoreReader, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = await readSettings(context);
  const store = await openStore(settings);
  try {
    return await ask(store, settings);
  } finally {
    await store.close();
  }
}

/** The same, but undefined where nobody has made the default store yet. */
export async function withStoreIfAny<T>(
  context: CliContext,
  ask: (store: StoreReader, settings: Settings) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await withStore(context, ask);
  } catch (error) {
    const isMissing = isMillraceError(error) && error.code === "STORE_NOT_FOUND";
    if (isMissing && context.flags.store === undefined) return undefined;
    throw error;
  }
}

async function openStore(settings: Settings): Promise<StoreReader> {
  const url = settings.store.value;
  try {
    return await openReader(url, { busyTimeoutMs: settings.busyTimeoutMs.value });
  } catch (error) {
    const isMissing = isMillraceError(error) && error.code === "STORE_NOT_FOUND";
    if (!isMissing || settings.store.origin.kind !== "default") throw error;
    throw new MillraceError("STORE_NOT_FOUND", `There are no runs here: no store at ${url}.`, {
      hint: "a store is made by the first run; one elsewhere is named with --store",
      next: "npx millrace init",
      cause: error,
    });
  }
}
