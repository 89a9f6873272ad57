// The effective settings of one call: reads the configuration where there is one, and puts the flags over it.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { showPath } from "../config/import-module.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { describeOrigin, resolveSettings, type Settings } from "../config/resolve.ts";
import { isMillraceError, MillraceError } from "../model/errors.ts";
import type { LeaseTerms } from "../model/lease.ts";
import { formatDuration } from "../std/duration.ts";
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
  const settings = resolveSettings({
    flags: {
      store: context.flags.store,
      logFile: context.flags.logFile,
      attemptsInFlight: wishes.attemptsInFlight,
    },
    env: context.env,
    file: wishes.file ?? (await findConfig(context)),
  });
  await refuseBadLease(context, settings);
  return settings;
}

/** The times of a lease, as a mill is opened with them. */
export function leaseOf(settings: Settings): Pick<LeaseTerms, "leaseMs" | "heartbeatMs"> {
  return { leaseMs: settings.leaseMs.value, heartbeatMs: settings.heartbeatMs.value };
}

/** How many worker threads a mill is opened with; nothing is said where it is the default. */
export function threadsOf({ threads }: Settings): { readonly threads?: number } {
  return threads.value === null ? {} : { threads: threads.value };
}

/** Refused like every other fault of the settings, by verbs that claim nothing as well. CONFIG_INVALID. */
async function refuseBadLease(context: CliContext, settings: Settings): Promise<void> {
  const given = { lease: settings.leaseMs, heartbeat: settings.heartbeatMs };
  if (Object.values(given).every(({ origin }) => origin.kind === "default")) return;
  const { checkLease } = await import("../service/check-lease.ts");
  try {
    checkLease(leaseOf(settings));
  } catch (cause) {
    if (!isMillraceError(cause)) throw cause;
    const where = Object.entries(given).map(([key, { value, origin }]) => {
      const from = describeOrigin(origin, (path) => showPath(context.cwd, path));
      return `  worker.${key}: ${formatDuration(value)} (${from})`;
    });
    const head = "The settings of leases cannot hold:";
    throw new MillraceError("CONFIG_INVALID", [head, ...where, `  ${cause.message}`].join("\n"), {
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
      cause,
    });
  }
}

async function findConfig(context: CliContext): Promise<LoadedConfig | undefined> {
  const named = context.flags.config;
  if (named === undefined && !existsSync(resolve(context.cwd, "millrace.config.ts"))) {
    return undefined;
  }
  installModuleHooks();
  return loadConfig({ cwd: context.cwd, named });
}
