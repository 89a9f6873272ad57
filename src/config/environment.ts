// Settings from environment variables: `MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT=8` is the key `attemptsInFlight`
// of the section `worker`; a key without a section has one underscore (`MILLRACE_STORE`). Values are JSON
// where they can be read as such, and text otherwise. The only room that knows these names.

import { findNearest } from "../std/nearest.ts";
import type { DefinitionFault } from "../model/definition.ts";
import { parseConfig, type ParsedConfig } from "./schema.ts";
import { SETTING_KEYS } from "./setting-keys.ts";

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Every key that a variable may set: `store.busyTimeout`. Pipelines and provided values are code. */
const KEYS: readonly string[] = Object.values(SETTING_KEYS);

/** The variable of a key: `MILLRACE_WORKER__ATTEMPTS_IN_FLIGHT`. */
export function toVariable(key: string): string {
  const parts = key.split(".").map((part) => part.replaceAll(/[A-Z]/g, (letter) => `_${letter}`));
  return `MILLRACE_${parts.join("__").toUpperCase()}`;
}

const KEY_BY_VARIABLE: ReadonlyMap<string, string> = new Map(
  KEYS.map((key) => [toVariable(key), key]),
);

/** What the environment says; faults name the variables. Unknown names with a section are faults too. */
export function parseEnvironment(
  env: Environment,
  faults: DefinitionFault[],
): ParsedConfig | undefined {
  const raw: Record<string, unknown> = {};
  const nested: Record<string, Record<string, unknown>> = {};
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || text === "" || !variable.startsWith("MILLRACE_")) continue;
    const key = KEY_BY_VARIABLE.get(variable);
    if (key === undefined) {
      refuseUnknown(variable, faults);
      continue;
    }
    const [section = key, name] = key.split(".");
    if (name === undefined)
      raw[section] = key === "store" || key === "logFile" ? text : parseLoose(text);
    else (nested[section] ??= {})[name] = parseLoose(text);
  }
  for (const [section, values] of Object.entries(nested)) {
    raw[section] = typeof raw[section] === "string" ? { url: raw[section], ...values } : values;
  }
  const found: DefinitionFault[] = [];
  const config = parseConfig(raw, found);
  faults.push(...found.map((fault) => ({ ...fault, path: nameVariable(fault.path) })));
  return config;
}

/** A name without a section may be anybody's, as `MILLRACE_RUN_ID` is; one with a section is meant for us. */
function refuseUnknown(variable: string, faults: DefinitionFault[]): void {
  if (!variable.includes("__")) return;
  const near = findNearest(variable, KEY_BY_VARIABLE.keys());
  faults.push({
    path: variable,
    message: "no setting has this name",
    hint:
      near === undefined
        ? `known: ${[...KEY_BY_VARIABLE.keys()].join(", ")}`
        : `did you mean "${near}"?`,
  });
}

/** The variable behind a fault's path; what is deeper than the key stays behind it. */
function nameVariable(path: string): string {
  const parts = path.split(".");
  const known = [2, 1].map((count) => parts.slice(0, count).join("."));
  const key = known.find((candidate) => KEYS.some((each) => each === candidate));
  if (key === undefined) return path === "store.url" ? "MILLRACE_STORE" : path;
  return [toVariable(key), ...parts.slice(key.split(".").length)].join(".");
}

function parseLoose(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
