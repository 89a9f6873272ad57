// Which stages of a pipeline a call is about, and how it is to work: the flags that run, plan, resume and
// rerun share, from text to values. Whether the names exist is judged where the definition is.

import { CONCURRENCY_MAX } from "../../model/limits.ts";
import type { FlagReader } from "./flag-reader.ts";

/** `--skip`, `--only`, `--until`, `--from`. Absent: not given. */
export interface Selection {
  readonly skip?: readonly string[];
  readonly only?: readonly string[];
  readonly until?: string;
  readonly from?: string;
}

/** Reads the selection; `--only`, `--until` and `--from` exclude each other. */
export function readSelection(reader: FlagReader): Selection {
  const skip = reader.names("skip");
  const only = reader.names("only");
  const until = reader.text("until");
  const from = reader.text("from");
  const given = ["only", "until", "from"].filter((name) => reader.has(name));
  if (given.length > 1) {
    reader.fault(given[1] ?? "only", `cannot stand together with --${given[0] ?? "from"}`);
  }
  return {
    ...(skip === undefined ? {} : { skip }),
    ...(only === undefined ? {} : { only }),
    ...(until === undefined ? {} : { until }),
    ...(from === undefined ? {} : { from }),
  };
}

/** `--force` for all stages, `--force=a,b` for some; undefined: not given. */
export function readForce(reader: FlagReader): true | readonly string[] | undefined {
  if (!reader.has("force")) return undefined;
  return reader.text("force") === undefined ? true : reader.names("force");
}

/** `-j`: attempts at once, as a number, a share of the cores (`50%`) or `auto` (one per core). */
export function readConcurrency(reader: FlagReader, cores: number): number | undefined {
  const text = reader.text("j");
  if (text === undefined) return undefined;
  if (text === "auto") return Math.max(1, cores);
  const share = /^(\d{1,4})%$/.exec(text)?.[1];
  if (share !== undefined && Number(share) >= 1) {
    return Math.min(CONCURRENCY_MAX, Math.max(1, Math.floor((cores * Number(share)) / 100)));
  }
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= CONCURRENCY_MAX) return count;
  return reader.fault(
    "j",
    `expected a whole number from 1 to ${CONCURRENCY_MAX}, a share of the cores such as 50%, or auto; got "${text}"`,
  );
}
