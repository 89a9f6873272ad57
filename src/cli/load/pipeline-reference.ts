// Whether a word that may mean a run or a pipeline means a pipeline.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { CliContext } from "../cli-context.ts";
import { readSettings } from "../settings.ts";

/** True for a path with a module's ending, and for the name of a configured pipeline. */
export async function isPipelineReference(
  context: CliContext,
  reference: string,
): Promise<boolean> {
  // `RUN/STAGE` has a slash too, so that only the ending tells a path.
  if (/\.(?:ts|mts|js|mjs)(?:#.*)?$/.test(reference)) return true;
  if (reference.includes("/") || reference === "last") return false;
  const isConfigured =
    context.flags.config !== undefined || existsSync(resolve(context.cwd, "millrace.config.ts"));
  if (!isConfigured) return false;
  const { pipelines } = await readSettings(context);
  const { isPipeline } = await import("../../service/pipeline.ts");
  return pipelines.some((entry) => isPipeline(entry) && entry.name === reference);
}
