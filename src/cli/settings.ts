// The effective settings of one call: reads the configuration where there is one, and puts the flags over it.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { resolveSettings, type Settings } from "../config/resolve.ts";
import type { CliContext } from "./cli-context.ts";
import { installModuleHooks } from "./module-hooks.ts";

/** What a call says besides the common flags. */
export interface SettingWishes {
  /** `-j`, already checked. */
  readonly attemptsInFlight?: number | undefined;
  /** A configuration that was loaded otherwise; it takes the place of `--config` and of the default one. */
  readonly file?: LoadedConfig | undefined;
}

/** Reads the settings. CONFIG_NOT_FOUND, CONFIG_INVALID. */
export async function readSettings(
  context: CliContext,
  wishes: SettingWishes = {},
): Promise<Settings> {
  return resolveSettings({
    flags: {
      store: context.flags.store,
      logFile: context.flags.logFile,
      attemptsInFlight: wishes.attemptsInFlight,
    },
    env: context.env,
    file: wishes.file ?? (await findConfig(context)),
  });
}

async function findConfig(context: CliContext): Promise<LoadedConfig | undefined> {
  const named = context.flags.config;
  if (named === undefined && !existsSync(resolve(context.cwd, "millrace.config.ts"))) {
    return undefined;
  }
  installModuleHooks();
  return loadConfig({ cwd: context.cwd, named });
}
