// A pipeline that is named on the command line must have runs, or be one of the configuration.

import { MillraceError } from "../../model/errors.ts";
import { findNearest } from "../../std/nearest.ts";

/** PIPELINE_UNKNOWN for a name that is none of these, with the nearest; undefined: no pipeline was named. */
export function refuseUnknownPipeline(
  pipeline: string | undefined,
  known: readonly string[],
): void {
  if (pipeline === undefined || known.includes(pipeline)) return;
  const near = findNearest(pipeline, known);
  throw new MillraceError("PIPELINE_UNKNOWN", `There are no runs of a pipeline "${pipeline}".`, {
    ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
    next: "npx millrace health",
    details: { given: pipeline, known: known.slice(0, 100) },
  });
}
