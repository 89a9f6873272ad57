// Cancels many runs, a page at a time: each page of those that nobody works on is one transaction.

import { MillraceError } from "../../model/errors.ts";
import { isRunOver, type RunRecord, type RunState } from "../../model/run.ts";
import { cancelRun, requestCancel } from "../commands/cancel-run.ts";
import type { MillContext } from "../mill-context.ts";
import { listRunPages, Selection, type SelectionOutcome } from "./run-selection.ts";

/** Which runs to cancel. */
export interface CancelRunsOptions {
  /** One or several of `queued`, `waiting` and `running`. */
  readonly state: RunState | readonly RunState[];
  /** Default: all. */
  readonly pipeline?: string;
  /** For people. Default "cancelled". */
  readonly reason?: string;
  /** True: only counts. */
  readonly dryRun?: boolean;
}

/** Cancels matching runs; a running one, or one that begins meanwhile, is asked to end. One that has ended meanwhile
 *  is skipped. OPTION_INVALID for the state of a run that is over. */
export async function cancelRuns(
  mill: MillContext,
  { state, pipeline, reason = "cancelled", dryRun }: CancelRunsOptions,
): Promise<SelectionOutcome> {
  const states = typeof state === "string" ? [state] : state;
  checkStates(states);
  const selection = new Selection();
  const query = { states, ...(pipeline === undefined ? {} : { pipeline }) };
  for await (const runs of listRunPages(mill.store, query)) {
    selection.match(runs.length);
    if (dryRun !== true) await selection.changeEach(runs, (run) => cancelOne(mill, run, reason));
  }
  return selection.outcome;
}

function cancelOne(mill: MillContext, run: RunRecord, reason: string): Promise<unknown> {
  const isWorkedOn = run.state === "running" || mill.live.has(run.id);
  return isWorkedOn ? cancelRun(mill, run.id, { reason }) : requestCancel(mill, run, reason);
}

function checkStates(states: readonly RunState[]): void {
  const over = states.find((state) => isRunOver(state));
  if (states.length > 0 && over === undefined) return;
  throw new MillraceError(
    "OPTION_INVALID",
    over === undefined
      ? "state: expected at least one state of runs to cancel."
      : `state: a run that is ${over} has ended.`,
    { hint: "expected queued, waiting or running" },
  );
}
