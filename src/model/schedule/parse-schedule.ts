// From a schedule as written to what is kept of it: every value checked, all faults at once. Whether a cron expression
// ever fires is found where schedules are declared; here its form alone is seen.

import { formatDuration } from "../../std/duration.ts";
import { isJson, type Json } from "../../std/json.ts";
import { isZone } from "../../std/zone.ts";
import type { DefinitionFault } from "../definition.ts";
import {
  CRON_CHARS_MAX,
  DURATION_MS_MAX,
  EVERY_MS_MIN,
  JITTER_MS_MAX,
  NAME_CHARS_MAX,
  PRIORITY_MAX,
  REASON_CHARS_MAX,
  SCHEDULES_MAX,
  TAG_CHARS_MAX,
  TAGS_MAX,
} from "../limits.ts";
import {
  MISSED_RULES,
  OVERLAPS,
  type ScheduleOptions,
  type ScheduleSpec,
  type ScheduleWhen,
} from "./schedule.ts";
import { describeValue, isPlainRecord, OptionReader } from "../compile/option-reader.ts";

/** Schedules by name, as they are written. */
export type ScheduleSettings = Readonly<Record<string, ScheduleOptions>>;

/** Keys of a schedule as it is written. */
export const SCHEDULE_KEYS = [
  "pipeline",
  "cron",
  "every",
  "dailyAt",
  "timezone",
  "input",
  "overlap",
  "missed",
  "jitter",
  "priority",
  "tags",
  "deadline",
  "enabled",
  "description",
] as const;

const WHEN_KEYS = ["cron", "every", "dailyAt"] as const;
const DAY_MS = 86_400_000;

/** Reads schedules by name; every fault goes to `faults`, under `schedules`. */
export function parseSchedules(
  raw: unknown,
  faults: DefinitionFault[],
): ReadonlyMap<string, ScheduleSpec> {
  const found = new Map<string, ScheduleSpec>();
  if (!isPlainRecord(raw)) {
    const message = `expected a record of schedules by name; got ${describeValue(raw)}`;
    faults.push({ path: "schedules", message });
    return found;
  }
  const names = Object.keys(raw);
  if (names.length > SCHEDULES_MAX) {
    const message = `expected at most ${SCHEDULES_MAX} schedules; got ${names.length}`;
    faults.push({ path: "schedules", message });
    return found;
  }
  for (const name of names) {
    const spec = parseSchedule(name, raw[name], faults);
    if (spec !== undefined) found.set(name, spec);
  }
  return found;
}

/** Checks schedules as they are written; every fault goes to `faults`. True: there is none. */
export function checkScheduleSettings(
  raw: unknown,
  faults: DefinitionFault[],
): raw is ScheduleSettings {
  const before = faults.length;
  parseSchedules(raw, faults);
  return faults.length === before;
}

function parseSchedule(
  name: string,
  raw: unknown,
  faults: DefinitionFault[],
): ScheduleSpec | undefined {
  const path = `schedules.${name}`;
  const before = faults.length;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) || name.length > NAME_CHARS_MAX) {
    const message = `expected a name of letters, digits, ".", "_" and "-", at most ${NAME_CHARS_MAX} characters`;
    faults.push({ path, message });
  }
  if (!isPlainRecord(raw)) {
    faults.push({ path, message: `expected a record; got ${describeValue(raw)}` });
    return undefined;
  }
  const options = new OptionReader(raw, path, faults);
  options.refuseUnknown(SCHEDULE_KEYS);
  const pipeline = options.text("pipeline", NAME_CHARS_MAX);
  if (!options.has("pipeline")) options.fault("pipeline", "expected the name of a pipeline");
  const fields = parseFields(options);
  const { when } = fields;
  if (when === undefined) {
    const given = WHEN_KEYS.filter((key) => options.has(key));
    if (given.length === 0) options.fault("", 'expected one of "cron", "every" and "dailyAt"');
  }
  const enabled = options.boolean("enabled") ?? true;
  if (faults.length > before || when === undefined || pipeline === undefined) return undefined;
  return {
    zone: "UTC",
    overlap: "skip",
    missed: "run-once",
    jitterMs: 0,
    input: null,
    priority: 0,
    tags: {},
    deadlineMs: null,
    description: null,
    ...fields,
    when,
    pipeline,
    enabled,
  };
}

