// From `<file-or-pipeline>` to a pipeline, the settings it runs under and the words that name it again: a path
// to a pipeline file or a configuration, `path#name` where it holds several, else a name from the
// configuration, else the only one there. Files are imported: they are the user's own code.

import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { importModule, showPath } from "../../config/import-module.ts";
import { readConfig } from "../../config/load.ts";
import type { Settings } from "../../config/resolve.ts";
import { MillraceError } from "../../model/errors.ts";
import { applyDefaults } from "../../model/compile/apply-defaults.ts";
import { makePipeline, type Pipeline } from "../../service/pipeline.ts";
import { findNearest } from "../../std/nearest.ts";
import type { CliContext } from "../cli-context.ts";
import { choosePipeline, isConfigModule, listConfigured, listExported } from "./find-pipelines.ts";
import { installModuleHooks } from "../module-hooks.ts";
import { quoteWord } from "../next-command.ts";
import { toRunSource } from "../run-source.ts";
import { readSettings, type SettingWishes } from "../settings.ts";

/** A pipeline that was found, and all that came with it. */
export interface Target {
  readonly pipeline: Pipeline;
  /** What names it on a command line, as the user did: `["crawl.ts"]`; empty where it was the only one. */
  readonly words: readonly string[];
  /** For `start`: lets `resume` find the file again. */
  readonly source: string;
  readonly settings: Settings;
  /** All pipelines that were loaded, this one included. */
  readonly pipelines: readonly Pipeline[];
  /** The caller's, but naming the configuration where it was given as the argument: print commands with it. */
  readonly context: CliContext;
}

