// The flags of the verbs that work a run, from text to values.

import { availableParallelism } from "node:os";
import type { Duration } from "../../std/duration.ts";
import type { FlagReader } from "../input/flag-reader.ts";
import { readConcurrency } from "../input/selection.ts";
import type { LogsShown } from "../render/forms/progress-form.ts";

/** How the work is done. Absent: not given. */
export interface WorkFlags {
  readonly concurrency?: number;
  readonly failFast?: boolean;
  readonly deadline?: Duration;
  readonly isStrict: boolean;
  readonly logs: LogsShown;
}

/** Reads `-j`, `-k`, `--deadline`, `--strict` and `--logs`. */
export function readWorkFlags(reader: FlagReader): WorkFlags {
  const concurrency = readConcurrency(reader, availableParallelism());
  const deadline = reader.durationMs("deadline");
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(reader.has("k") ? { failFast: false } : {}),
    ...(deadline === undefined ? {} : { deadline }),
    isStrict: reader.has("strict"),
    logs: reader.oneOf("logs", ["all", "failed", "none"]) ?? "failed",
  };
}

/** `--tag key=value`, as often as given; undefined: not at all. */
export function readTags(reader: FlagReader): Readonly<Record<string, string>> | undefined {
  const tags: Record<string, string> = {};
  for (const text of reader.texts("tag")) {
    const cut = text.indexOf("=");
    if (cut < 1) reader.fault("tag", `expected key=value; got "${text}"`);
    else tags[text.slice(0, cut)] = text.slice(cut + 1);
  }
  return Object.keys(tags).length === 0 ? undefined : tags;
}
