// Checks of what the user wrote: configuration, environment, pipelines.

import { basename } from "node:path";
import { isMillraceError } from "../../model/errors.ts";
import type { Settings } from "../../config/resolve.ts";
import type { CliContext } from "../cli-context.ts";
import { readSettings } from "../settings.ts";
import type { Check } from "./check.ts";

/** The configuration as far as it could be read. */
export interface ConfigFound {
  readonly check: Check;
  readonly settings: Settings | undefined;
}

/** Loads the configuration and every pipeline it lists. */
export async function checkConfig(context: CliContext): Promise<ConfigFound> {
  try {
    const settings = await readSettings(context);
    if (settings.file === null) {
      return {
        check: { name: "config", status: "ok", value: "none here, defaults are in force" },
        settings,
      };
    }
    const shown = basename(settings.file);
    const { listConfigured } = await import("../load/find-pipelines.ts");
    const count = listConfigured(settings.pipelines, shown).length;
    const loads = `${count} ${count === 1 ? "pipeline loads" : "pipelines load"}`;
    return { check: { name: "config", status: "ok", value: `${shown}, ${loads}` }, settings };
  } catch (error) {
    return { check: failed("config", error), settings: undefined };
  }
}

/** Anything thrown as a failed check. */
export function failed(name: string, error: unknown): Check {
  if (!isMillraceError(error)) {
    return { name, status: "fail", value: error instanceof Error ? error.message : String(error) };
  }
  return {
    name,
    status: "fail",
    value: error.message
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .join("; "),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.next === undefined ? {} : { next: error.next }),
  };
}