/** True for what is read as a path and not as a pipeline's name. */
function isPathReference(reference: string): boolean {
  return /[/\\]/.test(reference) || /\.(?:ts|mts|js|mjs)(?:#.*)?$/.test(reference);
}

/**
 * Loads what `reference` means. PIPELINE_NOT_FOUND, PIPELINE_FILE_INVALID, PIPELINE_UNKNOWN,
 * PIPELINE_AMBIGUOUS, CONFIG_NOT_FOUND, CONFIG_INVALID, DEFINITION_INVALID.
 */
export async function loadTarget(
  context: CliContext,
  reference: string | undefined,
  wishes: SettingWishes = {},
): Promise<Target> {
  if (reference !== undefined && isPathReference(reference)) {
    return loadFromFile(context, reference, wishes);
  }
  const settings = await readSettings(context, wishes);
  return chooseConfigured({ context, settings, name: reference, words: toWords(reference) });
}

/** All pipelines of a file, or of the configuration, and the settings they run under. Errors as `loadTarget`. */
export async function loadPipelines(
  context: CliContext,
  reference: string | undefined,
): Promise<Pick<Target, "pipelines" | "settings" | "context">> {
  if (reference !== undefined) return loadTarget(context, reference);
  const settings = await readSettings(context);
  if (settings.file === null) throw nothingConfigured(context, undefined);
  const found = listConfigured(settings.pipelines, basename(settings.file));
  const module = pathToFileURL(settings.file).href;
  const pipelines = found.map((entry) => withDefaults(entry.pipeline, settings, module));
  return { pipelines, settings, context };
}

async function loadFromFile(
  context: CliContext,
  reference: string,
  wishes: SettingWishes,
): Promise<Target> {
  const { path: given, name } = splitReference(reference);
  const path = resolve(context.cwd, given);
  if (!isFile(path)) throw fileMissing(context, given, path);
  installModuleHooks();
  const module = await importModule(path, {
    code: "PIPELINE_FILE_INVALID",
    what: "pipeline file",
    cwd: context.cwd,
  });
  const found = listExported(module);
  if (found.length === 0 && isConfigModule(module)) {
    const file = { path, config: readConfig(module["default"], path, context.cwd) };
    const settings = await readSettings(context, { ...wishes, file });
    const named = { ...context, flags: { ...context.flags, config: given } };
    return chooseConfigured({ context: named, settings, name, words: toWords(name) });
  }
  const shown = showPath(context.cwd, path);
  const pipeline = choosePipeline(found, name, { shown, isConfig: false });
  const settings = await readSettings(context, wishes);
  const address = pathToFileURL(path).href;
  return {
    pipeline: withDefaults(pipeline, settings, address),
    words: [reference],
    source: toRunSource(context.cwd, path, pipeline.name),
    settings,
    pipelines: found.map((entry) => withDefaults(entry.pipeline, settings, address)),
    context,
  };
}

interface Configured {
  readonly context: CliContext;
  readonly settings: Settings;
  readonly name: string | undefined;
  readonly words: readonly string[];
}

/** The pipeline of this name in the configuration, or the only one. */
function chooseConfigured({ context, settings, name, words }: Configured): Target {
  if (settings.file === null) throw nothingConfigured(context, name);
  const shown = basename(settings.file);
  const found = listConfigured(settings.pipelines, shown);
  const pipeline = choosePipeline(found, name, { shown, isConfig: true });
  // A later `resume` reads the default configuration by itself; any other it must be told of.
  const isDefault = settings.file === resolve(context.cwd, "millrace.config.ts");
  const module = pathToFileURL(settings.file).href;
  return {
    pipeline: withDefaults(pipeline, settings, module),
    words,
    source: toRunSource(context.cwd, isDefault ? undefined : settings.file, pipeline.name),
    settings,
    pipelines: found.map((entry) => withDefaults(entry.pipeline, settings, module)),
    context,
  };
}

/** The pipeline under the settings' own defaults, with the module it was found in unless it names one itself. */
function withDefaults(pipeline: Pipeline, settings: Settings, module: string): Pipeline {
  const defaulted = applyDefaults(pipeline.definition, {
    retry: settings.retry.value,
    timeoutMs: settings.timeoutMs.value,
    uses: settings.uses.value,
  });
  return makePipeline(defaulted.module === null ? { ...defaulted, module } : defaulted);
}

function toWords(name: string | undefined): readonly string[] {
  return name === undefined ? [] : [name];
}

/** `crawl.ts#crawl` as path and name. */
function splitReference(reference: string): {
  readonly path: string;
  readonly name: string | undefined;
} {
  const cut = reference.lastIndexOf("#");
  if (cut <= 0 || /[/\\]/.test(reference.slice(cut))) return { path: reference, name: undefined };
  return { path: reference.slice(0, cut), name: reference.slice(cut + 1) };
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

function fileMissing(context: CliContext, given: string, path: string): MillraceError {
  const near = findNearby(context.cwd, given, path);
  return new MillraceError("PIPELINE_NOT_FOUND", `There is no pipeline file "${given}".`, {
    hint: near === undefined ? `looked for ${path}` : `did you mean "${near}"?`,
    next: near === undefined ? "npx millrace init" : `npx millrace run ${quoteWord(near)}`,
    details: { given, path },
  });
}

/** A file with a similar name in the same folder, or the same name in `pipelines/`. */
function findNearby(cwd: string, given: string, path: string): string | undefined {
  const folder = dirname(path);
  const name = basename(path);
  const inPipelines = join("pipelines", name);
  if (isFile(resolve(cwd, inPipelines))) return inPipelines;
  const near = findNearest(name, listModules(folder));
  return near === undefined ? undefined : join(dirname(given), near);
}

function listModules(folder: string): readonly string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder).filter((name) => /\.(?:ts|mts|js|mjs)$/.test(name));
}

function nothingConfigured(context: CliContext, name: string | undefined): MillraceError {
  if (name === undefined) {
    return new MillraceError(
      "PIPELINE_NOT_FOUND",
      "No pipeline was named, and there is no millrace.config.ts here.",
      {
        hint: "name a pipeline file, or write a first one",
        next: "npx millrace init",
      },
    );
  }
  const file = [`${name}.ts`, join("pipelines", `${name}.ts`)].find((candidate) =>
    isFile(resolve(context.cwd, candidate)),
  );
  return new MillraceError(
    "PIPELINE_NOT_FOUND",
    `There is no pipeline "${name}": no millrace.config.ts here lists any.`,
    {
      hint: file === undefined ? "a path has a slash or ends in .ts" : `did you mean "${file}"?`,
      next: file === undefined ? "npx millrace init" : `npx millrace run ${quoteWord(file)}`,
      details: { given: name },
    },
  );
}
