// Some of the pipelines of a project, by name.

import { MillraceError } from "../../model/errors.ts";
import type { Pipeline } from "../../service/pipeline.ts";
import { findNearest } from "../../std/nearest.ts";
import { quoteList } from "../../std/text.ts";

/** The pipelines of these names; all where none is named. PIPELINE_UNKNOWN. */
export function choosePipelines(
  pipelines: readonly Pipeline[],
  names: readonly string[],
): readonly Pipeline[] {
  if (names.length === 0) return pipelines;
  const known = pipelines.map(({ name }) => name);
  return names.map((name) => {
    const found = pipelines.find((each) => each.name === name);
    if (found !== undefined) return found;
    const near = findNearest(name, known);
    throw new MillraceError("PIPELINE_UNKNOWN", `There is no pipeline "${name}".`, {
      hint: near === undefined ? `known: ${quoteList(known)}` : `did you mean "${near}"?`,
      details: { given: name, known },
    });
  });
}
