// Writes about permits, by the rules that all stores share.

import { releasePermits, setResource, takePermits } from "../../permits/permit-rules.ts";
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
  if (events.length > 0) batch.tell(head, events);
  return result;
}

/** Gives permits back; its run is the caller's. */
export function release(batch: Batch, head: RunHead, write: ReleasePermitsWrite): WriteResult {
  const owner = { run: head.number, epoch: head.epoch };
  const events = releasePermits(batch.permits, owner, write);
  return { kind: "done", numbers: batch.tell(head, [...write.events, ...events]) };
}

/** Does what a person asked for. */
export function set(batch: Batch, write: SetResourceWrite): WriteResult {
  batch.tellAll(setResource(batch.permits, write));
  const { resource, key, state, totals, held, terms, usedAtMs } = batch.permits.find(write);
  const record = { resource, key, state, totals, held, waiting: 0, terms, usedAtMs };
  return { kind: "resource-set", record };
}
