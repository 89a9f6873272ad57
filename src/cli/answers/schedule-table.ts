// Listings of schedules: one line each, their ticks, and what a backfill runs.

import type { NextTicks } from "../../service/schedules/list-schedules.ts";
import type { BackfillOutcome } from "../../service/schedules/backfill-schedule.ts";
import type { ScheduleView, TickView } from "../../service/views/schedule-view.ts";
import { showCount, showCountOf } from "../../std/shown/figures.ts";
import type { Look } from "../render/look.ts";
import { compactDuration } from "../render/phrases.ts";
import { oneLine } from "../../std/text.ts";
import { renderTable } from "../render/table.ts";

/** Lines without a line feed behind the last. */
export function renderScheduleTable(
  schedules: readonly ScheduleView[],
  look: Look,
  nowMs: number,
): string {
  const { none } = look.alphabet;
  return renderTable(
    {
      columns: [
        { head: "NAME", flexible: true },
        { head: "PIPELINE", flexible: true },
        { head: "WHEN" },
        { head: "ENABLED" },
        { head: "LAST" },
        { head: "NEXT" },
      ],
      rows: schedules.map((schedule) => [
        oneLine(schedule.name),
        oneLine(schedule.pipeline),
        sayWhen(schedule),
        sayEnabled(schedule, nowMs),
        schedule.last === undefined ? none : sayLast(schedule.last, nowMs),
        schedule.nextAt ?? none,
      ]),
    },
    look,
  );
}

function sayWhen({ when, zone }: ScheduleView): string {
  // What counts in elapsed time is the same in every zone.
  const isElapsed = /^every .*[smh]$/.test(when);
  return oneLine(isElapsed ? when : `${when} ${zone}`);
}

function sayEnabled({ enabled, changedBy, removed }: ScheduleView, nowMs: number): string {
  const word = enabled ? "yes" : "no";
  if (removed === true) return "no, not configured any more";
  if (changedBy === undefined) return word;
  return `${word}, by ${oneLine(changedBy.actor)}, ${ago(changedBy.at, nowMs)}`;
}

function sayLast({ at, decision, reason, run }: TickView, nowMs: number): string {
  if (run !== undefined) return `${run.state} ${ago(at, nowMs)} ago`;
  const why = reason === undefined ? "" : `: ${oneLine(reason)}`;
  return `${decision}${why}`;
}

function ago(at: string, nowMs: number): string {
  return compactDuration(Math.max(0, nowMs - Date.parse(at)));
}

/** A schedule in one line, after a change. */
export function saySchedule(schedule: ScheduleView): string {
  const { name, when, zone, enabled, changedBy, override, nextAt } = schedule;
  const set = override === undefined ? "" : `, ${override.fields.join(" and ")} set by hand`;
  const who = changedBy === undefined ? "" : ` by ${oneLine(changedBy.actor)}`;
  const why = changedBy?.reason === undefined ? "" : `: ${oneLine(changedBy.reason)}`;
  const state = enabled ? `next ${nextAt ?? "never"}` : `off${who}${why}`;
  return `${name}: ${oneLine(when)} ${zone}${set}, ${state}`;
}

/** Ticks of schedules, each with its name where there are several. */
export function renderTicks(lists: readonly NextTicks[], look: Look): string {
  const isOne = lists.length === 1;
  const columns = [
    ...(isOne ? [] : [{ head: "SCHEDULE", flexible: true }]),
    { head: "UTC" },
    { head: "LOCAL" },
    { head: "NOTE" },
  ];
  const rows = lists.flatMap(({ schedule, zone, ticks }) =>
    ticks.map(({ at, local, note }) => [
      ...(isOne ? [] : [oneLine(schedule)]),
      at,
      `${local} ${zone}`,
      note ?? "",
    ]),
  );
  return renderTable({ columns, rows }, look);
}

/** What a backfill runs, and whether it began. */
export function renderBackfill(outcome: BackfillOutcome, look: Look): string {
  const { ticks, started, limit, schedule } = outcome;
  const count = ticks.filter(({ runs }) => runs).length;
  const said = started
    ? `backfill of ${schedule}: ${showCountOf(count, "run")}, ${showCount(limit)} at once`
    : `would run ${showCountOf(count, "tick")} of ${schedule}`;
  if (ticks.length === 0) return said;
  const table = renderTable(
    {
      columns: [{ head: "UTC" }, { head: "LOCAL" }, { head: "RUNS" }],
      rows: ticks.map(({ at, local, runs, reason }) => [
        at,
        local,
        runs ? "yes" : `no: ${reason ?? ""}`,
      ]),
    },
    look,
  );
  return `${table}\n${said}`;
}
