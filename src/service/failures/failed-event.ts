// Events that tell a failure, each with its run, and the kind that it is of.

import type { MillraceEvent } from "../../model/event.ts";
import type { RunRecord } from "../../model/run.ts";

/** An event that tells a failure, and its run. */
export interface FailedEvent {
  readonly event: MillraceEvent;
  readonly run: RunRecord;
}

/** Types of such events. */
export const FAILED_TYPES = ["run.failed", "stage.failed", "item.failed"] as const;

/** Fingerprint that an event tells; undefined: it tells none. */
export function fingerprintOf({ data }: MillraceEvent): string | undefined {
  return textOf(data?.["fingerprint"]);
}

/** Undefined: it is no text, or an empty one. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
