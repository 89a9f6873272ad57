// Writes about permits, by the rules that all stores share.

import { countWaiting } from "../../permits/permit-lines.ts";
import { releasePermits, takePermits } from "../../permits/permit-rules.ts";
import { setResource } from "../../permits/set-resource.ts";
import type {
  ReleasePermitsWrite,
  SetResourceWrite,
  TakePermitsWrite,
} from "../../permits/permit-write.ts";
import type { WriteResult } from "../../write-result.ts";
import type { Batch } from "../batch.ts";
import type { RunHead } from "../statements/runs.ts";

/** Asks for the permits of an attempt; its run is the caller's. */
export function take(batch: Batch, head: RunHead, write: TakePermitsWrite): WriteResult {
  const owner = { run: head.number, epoch: head.epoch };
  const { result, events } = takePermits(batch.permits, owner, write);
  if (result.kind === "permitted") head.mayHold = true;
  if (events.length === 0 || result.kind !== "permitted") return result;
  return { ...result, told: { events, numbers: batch.tell(head, events) } };
}

/** Gives permits back; its run is the caller's. */
export function release(batch: Batch, head: RunHead, write: ReleasePermitsWrite): WriteResult {
  const owner = { run: head.number, epoch: head.epoch };
  const added = releasePermits(batch.permits, owner, write);
  const numbers = batch.tell(head, [...write.events, ...added]);
  return added.length === 0 ? { kind: "done", numbers } : { kind: "done", numbers, added };
}

/** Does what a person asked for. */
export function set(batch: Batch, write: SetResourceWrite): WriteResult {
  const events = setResource(batch.permits, write);
  batch.tellAll(events);
  const { lines, ...entry } = batch.permits.find(write);
  const { resource, key, state, totals, held, terms, usedAtMs } = entry;
  const waiting = countWaiting(lines.values(), batch.nowMs);
  const record = { resource, key, state, totals, held, waiting, terms, usedAtMs };
  return { kind: "resource-set", record, events };
}
