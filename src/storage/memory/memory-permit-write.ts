// What writes about permits do to the memory store, by the rules that all stores share.

import { assert } from "../../std/error/assert.ts";
import type { EventDraft } from "../../model/event.ts";
import { releasePermits, takePermits } from "../permits/permit-rules.ts";
import type {
  ReleasePermitsWrite,
  SetResourceWrite,
  TakePermitsWrite,
} from "../permits/permit-write.ts";
import { setResource } from "../permits/set-resource.ts";
import type { EventNumbers, WriteResult } from "../write-result.ts";
import type { MemoryLog } from "./memory-log.ts";
import type { MemoryPermits } from "./memory-permits.ts";
import type { MemoryRun } from "./memory-run.ts";

/** The parts of the store that permits have to do with, in one transaction. */
export interface PermitPlace {
  readonly permits: MemoryPermits;
  readonly log: MemoryLog;
  readonly nowMs: number;
}

/** Takes or gives back permits of a run, under its epoch. */
export function writePermits(
  place: PermitPlace,
  run: MemoryRun,
  write: TakePermitsWrite | ReleasePermitsWrite,
): WriteResult {
  const book = place.permits.open(place.nowMs);
  const owner = { run: run.record.number, epoch: run.record.epoch };
  if (write.kind === "release-permits") {
    const added = releasePermits(book, owner, write);
    const numbers = tellPermits(place, run, [...write.events, ...added]);
    return added.length === 0 ? { kind: "done", numbers } : { kind: "done", numbers, added };
  }
  const { result, events } = takePermits(book, owner, write);
  if (events.length === 0 || result.kind !== "permitted") return result;
  return { ...result, told: { events, numbers: tellPermits(place, run, events) } };
}

/** A run of which something is told has changed then; its permits alone are no part of it. */
function tellPermits(
  { log, nowMs }: PermitPlace,
  run: MemoryRun,
  drafts: readonly EventDraft[],
): EventNumbers {
  if (drafts.length > 0) run.record = { ...run.record, updatedAtMs: nowMs };
  return log.tell(run, drafts, nowMs);
}

/** Does what a person asked for. */
export function writeResource(
  { permits, log, nowMs }: PermitPlace,
  write: SetResourceWrite,
): WriteResult {
  const events = setResource(permits.open(nowMs), write);
  log.tellAll(events, nowMs);
  const record = permits.record(write, nowMs);
  assert(record !== undefined, `Resource "${write.resource}" was set and is gone.`);
  return { kind: "resource-set", record, events };
}
