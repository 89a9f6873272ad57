// Tells an event that came in the shape of an older system. Its run is one of ours only by its whole id: programs that
// reported runs of their own have ids of their own, which stay in its data. It goes out as it came (compatible-event).

import { isUuid } from "../../std/id.ts";
import type { MillContext } from "../mill-context.ts";
import { COMPATIBLE_SOURCE } from "./compatible-event.ts";
import { recordEvent, type RecordedEvent } from "./record-event.ts";

/** An event in that shape, its parts of the right kind. */
export interface CompatibleReport {
  /** `__system__`: it concerns none. */
  readonly run_id: string;
  readonly stage: string;
  readonly event: string;
  /** ISO 8601, without zone UTC. Default now. */
  readonly timestamp?: string;
  readonly msg?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Tells it once each time. EVENT_INVALID with every fault. */
export async function recordCompatibleEvent(
  mill: MillContext,
  { run_id: run, stage, event, timestamp, msg, data }: CompatibleReport,
): Promise<RecordedEvent> {
  const isOurs = isUuid(run) && (await mill.store.findRun(run.toLowerCase())) !== undefined;
  return await recordEvent(mill, {
    name: `${toWord(stage)}.${toWord(event)}`,
    source: COMPATIBLE_SOURCE,
    data: { run_id: run, stage, event, ...(data === undefined ? {} : { data }) },
    ...(isOurs ? { run } : {}),
    ...(timestamp === undefined ? {} : { at: timestamp }),
    ...(msg === undefined || msg === "" ? {} : { message: msg }),
  });
}

/** Names of events have small letters alone. */
function toWord(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9_]/g, "_");
}
