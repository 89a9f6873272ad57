// The pipelines of a mill by name: those it was given, and those of our own.

import { BUILT_IN_PREFIX, isBuiltIn } from "./pipelines/built-in.ts";
import { MillraceError } from "../model/errors.ts";
import type { Pipeline } from "./pipeline.ts";

/** The definitions by name. OPTION_INVALID where two have the same, or one has a name of ours. */
export function indexPipelines(
  pipelines: readonly Pipeline<never, unknown>[],
  builtIn: readonly Pipeline[] = [],
): Map<string, Pipeline["definition"]> {
  const found = new Map<string, Pipeline["definition"]>();
  for (const { definition } of pipelines) {
    if (isBuiltIn(definition.name)) throw reserved(definition.name);
    if (found.has(definition.name)) {
      throw new MillraceError("OPTION_INVALID", `Two pipelines are named "${definition.name}".`, {
        hint: "runs are found by the name of their pipeline: give each its own",
      });
    }
    found.set(definition.name, definition);
  }
  for (const { definition } of builtIn) found.set(definition.name, definition);
  return found;
}

function reserved(name: string): MillraceError {
  return new MillraceError("OPTION_INVALID", `A pipeline is named "${name}".`, {
    hint: `names that begin with "${BUILT_IN_PREFIX}" are millrace's own: give it another one`,
  });
}
