// The definition behind a run's hash, read once: it never changes, and a page of runs asks for the same few over and
// over. Kept by store, the ones asked for last.

import { KNOWN_DEFINITIONS_MAX } from "../../model/limits.ts";
import type { Store } from "../../storage/store.ts";
import { parseStoredDefinition, type StoredDefinition } from "../views/definition-view.ts";

type DefinitionStore = Pick<Store, "findDefinition">;

const known = new WeakMap<DefinitionStore, Map<string, StoredDefinition>>();

/** The definition of that hash; undefined where the store has none, or one that cannot be read. */
export async function readStoredDefinition(
  store: DefinitionStore,
  hash: string,
): Promise<StoredDefinition | undefined> {
  const byHash = known.get(store) ?? new Map<string, StoredDefinition>();
  known.set(store, byHash);
  const before = byHash.get(hash);
  if (before !== undefined) {
    byHash.delete(hash);
    byHash.set(hash, before);
    return before;
  }
  const text = await store.findDefinition(hash);
  const definition = text === undefined ? undefined : parseStoredDefinition(text);
  // What is not there may come, and what is damaged may be mended: only what was read is kept.
  if (definition === undefined) return undefined;
  const [oldest] = byHash.keys();
  if (byHash.size >= KNOWN_DEFINITIONS_MAX && oldest !== undefined) byHash.delete(oldest);
  byHash.set(hash, definition);
  return definition;
}
