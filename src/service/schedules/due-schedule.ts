// A schedule that is due and what is known about it, for the decisions that are written about it.

import type { PipelineDefinition } from "../../model/definition.ts";
import { isMillraceError } from "../../model/errors.ts";
import type { EventDraft } from "../../model/event.ts";
import type { RunRecord } from "../../model/run.ts";
import type { Ticks } from "../../policy/schedule/next-tick.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { MillContext } from "../mill-context.ts";
import type { KnownSchedule } from "./known-schedule.ts";

/** May a run of this pipeline start now? */
export type MayStart = (
  pipeline: string,
  question: { readonly kind: "scheduled" | "manual"; readonly source: string },
) => Promise<StartVerdict>;

/** The answer; `reason` in a word or sentence, `event`: told with the tick. */
export type StartVerdict =
  | { readonly kind: "yes" }
  | { readonly kind: "no"; readonly reason: string; readonly event?: EventDraft };

/** What became of a schedule that was due. */
export type FireOutcome =
  /** It has gone on: there may be more to do. `lateMs`: of the tick that was decided. */
  | { readonly kind: "moved"; readonly lateMs: number | null }
  /** It waits for a run to end. */
  | { readonly kind: "held" }
  /** There is nothing to do before its next time. */
  | { readonly kind: "idle" }
  /** Another process was there first. */
  | { readonly kind: "lost" }
  /** Nothing can be done about it here. */
  | { readonly kind: "left"; readonly problem: string; readonly lateMs: number };

/** A schedule that is looked at, and what is known about it. */
export interface DueSchedule extends KnownSchedule {
  readonly record: StoreRecord;
  readonly definition: PipelineDefinition;
  readonly ticks: Ticks;
  /** Its runs that have not ended. */
  readonly live: readonly RunRecord[];
  readonly mayStart: MayStart;
}

/** Asks for the end of runs; one that has ended meanwhile is left. */
export async function cancelRuns(mill: MillContext, runs: readonly RunRecord[]): Promise<void> {
  for (const run of runs) {
    if (run.cancelRequestedAtMs !== null) continue;
    const reason = "replaced by a later tick";
    await mill.committer.write({ kind: "request-cancel", runId: run.id, reason });
  }
}

/** Why something could not be started; a store that cannot be used is thrown on. */
export function sayFault(error: unknown): string {
  if (isMillraceError(error) && error.code.startsWith("STORE_")) throw error;
  return error instanceof Error ? error.message : String(error);
}