/** What of the fields of a schedule is written; a key that is absent is absent. */
export type WrittenFields = Partial<Omit<ScheduleSpec, "pipeline" | "enabled">>;

/** Reads the fields alone, for a change of a schedule that exists. */
export function parseFields(options: OptionReader): WrittenFields {
  const when = parseWhen(options);
  const zone = parseZone(options);
  const overlap = options.oneOf("overlap", OVERLAPS);
  const missed = options.oneOf("missed", MISSED_RULES);
  const jitterMs = parseJitter(options);
  const input = parseInput(options);
  const priority = options.number("priority", { min: -PRIORITY_MAX, max: PRIORITY_MAX });
  const tags = parseTags(options);
  const deadlineMs = options.durationMs("deadline");
  const description = options.text("description", REASON_CHARS_MAX);
  return {
    ...(when === undefined ? {} : { when }),
    ...(zone === undefined ? {} : { zone }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(missed === undefined ? {} : { missed }),
    ...(jitterMs === undefined ? {} : { jitterMs }),
    ...(input === undefined ? {} : { input }),
    ...(priority === undefined ? {} : { priority }),
    ...(tags === undefined ? {} : { tags }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(description === undefined ? {} : { description }),
  };
}

function parseWhen(options: OptionReader): ScheduleWhen | undefined {
  const given = WHEN_KEYS.filter((key) => options.has(key));
  if (given.length > 1) {
    return options.fault(
      "",
      `expected one of "cron", "every" and "dailyAt"; got ${given.join(" and ")}`,
    );
  }
  const expression = options.text("cron", CRON_CHARS_MAX);
  if (expression !== undefined) return { kind: "cron", expression };
  if (options.has("every")) return parseEvery(options);
  return options.has("dailyAt") ? parseDailyAt(options) : undefined;
}

function parseEvery(options: OptionReader): ScheduleWhen | undefined {
  const ms = options.durationMs("every", EVERY_MS_MIN);
  if (ms === undefined) return undefined;
  if (ms <= DURATION_MS_MAX && (ms < DAY_MS || ms % DAY_MS === 0)) return { kind: "every", ms };
  return options.fault(
    "every",
    `expected a time under 24 h, or whole days; got ${formatDuration(ms)}`,
    "write it as cron, or in days",
  );
}

function parseDailyAt(options: OptionReader): ScheduleWhen | undefined {
  const text = options.raw("dailyAt");
  const [, hour, minute] = (typeof text === "string" && /^(\d\d):(\d\d)$/.exec(text)) || [];
  if (Number(hour) <= 23 && Number(minute) <= 59) {
    return { kind: "daily", minute: Number(hour) * 60 + Number(minute) };
  }
  return options.fault(
    "dailyAt",
    `expected a time from "00:00" to "23:59"; got ${describeValue(text)}`,
  );
}

function parseZone(options: OptionReader): string | undefined {
  const zone = options.text("timezone", NAME_CHARS_MAX);
  if (zone === undefined || isZone(zone)) return zone;
  return options.fault(
    "timezone",
    `expected an IANA name such as "Europe/Berlin"; got ${describeValue(zone)}`,
  );
}

function parseJitter(options: OptionReader): number | undefined {
  const ms = options.durationMs("jitter", 0);
  if (ms === undefined || ms <= JITTER_MS_MAX) return ms;
  return options.fault("jitter", `expected at most 1 h; got ${formatDuration(ms)}`);
}

function parseInput(options: OptionReader): Json | undefined {
  const input = options.raw("input");
  if (input === undefined || isJson(input)) return input;
  return options.fault("input", "expected plain JSON: the input of a schedule is stored");
}

function parseTags(options: OptionReader): Readonly<Record<string, string>> | undefined {
  const raw = options.raw("tags");
  if (raw === undefined) return undefined;
  const entries = isPlainRecord(raw) ? Object.entries(raw) : [];
  const tags: Record<string, string> = {};
  for (const [key, value] of entries) {
    if (typeof value === "string" && value.length <= TAG_CHARS_MAX && key.length <= TAG_CHARS_MAX)
      tags[key] = value;
  }
  const fits = isPlainRecord(raw) && Object.keys(tags).length === entries.length;
  // One more is added: the name of the schedule.
  if (fits && entries.length < TAGS_MAX) return tags;
  return options.fault("tags", `expected a record of less than ${TAGS_MAX} short texts`);
}
