import fc from "fast-check";
import { expect, test } from "vitest";
import type { ScheduleWhen } from "../../model/schedule/schedule.ts";
import { describeTick } from "./describe-tick.ts";
import { findPrevious, listNext, makeTicks, type Ticks } from "./next-tick.ts";

const at = (text: string): number => Date.parse(text);
const iso = (list: readonly number[]): readonly string[] =>
  list.map((ms) => new Date(ms).toISOString());

function ticksOf(when: ScheduleWhen, zone: string): Ticks {
  const made = makeTicks({ when, zone });
  if (!made.ok) throw new Error(made.error);
  return made.value;
}

const cron = (expression: string): ScheduleWhen => ({ kind: "cron", expression });
const daily = (hour: number, minute: number): ScheduleWhen => ({
  kind: "daily",
  minute: hour * 60 + minute,
});

test("R232 R233: quarter hours come at the marks of a zone, and exactly on one the next is an interval later", () => {
  const quarters = ticksOf({ kind: "every", ms: 900_000 }, "America/Chicago");
  expect(iso(listNext(quarters, at("2026-07-01T10:07:31.250Z"), 2))).toEqual([
    "2026-07-01T10:15:00.000Z",
    "2026-07-01T10:30:00.000Z",
  ]);
  for (const same of [quarters, ticksOf(cron("*/15 * * * *"), "America/Chicago")]) {
    expect(iso(listNext(same, at("2026-07-01T15:15:00.000Z"), 1))).toEqual([
      "2026-07-01T15:30:00.000Z",
    ]);
  }
});

test("R240: a fixed time in the gap comes once at the first valid instant, a repeated one once, in Chicago", () => {
  const half = ticksOf(daily(2, 30), "America/Chicago");
  expect(iso(listNext(half, at("2026-03-07T12:00:00Z"), 2))).toEqual([
    "2026-03-08T08:00:00.000Z",
    "2026-03-09T07:30:00.000Z",
  ]);
  const repeated = ticksOf(daily(1, 30), "America/Chicago");
  expect(iso(listNext(repeated, at("2026-10-31T12:00:00Z"), 2))).toEqual([
    "2026-11-01T06:30:00.000Z",
    "2026-11-02T07:30:00.000Z",
  ]);
  expect(iso(listNext(repeated, at("2026-11-01T07:30:00Z"), 1))).toEqual([
    "2026-11-02T07:30:00.000Z",
  ]);
});

test("R240: fixed times that meet at the end of a gap are one tick", () => {
  const both = ticksOf(cron("0,15,30 2,3 * * *"), "America/Chicago");
  expect(iso(listNext(both, at("2026-03-08T06:00:00Z"), 4))).toEqual([
    "2026-03-08T08:00:00.000Z",
    "2026-03-08T08:15:00.000Z",
    "2026-03-08T08:30:00.000Z",
    "2026-03-09T07:00:00.000Z",
  ]);
});

test("R240: an hour of * has nothing in the gap and both repeated hours", () => {
  const hourly = ticksOf(cron("30 * * * *"), "America/Chicago");
  expect(iso(listNext(hourly, at("2026-03-08T07:00:00Z"), 2))).toEqual([
    "2026-03-08T07:30:00.000Z",
    "2026-03-08T08:30:00.000Z",
  ]);
  expect(iso(listNext(hourly, at("2026-11-01T05:45:00Z"), 4))).toEqual([
    "2026-11-01T06:30:00.000Z",
    "2026-11-01T07:30:00.000Z",
    "2026-11-01T08:30:00.000Z",
    "2026-11-01T09:30:00.000Z",
  ]);
});

test("whole days are counted in local time since 1970, less than a day as time passes", () => {
  const twoDays = ticksOf({ kind: "every", ms: 2 * 86_400_000 }, "Europe/Berlin");
  const found = listNext(twoDays, at("2026-03-26T12:00:00Z"), 3);
  expect(found.map((ms) => describeTick("Europe/Berlin", ms).local)).toEqual([
    "2026-03-28 00:00:00+01:00",
    "2026-03-30 00:00:00+02:00",
    "2026-04-01 00:00:00+02:00",
  ]);
  const sixHours = ticksOf({ kind: "every", ms: 6 * 3_600_000 }, "Europe/Berlin");
  const around = listNext(sixHours, at("2026-03-28T20:00:00Z"), 4);
  const gaps = around.slice(1).map((ms, index) => ms - (around[index] ?? 0));
  expect(gaps).toEqual([21_600_000, 21_600_000, 21_600_000]);
});

