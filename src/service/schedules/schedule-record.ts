// Reads what the store has of a schedule. It was written by this or another release, or by a bad disk: nothing is
// believed that was not looked at, and what cannot be read is undefined.

import { OptionReader } from "../../model/compile/option-reader.ts";
import { REASON_CHARS_MAX, RECORD_KEY_CHARS_MAX } from "../../model/limits.ts";
import {
  MISSED_RULES,
  OVERLAPS,
  type ScheduleFields,
  type ScheduleSpec,
  type ScheduleWhen,
} from "../../model/schedule/schedule.ts";
import {
  TICK_DECISIONS,
  type Backfill,
  type ScheduleOverride,
  type ScheduleState,
  type ScheduleSwitch,
  type TickRecord,
} from "../../model/schedule/schedule-state.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import { isJson } from "../../std/json.ts";
import { isRecord } from "../../std/record.ts";
import { isZone } from "../../std/zone.ts";

/** The last instant that a date can stand for, UTC ms. */
const INSTANT_MS_MAX = 8.64e15;

/** A schedule as the store has it; undefined: it cannot be read. */
export function parseScheduleState(value: unknown): ScheduleState | undefined {
  if (!isRecord(value)) return undefined;
  const declared = parseSpec(value["declared"]);
  const { removed, nextMs } = value;
  const waiting = parseInstants(value["waiting"]);
  const runs = parseTexts(value["runs"]);
  if (declared === undefined || waiting === undefined || runs === undefined) return undefined;
  if (typeof removed !== "boolean" || !(nextMs === null || isInstant(nextMs))) return undefined;
  return {
    declared,
    removed,
    nextMs,
    waiting,
    runs,
    override: parseOverride(value["override"]),
    switched: parseSwitch(value["switched"]),
    last: parseTick(value["last"]) ?? null,
    backfill: parseBackfill(value["backfill"]),
  };
}

/** A tick as the store has it; undefined: it cannot be read. */
export function parseTick(value: unknown): TickRecord | undefined {
  if (!isRecord(value)) return undefined;
  const { atMs, reason, run, count, fromMs } = value;
  const decision = TICK_DECISIONS.find((known) => known === value["decision"]);
  if (!isInstant(atMs) || decision === undefined) return undefined;
  return {
    atMs,
    decision,
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof run === "string" ? { run } : {}),
    ...(isNumber(count) ? { count } : {}),
    ...(isInstant(fromMs) ? { fromMs } : {}),
  };
}

function parseSpec(value: unknown): ScheduleSpec | undefined {
  if (!isRecord(value)) return undefined;
  const { pipeline, enabled } = value;
  const { when, zone, overlap, missed, jitterMs, input, priority, tags, deadlineMs, description } =
    parseStoredFields(value);
  if (typeof pipeline !== "string" || typeof enabled !== "boolean") return undefined;
  if (when === undefined || zone === undefined) return undefined;
  return {
    pipeline,
    enabled,
    when,
    zone,
    overlap: overlap ?? "skip",
    missed: missed ?? "run-once",
    jitterMs: jitterMs ?? 0,
    input: input ?? null,
    priority: priority ?? 0,
    tags: tags ?? {},
    deadlineMs: deadlineMs ?? null,
    description: description ?? null,
  };
}

function parseStoredFields(value: Readonly<Record<string, unknown>>): Partial<ScheduleFields> {
  const faults: DefinitionFault[] = [];
  const reader = new OptionReader(value, "", faults);
  const when = parseWhen(value["when"]);
  const { zone, jitterMs, input, priority, deadlineMs, description } = value;
  const overlap = reader.oneOf("overlap", OVERLAPS);
  const missed = reader.oneOf("missed", MISSED_RULES);
  const tags = parseTags(value["tags"]);
  return {
    ...(when === undefined ? {} : { when }),
    ...(typeof zone === "string" && isZone(zone) ? { zone } : {}),
    ...(overlap === undefined ? {} : { overlap }),
    ...(missed === undefined ? {} : { missed }),
    ...(isNumber(jitterMs) ? { jitterMs } : {}),
    ...(input !== undefined && isJson(input) ? { input } : {}),
    ...(isNumber(priority) ? { priority } : {}),
    ...(tags === undefined ? {} : { tags }),
    ...(isNumber(deadlineMs) || deadlineMs === null ? { deadlineMs } : {}),
    ...(typeof description === "string" || description === null ? { description } : {}),
  };
}

function parseWhen(value: unknown): ScheduleWhen | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, expression, ms, minute } = value;
  if (kind === "cron" && typeof expression === "string") return { kind, expression };
  if (kind === "every" && isNumber(ms) && ms >= 1) return { kind, ms };
  if (kind === "daily" && isNumber(minute)) return { kind, minute };
  return undefined;
}

function parseOverride(value: unknown): ScheduleOverride | null {
  if (!isRecord(value) || !isRecord(value["fields"])) return null;
  return { fields: parseStoredFields(value["fields"]), ...parseActor(value) };
}

function parseSwitch(value: unknown): ScheduleSwitch | null {
  if (!isRecord(value)) return null;
  const { enabled, reason } = value;
  if (typeof enabled !== "boolean") return null;
  return {
    enabled,
    ...parseActor(value),
    reason: typeof reason === "string" ? reason.slice(0, REASON_CHARS_MAX) : null,
  };
}

function parseBackfill(value: unknown): Backfill | null {
  if (!isRecord(value)) return null;
  const pending = parseInstants(value["pending"]);
  const runs = parseTexts(value["runs"]);
  const { limit, total } = value;
  if (pending === undefined || runs === undefined || !isNumber(limit) || !isNumber(total))
    return null;
  return { ...parseActor(value), limit, total, pending, runs };
}

function parseActor(value: Readonly<Record<string, unknown>>): {
  readonly actor: string;
  readonly atMs: number;
} {
  const { actor, atMs } = value;
  return {
    actor: typeof actor === "string" ? actor.slice(0, RECORD_KEY_CHARS_MAX) : "unknown",
    atMs: isInstant(atMs) ? atMs : 0,
  };
}

function parseTags(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(value)) return undefined;
  const tags: Record<string, string> = {};
  for (const [key, text] of Object.entries(value)) if (typeof text === "string") tags[key] = text;
  return tags;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** UTC ms that can be shown and counted with: what no clock can show would stop whoever comes to it. */
function isInstant(value: unknown): value is number {
  return Number.isSafeInteger(value) && isNumber(value) && Math.abs(value) <= INSTANT_MS_MAX;
}

function parseInstants(value: unknown): readonly number[] | undefined {
  return Array.isArray(value) && value.every(isInstant) ? value : undefined;
}

function parseTexts(value: unknown): readonly string[] | undefined {
  const isText = (text: unknown): text is string => typeof text === "string";
  return Array.isArray(value) && value.every(isText) ? value : undefined;
}
