// `millrace config print`: the settings in force, each with where it comes from if asked. Secrets are masked.

import { readFileSync } from "node:fs";
import { showPath } from "../../../config/import-module.ts";
import { describeOrigin, type Origin } from "../../../config/resolve.ts";
import { findLines } from "../../../config/show/find-line.ts";
import {
  listSettings,
  toConfigRecord,
  type ShownSetting,
} from "../../../config/show/list-settings.ts";
import { findNearestKey } from "../../../config/show/nearest-key.ts";
import { MillraceError } from "../../../model/errors.ts";
import type { Json } from "../../../std/json.ts";
import { escapeControl } from "../../../std/text.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { printAnswer, printDocument } from "../../print.ts";
import { readSettings } from "../../settings.ts";

/** Prints them. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  [key]: readonly string[],
): Promise<number> {
  const settings = await readSettings(context);
  const shown = choose(listSettings(settings), key);
  const lines = settings.file === null ? new Map<string, number>() : linesOf(settings.file);
  const tell = (origin: Origin): string => tellOrigin(context, origin, lines);
  if (context.flags.json) {
    const origins = Object.fromEntries(shown.map((one) => [one.key, tell(one.origin)]));
    const config = toConfigRecord(shown);
    printDocument(context, { schema: "millrace.config-print/1", config, origins });
    return EXIT.ok;
  }
  const width = Math.max(...shown.map((one) => one.key.length));
  const wide = Math.min(40, Math.max(...shown.map(({ value }) => showValue(value).length)));
  const rows = shown.map((one) => {
    const row = `${one.key.padEnd(width)}  ${showValue(one.value).padEnd(wide)}`;
    return options["origin"] === true ? `${row}  ${tell(one.origin)}` : row.trimEnd();
  });
  printAnswer(context, rows.map((row) => escapeControl(row)).join("\n"));
  return EXIT.ok;
}

function showValue(value: Json): string {
  if (value === null) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** One key, all keys of a section, or everything. OPTION_INVALID. */
function choose(all: readonly ShownSetting[], key: string | undefined): readonly ShownSetting[] {
  if (key === undefined) return all;
  const found = all.filter((one) => one.key === key || one.key.startsWith(`${key}.`));
  if (found.length > 0) return found;
  const near = findNearestKey(
    key,
    all.map((one) => one.key),
  );
  throw new MillraceError("OPTION_INVALID", `There is no setting "${key}".`, {
    hint: near === undefined ? "without a key all are printed" : `did you mean "${near}"?`,
    next: "npx millrace config print",
    details: { given: key },
  });
}

function linesOf(path: string): ReadonlyMap<string, number> {
  try {
    return findLines(readFileSync(path, "utf8"));
  } catch {
    // It was there to be imported; without its text only the line is not known.
    return new Map();
  }
}

/** `millrace.config.ts:7`, where the line is known. */
function tellOrigin(
  context: CliContext,
  origin: Origin,
  lines: ReadonlyMap<string, number>,
): string {
  const show = (path: string): string => showPath(context.cwd, path);
  if (origin.kind !== "file") return describeOrigin(origin, show);
  const section = origin.key.split(".")[0] ?? origin.key;
  const line = lines.get(origin.key) ?? lines.get(section);
  return line === undefined ? describeOrigin(origin, show) : `${show(origin.path)}:${line}`;
}
