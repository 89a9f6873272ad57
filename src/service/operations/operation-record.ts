// An operation as the store keeps it: one action over all runs that a filter finds. Written by the process that works
// on it; read by anybody, and passed over where it cannot be read.

import { RUN_STATES, type RunState } from "../../model/run.ts";
import { isPlainRecord } from "../../model/compile/option-reader.ts";
import type { Json } from "../../std/json.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import { toIso } from "../views/time-view.ts";

/** What is done to each run. `resume`: with fresh attempts. */
export const OPERATION_ACTIONS = ["cancel", "resume", "requeue", "purge"] as const;
/** What is done to each run. */
export type OperationAction = (typeof OPERATION_ACTIONS)[number];

/** Which runs; absent fields leave nothing out. */
export interface OperationFilter {
  readonly state?: readonly RunState[];
  readonly pipeline?: string;
  /** ISO 8601, or a duration back from now; queued then or later. Kept as a time. */
  readonly since?: string;
  /** `key=value`. */
  readonly tag?: string;
  /** Any name of the run that they were made from. */
  readonly parent?: string;
  readonly batch?: string;
  /** Of the failure that ended the run, or its beginning. */
  readonly fingerprint?: string;
}

/** How far an operation has come. */
export type OperationState = "running" | "succeeded" | "failed" | "cancelled" | "interrupted";

/** An operation. */
export interface OperationView {
  readonly id: string;
  readonly action: OperationAction;
  readonly filter: OperationFilter;
  /** `interrupted`: the process that worked on it is gone. What it did is done; it may be asked for again. */
  readonly state: OperationState;
  readonly actor: string;
  readonly reason?: string;
  /** When it began. */
  readonly matching: number;
  readonly done: number;
  readonly changed: number;
  readonly refused: number;
  /** The first 100. */
  readonly refusals: readonly { readonly run: string; readonly reason: string }[];
  readonly startedAt: string;
  readonly endedAt?: string;
  /** What ended it, of one that failed. */
  readonly error?: string;
}

/** What is stored. */
export interface OperationRecord extends Omit<OperationView, "id" | "startedAt" | "endedAt"> {
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** Somebody asked for its end. */
  readonly isCancelRequested: boolean;
}

/** Reads a record; undefined: it is none. */
export function parseOperation(value: Json): OperationRecord | undefined {
  if (!isPlainRecord(value)) return undefined;
  const { action, filter, state, actor, startedAtMs } = value;
  const known = OPERATION_ACTIONS.find((each) => each === action);
  const at = STATES.find((each) => each === state);
  if (known === undefined || at === undefined || !isPlainRecord(filter)) return undefined;
  if (typeof actor !== "string" || typeof startedAtMs !== "number") return undefined;
  const { reason, error, endedAtMs } = value;
  return {
    action: known,
    filter: parseFilter(filter),
    state: at,
    actor,
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof error === "string" ? { error } : {}),
    matching: toCount(value["matching"]),
    done: toCount(value["done"]),
    changed: toCount(value["changed"]),
    refused: toCount(value["refused"]),
    refusals: parseRefusals(value["refusals"]),
    startedAtMs,
    endedAtMs: typeof endedAtMs === "number" ? endedAtMs : null,
    isCancelRequested: value["isCancelRequested"] === true,
  };
}

const STATES: readonly OperationState[] = ["running", "succeeded", "failed", "cancelled"];

const TEXTS = ["pipeline", "since", "tag", "parent", "batch", "fingerprint"] as const;

function parseFilter(raw: Readonly<Record<string, unknown>>): OperationFilter {
  const texts = TEXTS.flatMap((name) => {
    const value = raw[name];
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  const states = raw["state"];
  const state = RUN_STATES.filter((each) => Array.isArray(states) && states.includes(each));
  return { ...Object.fromEntries(texts), ...(state.length === 0 ? {} : { state }) };
}

function parseRefusals(raw: unknown): OperationView["refusals"] {
  if (!Array.isArray(raw)) return [];
  return raw.filter(isPlainRecord).map(({ run, reason }) => ({
    run: String(run),
    reason: String(reason),
  }));
}

function toCount(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** The view of a stored operation; one that nobody works on any more is `interrupted`. */
export function toOperationView(
  { key, dueAtMs }: Pick<StoreRecord, "key" | "dueAtMs">,
  record: OperationRecord,
  nowMs: number,
): OperationView {
  const { startedAtMs, endedAtMs, isCancelRequested: _, state, ...rest } = record;
  const isLost = state === "running" && (dueAtMs ?? 0) < nowMs;
  return {
    id: key,
    ...rest,
    state: isLost ? "interrupted" : state,
    startedAt: toIso(startedAtMs),
    ...(endedAtMs === null ? {} : { endedAt: toIso(endedAtMs) }),
  };
}
