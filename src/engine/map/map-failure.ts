// The failure of a map stage in terms of its items: how many failed, which ones, and why the first did.

import type { Failure } from "../../model/outcome.ts";
import { ERROR_CHARS_MAX, FAILED_ITEMS_LISTED_MAX } from "../../model/limits.ts";
import { fingerprintOf } from "../../policy/failure.ts";
import { boundedText } from "../../std/json.ts";
import type { StageRun } from "../stage-run.ts";

/** One failure for the whole stage; lists key, position and reason of the failed items. */
export function summarizeItems(stageRun: StageRun, sentence: string): Failure {
  const map = stageRun.map;
  const failures = [...(map?.failures ?? [])].toSorted(([a], [b]) => a - b);
  const lines = failures.slice(0, FAILED_ITEMS_LISTED_MAX).map(([index, failure]) => {
    return `[${index}] "${map?.keyOf(index) ?? ""}": ${boundedText(failure.message, 500)}`;
  });
  const more = failures.length - lines.length;
  if (more > 0) lines.push(`and ${more} more`);
  const first = failures[0];
  const message = boundedText([sentence, ...lines].join("\n"), ERROR_CHARS_MAX);
  const errorClass = first?.[1].class ?? "permanent";
  return {
    class: errorClass,
    message,
    ...(first?.[1].code === undefined ? {} : { code: first[1].code }),
    attempts: stageRun.attempts,
    fingerprint: first?.[1].fingerprint ?? fingerprintOf(errorClass, undefined, sentence),
    ...(first === undefined ? {} : { item: { key: map?.keyOf(first[0]) ?? "", index: first[0] } }),
  };
}