test("a zone that left out a day runs the day's fixed time once, at the first instant after it", () => {
  const noon = ticksOf(daily(12, 0), "Pacific/Apia");
  expect(iso(listNext(noon, at("2011-12-29T10:00:00Z"), 3))).toEqual([
    "2011-12-29T22:00:00.000Z",
    "2011-12-30T10:00:00.000Z",
    "2011-12-30T22:00:00.000Z",
  ]);
});

test("the search ends after eight years, which reaches over 2100 and no further", () => {
  const leap = ticksOf(cron("0 0 29 2 *"), "UTC");
  expect(iso(listNext(leap, at("2096-02-29T00:00:00Z"), 1))).toEqual(["2104-02-29T00:00:00.000Z"]);
  expect(ticksOf(cron("0 0 30 2 *"), "UTC").next(at("2026-01-01T00:00:00Z"))).toBe(null);
});

test("an expression that cannot be read says why, and no place for a moment is taken", () => {
  const errorOf = (expression: string): string => {
    const made = makeTicks({ when: cron(expression), zone: "UTC" });
    return made.ok ? "" : made.error;
  };
  expect(errorOf("0 25 * * *")).toMatch(/^cron: .*hour.*got "0 25/);
  expect(errorOf("? * * * *")).toContain('without "?"');
  expect(errorOf("* * * * * * 2030")).toContain("five fields");
  expect(errorOf("@reboot")).toContain("five fields");
  expect(errorOf(`0 ${"0,".repeat(200)}0 * * *`)).toContain("at most 256 characters");
  expect(errorOf("@daily")).toBe("");
  expect(makeTicks({ when: daily(1, 0), zone: "Europe/Atlantis" }).ok).toBe(false);
});

test("R234: a tick near a clock change is told with its local time and a note", () => {
  const zone = "America/Chicago";
  expect(describeTick(zone, at("2026-03-08T08:00:00Z"))).toEqual({
    at: "2026-03-08T08:00:00.000Z",
    local: "2026-03-08 03:00:00-05:00",
    note: "clocks went from 02:00 to 03:00 before",
  });
  expect(describeTick(zone, at("2026-11-01T07:30:00Z")).note).toBe(
    "clocks went from 02:00 to 01:00 before; the second of this local time",
  );
  expect(describeTick(zone, at("2026-11-01T06:30:00Z")).note).toBe(
    "clocks go back after; the first of this local time",
  );
  expect(describeTick(zone, at("2026-06-01T06:30:00Z")).note).toBe(undefined);
});

// The oracle walks over every minute of a span and reads the clock of the zone, without any arithmetic of ours.

interface Rule {
  readonly minutes: readonly number[];
  /** Null: "*". */
  readonly hours: readonly number[] | null;
  /** Null: "*". */
  readonly weekdays: readonly number[] | null;
}

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

interface Shown {
  readonly day: number;
  readonly minuteOfDay: number;
  readonly weekday: number;
}

const walks = new Map<string, readonly Shown[]>();

function walk(zone: string, fromMs: number, minutes: number): readonly Shown[] {
  const name = `${zone} ${fromMs}`;
  const known = walks.get(name);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    weekday: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const shown: Shown[] = [];
  for (let index = 0; index < minutes; index++) {
    const parts = new Map(
      format.formatToParts(fromMs + index * 60_000).map(({ type, value }) => [type, value]),
    );
    const field = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    shown.push({
      day: (field("year") * 100 + field("month")) * 100 + field("day"),
      minuteOfDay: field("hour") * 60 + field("minute"),
      weekday: WEEKDAYS.indexOf(parts.get("weekday") ?? ""),
    });
  }
  walks.set(name, shown);
  return shown;
}

function names(rule: Rule, minuteOfDay: number, weekday: number): boolean {
  return (
    rule.minutes.includes(minuteOfDay % 60) &&
    (rule.hours?.includes(Math.floor(minuteOfDay / 60)) ?? true) &&
    (rule.weekdays?.includes(weekday) ?? true)
  );
}

/** Minutes of the walk at which the rule ticks. */
function tickByHand(rule: Rule, shown: readonly Shown[]): readonly number[] {
  const ticks = new Set<number>();
  const seen = new Set<string>();
  for (const [index, { day, minuteOfDay, weekday }] of shown.entries()) {
    const before = shown[index - 1];
    if (rule.hours === null) {
      if (names(rule, minuteOfDay, weekday)) ticks.add(index);
      continue;
    }
    // Times that the clock leaps over come at this minute.
    const leapt = before?.day === day && minuteOfDay > before.minuteOfDay + 1;
    const overMidnight = before !== undefined && before.day < day && minuteOfDay > 0;
    const from = leapt ? before.minuteOfDay + 1 : overMidnight ? 0 : minuteOfDay;
    for (let minute = from; minute < minuteOfDay; minute++)
      if (names(rule, minute, weekday)) ticks.add(index);
    const label = `${day} ${minuteOfDay}`;
    if (!seen.has(label) && names(rule, minuteOfDay, weekday)) ticks.add(index);
    seen.add(label);
  }
  return [...ticks];
}

function toCron({ minutes, hours, weekdays }: Rule): string {
  return `${minutes.join(",")} ${hours?.join(",") ?? "*"} * * ${weekdays?.join(",") ?? "*"}`;
}

/** Three days from noon UTC of the day before each change of 2026. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  "America/Chicago": ["2026-03-07T12:00:00Z", "2026-10-31T12:00:00Z"],
  "Europe/Berlin": ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"],
  // By half an hour.
  "Australia/Lord_Howe": ["2026-04-03T12:00:00Z", "2026-10-02T12:00:00Z"],
  // At midnight: the day begins at one, or its last hour comes twice.
  "America/Havana": ["2026-03-07T12:00:00Z", "2026-10-31T12:00:00Z"],
  "Asia/Beirut": ["2026-03-28T12:00:00Z", "2026-10-23T12:00:00Z"],
  // An odd offset and no change.
  "Asia/Kathmandu": ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"],
};

function listUntil(ticks: Ticks, fromMs: number, untilMs: number): readonly number[] {
  const found: number[] = [];
  let next = ticks.next(fromMs - 1);
  while (next !== null && next < untilMs) {
    found.push(next);
    next = ticks.next(next);
  }
  return found;
}

const MINUTES = 3 * 24 * 60;
const subset = (max: number): fc.Arbitrary<readonly number[]> =>
  fc.uniqueArray(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 5 });
const rules: fc.Arbitrary<Rule> = fc.record({
  minutes: subset(59),
  hours: fc.option(
    fc.uniqueArray(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 23 })), {
      minLength: 1,
      maxLength: 4,
    }),
  ),
  weekdays: fc.option(subset(6), { freq: 4 }),
});

for (const [zone, changes] of Object.entries(CHANGES)) {
  test(`R240: what the clocks of ${zone} show, minute by minute, gives the same ticks`, () => {
    fc.assert(
      fc.property(rules, fc.constantFrom(...changes), (rule, change) => {
        const fromMs = at(change);
        const shown = walk(zone, fromMs, MINUTES);
        const expected = tickByHand(rule, shown).map((index) => fromMs + index * 60_000);
        const ticks = ticksOf(cron(toCron(rule)), zone);
        const found = listUntil(ticks, fromMs, fromMs + MINUTES * 60_000);
        // The first day's repeated times may have begun before the walk; there are none of them by noon.
        expect(iso(found)).toEqual(iso(expected));
        const last = found.at(-1);
        const before = found.at(-2);
        if (last !== undefined && before !== undefined)
          expect(findPrevious(ticks, last)).toBe(before);
      }),
      { numRuns: 30 },
    );
  });
}
