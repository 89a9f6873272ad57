// An event as it leaves the house: in files, in the API and on the command line.

import { type EventType, type MillraceEvent, selectEventTypes } from "../../model/event.ts";
import { parseIsoTime } from "./iso-time.ts";
import type { Json } from "../../std/json.ts";
import { isRecord } from "../../std/record.ts";
import { toIso } from "./time-view.ts";

/** One event. */
export interface EventView {
  /** Number in the store; 0: told, not stored. */
  readonly seq: number;
  /** Number in its run; 0: of no run, or not stored. */
  readonly runSeq: number;
  /** ISO 8601, UTC, with milliseconds. */
  readonly at: string;
  readonly type: EventType;
  /** Id of the run; null: it concerns none. */
  readonly run: string | null;
  readonly stage?: string;
  readonly item?: string;
  readonly attempt?: number;
  readonly data?: Readonly<Record<string, Json>>;
}

/** Shapes it. */
export function toEventView(event: MillraceEvent): EventView {
  const { seq, runSeq, atMs, type, run, stage, item, attempt, data } = event;
  return {
    seq,
    runSeq,
    at: toIso(atMs),
    type,
    run: run === "" ? null : run,
    ...(stage === undefined ? {} : { stage }),
    ...(item === undefined ? {} : { item }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(data === undefined ? {} : { data }),
  };
}

/** Reads one back; undefined where it is none, or of a type that is not known. */
export function parseEventView(value: unknown): EventView | undefined {
  if (!isRecord(value)) return undefined;
  const { seq, runSeq, at, type, run, stage, item, attempt, data } = value;
  const [known] = typeof type === "string" ? selectEventTypes([type]) : [];
  if (known === undefined || known !== type || !isWhole(seq) || !isWhole(runSeq)) return undefined;
  if (typeof at !== "string" || !parseIsoTime(at).ok) return undefined;
  if (run !== null && typeof run !== "string") return undefined;
  return {
    seq,
    runSeq,
    at,
    type: known,
    run,
    ...(typeof stage === "string" ? { stage } : {}),
    ...(typeof item === "string" ? { item } : {}),
    ...(isWhole(attempt) ? { attempt } : {}),
    ...(isData(data) ? { data } : {}),
  };
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** What was parsed from JSON holds nothing else. */
function isData(value: unknown): value is Readonly<Record<string, Json>> {
  return isRecord(value) && !Array.isArray(value);
}
