// `limit=8 quota=60/1m`: what is set for a resource. Whether the numbers are possible is for the service to say.

import { parseDuration } from "../../std/duration.ts";
import { findNearest } from "../../std/nearest.ts";
import type { SetResourceOptions } from "../../service/resources/set-resource.ts";
import { usageInvalid, type FlagFault } from "./flag-reader.ts";

const NAMES = ["limit", "quota"];

/** Reads the values; a quota may be named several times. USAGE_INVALID with all faults. */
export function parseResourceValues(
  words: readonly string[],
): Pick<SetResourceOptions, "limit" | "quota"> {
  const faults: FlagFault[] = [];
  const quotas: { readonly rate: number; readonly per: number }[] = [];
  let limit: number | undefined;
  for (const word of words) {
    const cut = word.indexOf("=");
    const name = cut < 0 ? word : word.slice(0, cut);
    const text = cut < 0 ? "" : word.slice(cut + 1);
    if (name === "limit") limit = readNumber(text, faults);
    else if (name === "quota") quotas.push(...readQuota(text, faults));
    else faults.push({ flag: name, message: sayUnknown(name) });
  }
  if (faults.length > 0) throw usageInvalid(faults, "npx millrace resources set --help");
  const [first, ...others] = quotas;
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(first === undefined ? {} : { quota: others.length === 0 ? first : quotas }),
  };
}

function readNumber(text: string, faults: FlagFault[]): number | undefined {
  if (/^-?\d{1,16}$/.test(text)) return Number(text);
  faults.push({ flag: "limit", message: `expected a whole number, as in limit=8; got "${text}"` });
  return undefined;
}

function readQuota(
  text: string,
  faults: FlagFault[],
): readonly { readonly rate: number; readonly per: number }[] {
  const [, rate, time = ""] = /^(\d{1,12}(?:\.\d{1,12})?)\/(.*)$/.exec(text) ?? [];
  const per = parseDuration(time);
  if (rate !== undefined && per.ok) return [{ rate: Number(rate), per: per.value }];
  const message = `expected units per time, as in quota=60/1m; got "${text}"`;
  faults.push({ flag: "quota", message });
  return [];
}

function sayUnknown(name: string): string {
  const near = findNearest(name, NAMES);
  return `is nothing that can be set${near === undefined ? `: name a limit or a quota` : `; did you mean "${near}"?`}`;
}
