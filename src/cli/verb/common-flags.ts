// The flags every verb has, from what was parsed to what a context carries, with all faults at once.

import type { CliContext, CommonFlags, LogForm, ParsedOptions } from "../cli-context.ts";
import { FlagReader } from "../input/flag-reader.ts";

const LOG_FORMS: readonly LogForm[] = ["auto", "live", "lines", "json", "agent", "quiet"];

/** Reads the common flags; `MILLRACE_LOG` stands behind `--log`. USAGE_INVALID. */
export function readCommonFlags(options: ParsedOptions, env: CliContext["env"]): CommonFlags {
  const ofEnv = env["MILLRACE_LOG"];
  const reader = new FlagReader(
    options["log"] === undefined && ofEnv !== undefined && ofEnv !== ""
      ? { ...options, log: ofEnv }
      : options,
  );
  const flags: CommonFlags = {
    store: reader.text("store"),
    config: reader.text("config"),
    json: reader.has("json"),
    log: reader.oneOf("log", LOG_FORMS) ?? "auto",
    color: reader.oneOf("color", ["auto", "always", "never"]) ?? "auto",
    ascii: reader.has("ascii"),
    quiet: reader.has("quiet"),
    verbose: reader.has("verbose"),
    logFile: reader.text("logFile"),
  };
  reader.finish();
  return flags;
}

/** The common flags as far as they can be told without faults, for printing an error about them. */
export function guessCommonFlags(argv: readonly string[]): CommonFlags {
  return {
    store: undefined,
    config: undefined,
    json: argv.includes("--json"),
    log: "auto",
    color: argv.includes("--color=never") ? "never" : "auto",
    ascii: argv.includes("--ascii"),
    quiet: false,
    verbose: false,
    logFile: undefined,
  };
}
