// What is said of a stage or item that waits for a resource.

import type { Blocker } from "../../model/blocker.ts";
import type { ItemRecord, StageRecord } from "../../model/checkpoint.ts";
import type { RunFacts } from "../queries/run-facts.ts";
import { findGate, toGateBlocker } from "../views/gate-blocker.ts";
import { sayFailure, saySince } from "./words.ts";

/** What follows its name; undefined: it does not wait for a resource. */
export function sayHeld(
  { nowMs }: RunFacts,
  record: StageRecord | ItemRecord | undefined,
  blockers: readonly Blocker[],
): string | undefined {
  const stored = record === undefined ? undefined : toGateBlocker(record);
  if (record === undefined || stored === undefined) return undefined;
  const { sinceMs } = stored;
  const since = sinceMs === undefined ? "" : ` ${saySince(sinceMs, nowMs)}`;
  const { text } = blockers.find((blocker) => findGate(blocker) !== undefined) ?? stored;
  const { attempts, failure } = record;
  const block = record.trail?.now?.block;
  const inside = block === undefined ? "" : `; attempt ${block} waits inside a block`;
  const after = failure === null ? "" : `; attempt ${attempts} failed with ${sayFailure(failure)}`;
  return `is waiting${since}: ${text}${inside}${after}`;
}
