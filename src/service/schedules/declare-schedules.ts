// The schedules of a mill, as it was opened with them: read once, when somebody asks, and refused with every fault.

import { definitionInvalid } from "../../model/compile/compile.ts";
import { parseSchedules } from "../../model/schedule/parse-schedule.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { ScheduleSpec, ScheduleTimes } from "../../model/schedule/schedule.ts";
import { makeTicks, type Ticks } from "../../policy/schedule/next-tick.ts";

/** Reads them. DEFINITION_INVALID with every fault; SCHEDULE_INVALID for one that cannot tick. */
export function declareSchedules(raw: unknown, nowMs: number): ReadonlyMap<string, ScheduleSpec> {
  const faults: DefinitionFault[] = [];
  const found = parseSchedules(raw, faults);
  if (faults.length > 0) throw definitionInvalid("schedules", faults, "The schedules are");
  for (const [name, spec] of found) getTicks(name, spec, nowMs);
  return found;
}

/** The instants of a schedule. SCHEDULE_INVALID for times that cannot be read, or that never come. */
export function getTicks(name: string, times: ScheduleTimes, nowMs: number): Ticks {
  const made = makeTicks(times);
  if (!made.ok) {
    throw new MillraceError("SCHEDULE_INVALID", `Schedule "${name}": ${made.error}.`, {
      hint: "cron has five fields: minute hour day month weekday",
      next: "npx millrace schedule next --help",
      details: { schedule: name },
    });
  }
  if (made.value.next(nowMs) !== null) return made.value;
  const text = times.when.kind === "cron" ? times.when.expression : times.when.kind;
  throw new MillraceError(
    "SCHEDULE_INVALID",
    `Schedule "${name}" would never fire: "${text}" names no time within the next 8 years.`,
    {
      hint: "look at day and month: no month has a 32nd, and February no 30th",
      details: { schedule: name },
    },
  );
}
