// Counts the waits of attempts at the gate, for their stages and items.

import { waitCause, writeGateBlocker, type GateBlocker } from "../../model/resource/gate-wait.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { RunCore } from "../run-core.ts";
import type { Hindrance } from "./permit-request.ts";

/** The gate that stands in the way, by the name that its resource was declared with. */
export function gateOf({ kind, label, key }: Hindrance): GateBlocker {
  return { kind, resource: label, key };
}

/** Counts a wait for a resource that is over, for the stage of an attempt and for its item. */
export function countWait(
  core: RunCore,
  { stageRun, index }: Attempt,
  wait: { readonly hindrance: Hindrance; readonly sinceMs: number },
): void {
  const gate = gateOf(wait.hindrance);
  const ms = core.world.clock.monotonicMs() - wait.sinceMs;
  stageRun.addWait(waitCause(gate), ms);
  const tally = index < 0 ? stageRun.tally : stageRun.map?.makeTally(index);
  if (index >= 0) tally?.add(waitCause(gate), ms);
  if (core.journal === null) return;
  const toMs = Math.round(core.journal.nowMs());
  tally?.note({ blocker: writeGateBlocker(gate), fromMs: Math.round(toMs - ms), toMs });
}
