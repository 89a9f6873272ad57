// The environment of a command: the basic variables that exist, who and what it runs for, what the author
// declared, and nothing else. Tokens, NODE_OPTIONS and LD_PRELOAD of our own process stay here unless named.

import { Secret } from "../../../model/secret.ts";
import { isRecord } from "../../../std/record.ts";
import { quoteText, refuseCommand } from "./command-error.ts";
import type { CommandRequest } from "./request.ts";

/** Passed on where they exist: programs are not found, and text is not read, without them. */
const BASIC_VARIABLES = ["PATH", "HOME", "LANG", "TZ", "TMPDIR"] as const;

/**
 * The child's variables. Later ones win: basic, `passEnv`, `env`, ours. Throws a CommandError for a name or
 * value that no environment can hold, and whatever the author's function throws.
 */
export function makeEnvironment(request: CommandRequest): Record<string, string> {
  const { shape, environment } = request;
  const variables = new Map<string, string>();
  for (const name of [...BASIC_VARIABLES, ...shape.passEnv]) {
    const value = lookUp(environment, name);
    if (value !== undefined) variables.set(name, value);
  }
  const declared = typeof shape.env === "function" ? shape.env(request.needs) : shape.env;
  for (const [name, value] of checkVariables(declared)) variables.set(name, value);
  variables.set("MILLRACE_RUN_ID", request.runId);
  variables.set("MILLRACE_STAGE", request.stage);
  variables.set("MILLRACE_ATTEMPT", String(request.attempt));
  return Object.fromEntries(variables);
}

// Windows spells it `Path`, and reads its variables in any case.
function lookUp(environment: CommandRequest["environment"], name: string): string | undefined {
  if (process.platform !== "win32") return environment[name];
  const key = Object.keys(environment).find((known) => known.toUpperCase() === name.toUpperCase());
  return key === undefined ? undefined : environment[key];
}

function checkVariables(declared: unknown): [string, string][] {
  if (!isRecord(declared)) {
    throw refuseCommand(`A command's "env" must be a record of text, got ${typeof declared}.`);
  }
  return Object.entries(declared).map(([name, value]) => [name, checkVariable(name, value)]);
}

function checkVariable(name: string, value: unknown): string {
  if (name === "" || /[=\0]/.test(name)) {
    throw refuseCommand(`A variable of a command cannot have the name ${quoteText(name)}.`);
  }
  if (value instanceof Secret) return checkVariable(name, value.reveal());
  if (typeof value !== "string" || value.includes("\0")) {
    const got = typeof value === "string" ? "text with a NUL character" : typeof value;
    throw refuseCommand(`The variable "${name}" of a command must be text, got ${got}.`);
  }
  return value;
}
