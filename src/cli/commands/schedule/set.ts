// `millrace schedule set`: other times or rules, for all processes at once. The service judges the values.

import type { ScheduleChange } from "../../../service/schedules/set-schedule.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { FlagReader, usageInvalid } from "../../input/flag-reader.ts";
import { changeSchedule } from "./change-schedule.ts";

/** Sets fields. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const [name = "", ...words] = args;
  const change = readChange(words);
  return changeSchedule(context, {
    reader: new FlagReader(options),
    verb: "set",
    change: (mill, order) => mill.schedule(name).set(change, order),
  });
}

/** Fields whose values are not plain text: they are written as JSON. */
const JSON_FIELDS = new Set(["input", "tags", "priority"]);

function readChange(words: readonly string[]): ScheduleChange {
  const entries = words.map((word) => {
    const cut = word.indexOf("=");
    if (cut <= 0)
      throw usageInvalid([{ flag: "set", message: `expected field=value; got "${word}"` }]);
    const key = word.slice(0, cut);
    return [key, readValue(key, word.slice(cut + 1))];
  });
  return Object.fromEntries(entries);
}

function readValue(key: string, text: string): unknown {
  if (!JSON_FIELDS.has(key)) return text;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw usageInvalid([{ flag: "set", message: `${key}: expected JSON; got "${text}"` }]);
  }
}
