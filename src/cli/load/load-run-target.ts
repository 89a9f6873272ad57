// Finds the pipeline of a run that exists, for resume and rerun: by the file it was started from, else by its
// name in the configuration.

import { existsSync } from "node:fs";
import { MillraceError } from "../../model/errors.ts";
import type { CliContext } from "../cli-context.ts";
import { loadTarget, type Target } from "./load-pipeline.ts";
import { parseRunSource } from "../run-source.ts";
import type { SettingWishes } from "../settings.ts";

/** What a run says of its pipeline. */
export interface RunSourceFields {
  /** Short name, for messages. */
  readonly name: string;
  readonly pipeline: string;
  readonly source: string;
}

/** Loads the run's pipeline. PIPELINE_NOT_FOUND when its file is gone; else as `loadTarget`. */
export async function loadRunTarget(
  context: CliContext,
  run: RunSourceFields,
  wishes: SettingWishes = {},
): Promise<Target> {
  const origin = parseRunSource(context.cwd, run.source);
  if (origin.kind !== "file") return loadTarget(context, run.pipeline, wishes);
  if (!existsSync(origin.path)) {
    throw new MillraceError(
      "PIPELINE_NOT_FOUND",
      `Run "${run.name}" was started from "${origin.path}", which does not exist.`,
      {
        hint: `put the file back, or list pipeline "${run.pipeline}" in millrace.config.ts`,
        details: { path: origin.path, pipeline: run.pipeline },
      },
    );
  }
  return loadTarget(context, `${origin.path}#${origin.pipeline}`, wishes);
}
