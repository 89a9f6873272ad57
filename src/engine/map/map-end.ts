// How a map stage ends, in terms of its items: how many failed, which ones, and why the first did.

import type { MapShape } from "../../model/definition.ts";
import type { Ending, Failure, Via } from "../../model/outcome.ts";
import { ERROR_CHARS_MAX, FAILED_ITEMS_LISTED_MAX } from "../../model/limits.ts";
import { STOPPED_EARLY } from "../../model/stage/stage-options.ts";
import { fingerprintOf } from "../../policy/failure.ts";
import { decideMapEnd } from "../../policy/tolerance.ts";
import { boundedText } from "../../std/json.ts";
import type { StageRun } from "../stage-run.ts";

/** How the success of a map came about: it was worked for unless every item was there already. */
function viaOf({ map, definition, candidate }: StageRun, kept: number): Via {
  if (candidate !== null && kept === map?.size) return "checkpoint";
  if (definition.cache === null || map === null || map.size === 0) return "run";
  for (let index = 0; index < map.size; index += 1) if (!map.vias.has(index)) return "run";
  return "cache";
}

/** What the end of a map depends on besides its items. */
export interface MapFacts {
  /** Its list turned out bad, or came too late. */
  readonly failure: Failure | null;
  /** Why the run stopped it; null if it did not. */
  readonly outsideReason: string | null;
  /** Why it stopped early, because failures piled up; null if it did not. */
  readonly piledUp: string | null;
  /** Items that kept their checkpoint. */
  readonly kept: number;
}

/** How a map stage ends, of which nothing is open any more. */
export function decideEnding(stageRun: StageRun, shape: MapShape, facts: MapFacts): Ending {
  const { failure, outsideReason, piledUp, kept } = facts;
  if (failure !== null) return { state: "failed", failure };
  const failed = stageRun.map?.counts.failed ?? 0;
  const cancelled = stageRun.map?.counts.cancelled ?? 0;
  const isLost = shape.onItemFailure === "fail" && failed > 0;
  if (outsideReason !== null && cancelled > 0 && !isLost) {
    return { state: "cancelled", reason: outsideReason };
  }
  if (piledUp !== null) return toFailure(stageRun, `${STOPPED_EARLY}: ${piledUp}`);
  return judgeItems(stageRun, shape, kept);
}

/** The ending that the final states of all items give. */
function judgeItems(stageRun: StageRun, shape: MapShape, kept: number): Ending {
  const { map } = stageRun;
  const decided = decideMapEnd(shape, {
    total: map?.size ?? 0,
    succeeded: map?.counts.succeeded ?? 0,
    failed: map?.counts.failed ?? 0,
    skipped: map?.counts.skipped ?? 0,
    cancelled: map?.counts.cancelled ?? 0,
    upstreamFailed: map?.counts.upstream_failed ?? 0,
  });
  switch (decided.kind) {
    case "succeeded":
      return { state: "succeeded", via: viaOf(stageRun, kept) };
    case "skipped":
      return { state: "skipped", reason: decided.reason };
    case "failed":
      return toFailure(stageRun, decided.message);
  }
}

/** A failed ending for the whole stage. */
function toFailure(stageRun: StageRun, sentence: string): Ending {
  return { state: "failed", failure: summarizeItems(stageRun, sentence) };
}

/** One failure for the whole stage; lists key, position and reason of the failed items. */
function summarizeItems(stageRun: StageRun, sentence: string): Failure {
  const map = stageRun.map;
  const failures = [...(map?.failures ?? [])]
    .filter(([index]) => map?.stateOf(index) === "failed")
    .toSorted(([a], [b]) => a - b);
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
