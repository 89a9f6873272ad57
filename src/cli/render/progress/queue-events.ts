// A queue as the picture of one run sees it: each pipeline is a stage, each run an item of it. So everything that
// shows a run with many items shows a queue too: counts, pace, failures by kind, time left.

import type { EventType, MillraceEvent } from "../../../model/event.ts";
import { ERROR_CLASSES } from "../../../model/outcome.ts";
import { numberField, textField } from "./event-fields.ts";

/** A run of a queue, as it is shown. */
export interface QueuedRun {
  readonly pipeline: string;
  /** Short name. */
  readonly name: string;
}

const ITEM_EVENTS: Readonly<Partial<Record<EventType, EventType>>> = {
  "run.started": "item.started",
  "run.resumed": "item.started",
  "run.succeeded": "item.succeeded",
  "run.failed": "item.failed",
  "run.skipped": "item.skipped",
  "run.cancelled": "item.cancelled",
  "run.returned": "item.cancelled",
  "run.parked": "item.waiting",
};

/** What an event of a run means for its queue; undefined: nothing that is shown. */
export function toQueueEvent(event: MillraceEvent, run: QueuedRun): MillraceEvent | undefined {
  const place = { stage: run.pipeline, item: run.name };
  if (event.type === "stage.logged") {
    const message = `${event.stage ?? ""}: ${textField(event, "message") ?? ""}`;
    return { ...event, ...place, data: { ...event.data, message } };
  }
  const type = ITEM_EVENTS[event.type];
  if (type === undefined) return undefined;
  return {
    ...event,
    ...place,
    type,
    data: type === "item.failed" ? toFailure(event) : dataOf(event),
  };
}

function dataOf(event: MillraceEvent): NonNullable<MillraceEvent["data"]> {
  return { ...event.data, via: "run", attempts: 1 };
}

function toFailure(event: MillraceEvent): NonNullable<MillraceEvent["data"]> {
  const message = textField(event, "message") ?? textField(event, "reason") ?? "no message";
  const told = textField(event, "class");
  const errorClass = ERROR_CLASSES.find((known) => known === told) ?? "unknown";
  const durationMs = numberField(event, "durationMs") ?? 0;
  const fingerprint = textField(event, "fingerprint") ?? `${errorClass}\0${message}`;
  return { message, class: errorClass, attempts: 1, durationMs, fingerprint };
}

/** Says that a pipeline has so many runs to be worked on. */
export function toQueueLength(pipeline: string, runs: number, atMs: number): MillraceEvent {
  const data = { items: runs, kept: 0, added: runs, changed: 0, removed: 0 };
  return { seq: 0, runSeq: 0, atMs, run: "", type: "stage.expanded", stage: pipeline, data };
}
