// The version of the list that a map gave: equal lists leave those who read them as they are.

import { versionOfText } from "../../std/json.ts";
import { encodeOrThrow } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";

/** Version of the list that the readers of a map receive. */
export function versionOfList({ map, definition }: StageRun): string | null {
  if (map === null) return null;
  const parts: string[] = [];
  const isPlain = definition.map?.onItemFailure === "fail";
  for (let index = 0; index < map.size; index += 1) {
    const state = map.stateOf(index);
    // A plain list holds outputs and nothing else, whatever the keys of its items were.
    if (isPlain && state !== "succeeded") continue;
    const stored = map.stored[index];
    // First the name of the blob: whether its text is in memory too is a matter of chance.
    const text = stored?.kind === "blob" ? stored.blob : (map.texts[index] ?? "");
    const why = map.reasons.get(index) ?? map.failures.get(index)?.fingerprint ?? "";
    const from = map.unstoredVersions.get(index) ?? "";
    const head = isPlain ? "" : `${map.keyOf(index)} ${state} `;
    parts.push(`${head}${from}${why} ${text}`);
  }
  return versionOfText(parts.join("\n"));
}

/** Version of an item and of the needs its function reads. */
export function versionOfItem(
  { map, definition }: StageRun,
  { index, needsVersion }: { readonly index: number; readonly needsVersion: string },
): string {
  const text = encodeOrThrow(map?.items[index], `item ${index} of "${definition.name}"`);
  return versionOfText(`${needsVersion}\n${text}`);
}
