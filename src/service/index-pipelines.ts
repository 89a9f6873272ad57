// The pipelines that a mill was given, by name.

import { MillraceError } from "../model/errors.ts";
import type { Pipeline } from "./pipeline.ts";

/** The definitions by name. OPTION_INVALID where two have the same. */
export function indexPipelines(
  pipelines: readonly Pipeline<never, unknown>[],
): ReadonlyMap<string, Pipeline["definition"]> {
  const found = new Map<string, Pipeline["definition"]>();
  for (const { definition } of pipelines) {
    if (found.has(definition.name)) {
      throw new MillraceError("OPTION_INVALID", `Two pipelines are named "${definition.name}".`, {
        hint: "runs are found by the name of their pipeline: give each its own",
      });
    }
    found.set(definition.name, definition);
  }
  return found;
}
