// What is written as options of the stand-alone parts, read by the rules that resources and stages are read by, so
// that a number which a pipeline refuses is refused here too: all faults at once, where the part is made.

import { describeValue, isPlainRecord, OptionReader } from "../../model/compile/option-reader.ts";
import { parseResource } from "../../model/compile/parse-resource.ts";
import { isResourceName } from "../../model/compile/resource-name.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import { DURATION_MS_MAX, NAME_CHARS_MAX } from "../../model/limits.ts";
import type { ResourceDeclaration } from "../../model/resource/resource.ts";
import { parseDuration } from "../../std/duration.ts";

/** Durations that callers give as text with every call; the house's own are few, so this stays small. */
const KNOWN_DURATIONS_MAX = 256;
const known = new Map<string, number>();

/** OPTION_INVALID with all faults, where there are any. `prefix` is cut off their paths. */
export function refuseFaults(
  what: string,
  faults: readonly DefinitionFault[],
  prefix: string = "",
): void {
  if (faults.length === 0) return;
  const said = faults.map(({ path, message, hint }) => {
    const at = path.startsWith(prefix) ? path.slice(prefix.length) : path;
    return `${at}: ${message}${hint === undefined ? "" : ` (${hint})`}`;
  });
  throw new MillraceError("OPTION_INVALID", `${what} cannot be made: ${said.join("; ")}.`, {
    hint: "mend the options; nothing was called",
    details: { faults: faults.map((fault) => ({ ...fault })) },
  });
}

/** The name that messages tell, or `fallback`. OPTION_INVALID where it is none. */
export function readName(name: unknown, fallback: string): string {
  if (name === undefined) return fallback;
  if (isResourceName(name)) return name;
  const expected = `a name of 1 to ${NAME_CHARS_MAX} characters without "/"`;
  throw new MillraceError(
    "OPTION_INVALID",
    `Expected ${expected}; got ${describeValue(name)}. It names a ${fallback} in messages.`,
  );
}

/** One part of a resource, as `resource(...)` reads it. OPTION_INVALID tells all faults. */
export function readPart(
  part: "quota" | "breaker",
  name: string,
  options: unknown,
): ResourceDeclaration {
  const faults: DefinitionFault[] = [];
  const read = parseResource({ name, values: { [part]: options }, faults, base: null });
  refuseFaults(`The ${part} "${name}"`, faults, `resources.${name}.`);
  return read;
}

/** A duration in ms, from `minMs` on. Text is read once. OPTION_INVALID where it is none. */
export function readDurationMs(what: string, value: unknown, minMs: number = 0): number {
  const ms = typeof value === "string" ? (known.get(value) ?? parseText(value)) : toMs(value);
  if (typeof ms === "number" && ms >= minMs && ms <= DURATION_MS_MAX) return ms;
  const expected =
    typeof ms === "string" ? ms : `expected ${minMs} ms to 366 days; got ${describeValue(value)}`;
  throw new MillraceError("OPTION_INVALID", `${what}: ${expected}.`);
}

function toMs(value: unknown): number | string {
  const parsed = parseDuration(value);
  return parsed.ok ? parsed.value : parsed.error;
}

function parseText(text: string): number | string {
  const ms = toMs(text);
  if (typeof ms === "string") return ms;
  if (known.size >= KNOWN_DURATIONS_MAX) known.clear();
  known.set(text, ms);
  return ms;
}

/** OPTION_INVALID unless the options are a record of known ones: a misspelt limit would be none. */
export function checkOptions(what: string, options: unknown, known: readonly string[]): void {
  const faults: DefinitionFault[] = [];
  if (isPlainRecord(options)) new OptionReader(options, "options", faults).refuseUnknown(known);
  else {
    const message = `expected a record of options; got ${describeValue(options)}`;
    faults.push({ path: "options", message });
  }
  refuseFaults(what, faults, "options.");
}
