// A run at rest: nothing of it runs or is ready. It gives its place back where what it waits for is further off than
// a moment; only runs of a queue do, one in the foreground or in memory waits where it is. With nothing to wait for
// its counters are wrong.

import type { Blocker } from "../model/blocker.ts";
import type { ParkedFor } from "../storage/permits/parked-runs.ts";
import { InvariantError } from "../std/error/assert.ts";
import type { RunGate } from "./limits/run-gate.ts";
import type { RunCore } from "./run-core.ts";
import type { RunTimers } from "./run-timers.ts";
import type { StageRun } from "./stage-run.ts";

/** Until when a run is parked, and for what it waits. */
export interface ParkedWait {
  /** UTC ms of the store. */
  readonly wakeAtMs: number;
  readonly reason: Blocker["kind"];
  /** Keys in which it waits for room. */
  readonly waitsFor: readonly ParkedFor[];
}

/** Until when a run may be parked of which nothing runs and nothing is ready; null: it stays. */
export function findParking(
  core: RunCore,
  timers: RunTimers,
  gate: Pick<RunGate, "isBusy" | "admissions" | "isHurried">,
): ParkedWait | null {
  const { parksAfterMs, journal } = core;
  if (parksAfterMs === null || journal === null) return null;
  const atGate = gate.isBusy ? gate.admissions.findLongWait(parksAfterMs, gate.isHurried) : null;
  if (atGate === "short" || (atGate === null && timers.waits === 0)) return null;
  const leftMs = timers.size === 0 ? Infinity : timers.findLeftMs(parksAfterMs);
  if (leftMs === null || core.stages.some((stageRun) => holdsUnstored(core, stageRun))) return null;
  const isGateFirst = atGate !== null && atGate.leftMs <= leftMs;
  const { leftMs: restMs, reason } = isGateFirst ? atGate : { leftMs, reason: "retry" as const };
  const waitsFor = atGate?.waitsFor ?? [];
  return { wakeAtMs: Math.ceil(journal.nowMs() + restMs), reason, waitsFor };
}

/** Of a run with open stages of which nothing runs, is ready or waits. */
export function makeStalled({ stages, runId }: RunCore): InvariantError {
  const open = stages.filter((one) => !one.settled);
  const names = open.map((one) => one.definition.name).join(", ");
  return new InvariantError(`Nothing of run ${runId} can go on; open: ${names}.`);
}

/** True for a result that only this process has and somebody still needs: parked, it would have to be made again. */
function holdsUnstored(
  core: RunCore,
  { definition, state, map, settled, index }: StageRun,
): boolean {
  if (definition.persist) return false;
  if (!settled) return (map?.counts.succeeded ?? 0) > 0;
  const readers = core.definition.graph.readers[index] ?? [];
  return state === "succeeded" && readers.some((reader) => !core.stageAt(reader).settled);
}
