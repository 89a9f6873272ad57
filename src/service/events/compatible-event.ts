// Events in the shape of an older system, for programs that read it: one run id or `__system__`, the stage or who spoke
// for the whole, a short word for what happened, and a text. What cannot be said in it stands in `data`.

import type { EventType, MillraceEvent } from "../../model/event.ts";
import type { Json } from "../../std/json.ts";
import { isRecord } from "../../std/record.ts";
import { toIso } from "../views/time-view.ts";

/** An event in that shape. */
export interface CompatibleEvent {
  /** Id of the run; `__system__`: it concerns none. */
  readonly run_id: string;
  /** Name of the stage, or `pipeline`, `scheduler`, `watchdog`, `system`. */
  readonly stage: string;
  readonly event: string;
  /** ISO 8601, UTC, with milliseconds. */
  readonly timestamp: string;
  readonly msg?: string;
  readonly data: Readonly<Record<string, Json>>;
}

/** Run id of what concerns no run. */
export const SYSTEM_RUN = "__system__";

/** Source of events that came in this shape: they go out in it as they came. */
export const COMPATIBLE_SOURCE = "compatible";

/** Words of single types. Others are words of how a type ends, or a change of state. */
const WORDS: Partial<Record<EventType, string>> = {
  "run.refused": "run_blocked",
  "run.failed": "failed",
  "stage.logged": "log",
  "stage.progressed": "progress",
  "stage.emitted": "metric",
  "stage.fell_silent": "timeout",
  "stage.rule_failed": "error",
  "schedule.enabled": "enabled",
  "schedule.disabled": "disabled",
  "schedule.fired": "scheduled_run_started",
  "schedule.skipped": "skipped",
  "schedule.missed": "skipped",
  "watchdog.warned": "error",
  "watchdog.repaired": "state_inconsistency",
  "clock.jumped": "error",
  "external.reported": "log",
  "notice.failed": "error",
  "settings.refused": "error",
  "system.heartbeat": "heartbeat",
};

const WORDS_BY_END: Readonly<Record<string, string>> = {
  started: "start",
  succeeded: "success",
  failed: "failure",
  skipped: "skipped",
};

/** Shapes it. */
export function toCompatibleEvent(event: MillraceEvent): CompatibleEvent {
  const { run, atMs, type, item, attempt, data } = event;
  const message = messageOf(event);
  const came = type === "external.reported" ? readCame(data) : undefined;
  if (came !== undefined) return message === undefined ? came : { ...came, msg: message };
  return {
    run_id: run === "" ? SYSTEM_RUN : run,
    stage: stageOf(event),
    event: wordOf(event),
    timestamp: toIso(atMs),
    ...(message === undefined ? {} : { msg: message }),
    data: {
      ...data,
      type,
      ...(item === undefined ? {} : { item }),
      ...(attempt === undefined ? {} : { attempt }),
    },
  };
}

/** An event as it came in this shape, from what is kept of it. */
function readCame(kept: MillraceEvent["data"]): CompatibleEvent | undefined {
  const { source, at, data: inner } = kept ?? {};
  if (source !== COMPATIBLE_SOURCE || typeof at !== "string" || !isJsonRecord(inner))
    return undefined;
  const { run_id: run, stage, event, data } = inner;
  if (typeof run !== "string" || typeof stage !== "string" || typeof event !== "string")
    return undefined;
  return { run_id: run, stage, event, timestamp: at, data: isJsonRecord(data) ? data : {} };
}

/** What was parsed from JSON holds nothing else. */
function isJsonRecord(value: unknown): value is Readonly<Record<string, Json>> {
  return isRecord(value) && !Array.isArray(value);
}

function stageOf({ type, run, stage }: MillraceEvent): string {
  if (stage !== undefined) return stage;
  const noun = type.slice(0, type.indexOf("."));
  if (noun === "schedule") return "scheduler";
  if (noun === "watchdog") return "watchdog";
  return run === "" ? "system" : "pipeline";
}

function wordOf({ type }: MillraceEvent): string {
  const end = type.slice(type.indexOf(".") + 1);
  return WORDS[type] ?? WORDS_BY_END[end] ?? "state_change";
}

function messageOf({ data }: MillraceEvent): string | undefined {
  for (const key of ["message", "reason", "note"]) {
    const text = data?.[key];
    if (typeof text === "string" && text !== "") return text;
  }
  return undefined;
}
