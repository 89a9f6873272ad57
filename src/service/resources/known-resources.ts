// Which resources there are: what this process declares, and what others have used in the store. A name that is
// neither is refused with the nearest one.

import type { DeclaredResources } from "../../engine/limits/declared-resources.ts";
import { isResourceKey } from "../../model/compile/resource-name.ts";
import { MillraceError } from "../../model/errors.ts";
import { RESOURCE_KEY_BYTES_MAX } from "../../model/limits.ts";
import type { ResourceTerms } from "../../model/resource/resource.ts";
import { findNearest } from "../../std/nearest.ts";
import type { Store } from "../../storage/store.ts";

/** Where resources are looked for. */
export interface ResourceSources {
  readonly store: Store;
  readonly resources: DeclaredResources;
}

/** Names that are looked at for the nearest. */
const NAMES_MAX = 200;
/** Comes after every key of a resource. */
const AFTER_ALL_KEYS = "\u{10ffff}".repeat(RESOURCE_KEY_BYTES_MAX / 4);

/**
 * What is declared under that name here, else what the store knows from its last use; null: it was only ever set by
 * hand. RESOURCE_UNKNOWN.
 */
export async function getResourceTerms(
  sources: ResourceSources,
  name: string,
): Promise<ResourceTerms | null> {
  const declared = sources.resources.find(name);
  if (declared !== undefined) return declared.terms;
  const stored = await sources.store.listResources({ resource: name, limit: 2 });
  if (stored.length > 0) return stored.find(({ terms }) => terms !== null)?.terms ?? null;
  const known = await listNames(sources);
  const near = findNearest(name, known);
  throw new MillraceError("RESOURCE_UNKNOWN", `There is no resource "${name}".`, {
    hint:
      near !== undefined
        ? `did you mean "${near}"?`
        : known.length === 0
          ? `no pipeline uses one yet; declare it under "resources" in millrace.config.ts`
          : `known: ${known.slice(0, 10).join(", ")}`,
    next: "npx millrace resources list",
    details: { given: name, known: known.slice(0, 100) },
  });
}

async function listNames({ store, resources }: ResourceSources): Promise<readonly string[]> {
  const names = new Set(resources.list().map(({ terms }) => terms.name));
  let name: string | undefined;
  while (names.size < NAMES_MAX) {
    const after = name === undefined ? {} : { after: { resource: name, key: AFTER_ALL_KEYS } };
    const [next] = await store.listResources({ ...after, limit: 1 });
    if (next === undefined || next.resource === name) break;
    name = next.resource;
    names.add(name);
  }
  return [...names].sort();
}

/** Refuses a key where there are none, or one that is no text of a key. USE_INVALID. */
export function checkResourceKey(
  name: string,
  key: string | undefined,
  terms: ResourceTerms | null,
): void {
  if (key === undefined) return;
  if (terms?.keyed === false) {
    throw new MillraceError("USE_INVALID", `Resource "${name}" has no keys; got "${key}".`, {
      hint: `name it as "${name}"`,
    });
  }
  if (isResourceKey(key)) return;
  throw new MillraceError(
    "USE_INVALID",
    `A key of resource "${name}" is text of 1 to ${RESOURCE_KEY_BYTES_MAX} bytes without control characters; got ${JSON.stringify(key)}.`,
  );
}
