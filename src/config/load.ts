// Finds and reads a configuration file. The default one is looked for in the working folder only: a file
// further up belongs to somebody else. It is imported as any module, so that it may compute what it says.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { definitionFaultLines } from "./fault-lines.ts";
import { importModule, showPath } from "./import-module.ts";
import { parseConfig, type ParsedConfig } from "./schema.ts";
import type { DefinitionFault } from "../model/definition.ts";
import { MillraceError } from "../model/errors.ts";

/** The file that is read when none is named. */
const CONFIG_FILE_DEFAULT = "millrace.config.ts";

/** A configuration that was read, and where it stands. */
export interface LoadedConfig {
  /** Absolute. */
  readonly path: string;
  readonly config: ParsedConfig;
}

/** Which configuration to read. */
export interface ConfigChoice {
  readonly cwd: string;
  /** A file that the user named: it must exist. Undefined: the default one, where there is one. */
  readonly named: string | undefined;
}

/**
 * Reads the configuration. Undefined: none was named and there is no default one. CONFIG_NOT_FOUND for a
 * named file that does not exist, CONFIG_INVALID with all faults for one that cannot be read.
 */
export async function loadConfig(choice: ConfigChoice): Promise<LoadedConfig | undefined> {
  const path = resolve(choice.cwd, choice.named ?? CONFIG_FILE_DEFAULT);
  if (!existsSync(path)) {
    if (choice.named === undefined) return undefined;
    throw new MillraceError(
      "CONFIG_NOT_FOUND",
      `The configuration "${choice.named}" does not exist.`,
      { hint: `looked for ${path}`, next: "npx millrace init", details: { path } },
    );
  }
  const loaded = await importModule(path, {
    code: "CONFIG_INVALID",
    what: "configuration",
    cwd: choice.cwd,
  });
  return { path, config: readConfig(loaded["default"], path, choice.cwd) };
}

/** The configuration in a default export; CONFIG_INVALID with all its faults. */
export function readConfig(exported: unknown, path: string, cwd: string): ParsedConfig {
  const shown = showPath(cwd, path);
  if (exported === undefined) {
    throw new MillraceError("CONFIG_INVALID", `The configuration "${shown}" exports nothing.`, {
      hint: "write: export default defineConfig({ pipelines: [...] })",
      details: { path },
    });
  }
  const faults: DefinitionFault[] = [];
  const config = parseConfig(exported, faults);
  if (config !== undefined && faults.length === 0) return config;
  throw configInvalid(`The configuration "${shown}"`, faults);
}

/** The error for faults of one source of settings, all of them, one a line. */
export function configInvalid(source: string, faults: readonly DefinitionFault[]): MillraceError {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  return new MillraceError(
    "CONFIG_INVALID",
    `${source} is not valid, ${count}:\n${definitionFaultLines(faults)}`,
    {
      hint: "no setting was replaced by a default; mend them and start again",
      details: { faults: faults.map((fault) => ({ ...fault })) },
    },
  );
}
