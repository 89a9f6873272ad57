// Pipelines among the exports of a module or in a configuration's list, told apart from everything else, and
// the one that a name means. What cannot be decided is refused with the names there are.

import { isConfig } from "../../config/define-config.ts";
import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { MillraceError } from "../../model/errors.ts";
import { quoteWord } from "../next-command.ts";
import { isPipeline, type Pipeline } from "../../service/pipeline.ts";
import { findNearest } from "../../std/nearest.ts";
import { quoteList } from "../../std/text.ts";

/** A pipeline with the names it is exported under. */
export interface FoundPipeline {
  readonly pipeline: Pipeline;
  readonly exportNames: readonly string[];
}

/** Every pipeline a module exports, each once. */
export function listExported(module: Readonly<Record<string, unknown>>): readonly FoundPipeline[] {
  const found = new Map<Pipeline, string[]>();
  for (const [name, value] of Object.entries(module)) {
    if (!isPipeline(value)) continue;
    found.set(value, [...(found.get(value) ?? []), name]);
  }
  return [...found].map(([pipeline, exportNames]) => ({ pipeline, exportNames }));
}

/** True if the module is a configuration: made by `defineConfig`, or a plain record that lists pipelines. */
export function isConfigModule(module: Readonly<Record<string, unknown>>): boolean {
  const exported = module["default"];
  return isConfig(exported) || (isPlainRecord(exported) && Array.isArray(exported["pipelines"]));
}

/** Where pipelines came from, for messages. */
export interface PipelineSource {
  /** `crawl.ts`, or the configuration's path as shown. */
  readonly shown: string;
  readonly isConfig: boolean;
}

/** The pipeline a name means, or the only one. PIPELINE_UNKNOWN, PIPELINE_AMBIGUOUS, PIPELINE_FILE_INVALID. */
export function choosePipeline(
  found: readonly FoundPipeline[],
  name: string | undefined,
  source: PipelineSource,
): Pipeline {
  const known = found.map((entry) => entry.pipeline.name);
  if (name !== undefined) {
    const match =
      found.find((entry) => entry.pipeline.name === name) ??
      found.find((entry) => entry.exportNames.includes(name));
    if (match !== undefined) return match.pipeline;
    throw pipelineUnknown(name, known, source);
  }
  const [only, ...more] = found;
  if (only === undefined) throw noPipeline(source);
  if (more.length === 0) return only.pipeline;
  throw new MillraceError(
    "PIPELINE_AMBIGUOUS",
    `"${source.shown}" holds ${found.length} pipelines: ${quoteList(known)}.`,
    {
      hint: "name one of them",
      next: runCommandFor(source, known[0] ?? ""),
      details: { known },
    },
  );
}

/** Checks a configuration's list: every entry a pipeline, every name once. CONFIG_INVALID with all faults. */
export function listConfigured(
  entries: readonly unknown[],
  shown: string,
): readonly FoundPipeline[] {
  const faults: string[] = [];
  const names = new Set<string>();
  const found = entries.flatMap((entry, index) => {
    if (!isPipeline(entry)) {
      faults.push(`  pipelines.${index}: expected a pipeline, as made by pipeline(...)`);
      return [];
    }
    if (names.has(entry.name)) {
      faults.push(`  pipelines.${index}: a second pipeline is named "${entry.name}"`);
    }
    names.add(entry.name);
    return [{ pipeline: entry, exportNames: [] }];
  });
  if (faults.length === 0) return found;
  throw new MillraceError(
    "CONFIG_INVALID",
    `The configuration "${shown}" is not valid:\n${faults.join("\n")}`,
    { hint: "list the values that pipeline files export" },
  );
}

function pipelineUnknown(
  name: string,
  known: readonly string[],
  source: PipelineSource,
): MillraceError {
  const near = findNearest(name, known);
  return new MillraceError(
    "PIPELINE_UNKNOWN",
    `There is no pipeline "${name}" in "${source.shown}".`,
    {
      hint: near === undefined ? `known: ${quoteList(known)}` : `did you mean "${near}"?`,
      ...(near === undefined ? {} : { next: runCommandFor(source, near) }),
      details: { given: name, known: known.slice(0, 100) },
    },
  );
}

function runCommandFor(source: PipelineSource, name: string): string {
  return `npx millrace run ${quoteWord(source.isConfig ? name : `${source.shown}#${name}`)}`;
}

function noPipeline(source: PipelineSource): MillraceError {
  return new MillraceError(
    source.isConfig ? "PIPELINE_NOT_FOUND" : "PIPELINE_FILE_INVALID",
    source.isConfig
      ? `The configuration "${source.shown}" lists no pipelines.`
      : `The file "${source.shown}" exports no pipeline.`,
    {
      hint: source.isConfig
        ? "add them: export default defineConfig({ pipelines: [crawl] })"
        : 'export one: export const crawl = pipeline("crawl", { ... })',
    },
  );
}
