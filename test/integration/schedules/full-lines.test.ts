import { isPlainRecord } from "../../../src/model/compile/option-reader.ts";
import type { Json } from "../../../src/std/json.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import { tickKey } from "../../../src/service/schedules/known-schedule.ts";
import { expect, test } from "vitest";
import { makeScheduleWorld, type ScheduleWorld } from "../../support/schedules/schedule-world.ts";

// Schedules at the edge of what is remembered of them: as many ticks wait as may, records of old ticks are gone.

const MINUTE = 60_000;

/** A schedule for which as many ticks wait as may, and one beside it that nothing holds up. */
async function fillLine(): Promise<ScheduleWorld> {
  const world = await makeScheduleWorld({
    at: "2026-07-01T10:00:30Z",
    schedules: {
      line: { pipeline: "ticked", every: "1m", overlap: "queue" },
      beside: { pipeline: "ticked", every: "1h", overlap: "allow" },
    },
  });
  await world.clock.advance(105 * MINUTE);
  expect((await world.mill.schedule("line").get()).waiting).toBe(100);
  return world;
}

async function firedBeside(world: ScheduleWorld): Promise<number> {
  const told = await world.told("schedule.fired");
  return told.filter(({ schedule }) => schedule === "beside").length;
}

test("a schedule for which as many ticks wait as may is switched off, and each tick is skipped", async () => {
  await using world = await fillLine();
  const before = (await world.told("schedule.skipped")).length;
  await world.mill.schedule("line").disable({ actor: "ana" });
  expect((await world.mill.schedule("line").get()).waiting).toBe(0);
  const skipped = (await world.told("schedule.skipped")).slice(before);
  expect(skipped).toHaveLength(100);
  expect(new Set(skipped.map(({ reason }) => reason))).toEqual(new Set(["switched off"]));
});

test("a full line that is to keep its latest tick alone is given up at once, and all schedules go on", async () => {
  await using world = await fillLine();
  await world.mill.schedule("line").set({ overlap: "latest" });
  await world.clock.advance(MINUTE);
  expect((await world.mill.schedule("line").get()).waiting).toBe(1);
  const fired = await firedBeside(world);
  await world.clock.advance(60 * MINUTE);
  expect(await firedBeside(world)).toBe(fired + 1);
  expect(world.warnings).toEqual([]);
});

test("a backfill runs a tick again whose record is forgotten while its run is still there", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter: { pipeline: "ticked", every: "15m" } },
  });
  await world.clock.advance(10 * MINUTE);
  await world.work();
  const atMs = Date.parse("2026-07-01T10:15:00Z");
  const key = tickKey("quarter", atMs);
  await contextOf(world.mill).committer.write({
    kind: "put-records",
    puts: [{ collection: "ticks", key, expected: null, value: undefined }],
    events: [],
  });
  const one = world.mill.schedule("quarter");
  await one.backfill({ fromMs: atMs, untilMs: atMs });
  await world.clock.advance(3_000);
  expect((await one.get()).backfill).toBe(undefined);
  const runs = await world.runs();
  expect(runs.map(({ settings }) => settings.scheduled?.atMs)).toEqual([atMs, atMs]);
});

test("a schedule whose record names no time that there is is made anew, and keeps no other from firing", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: {
      hurt: { pipeline: "ticked", every: "15m" },
      whole: { pipeline: "ticked", every: "15m" },
    },
  });
  const { store, committer } = contextOf(world.mill);
  const record = await store.findRecord("schedules", "hurt");
  // No clock shows this time, although it is a number.
  const value = { ...toObject(record?.value), waiting: [1e20] };
  const put = { collection: "schedules", key: "hurt", expected: null, value, dueAtMs: 0 } as const;
  await committer.write({ kind: "put-records", puts: [put], events: [] });
  await world.restart();
  await world.clock.advance(10 * MINUTE);
  expect(await world.told("schedule.fired")).toContainEqual(
    expect.objectContaining({ schedule: "whole" }),
  );
  expect(world.warnings.join()).not.toContain("waits for the store");
  expect((await world.mill.schedules()).schedules.map(({ name }) => name)).toContain("whole");
});

function toObject(value: unknown): Readonly<Record<string, Json>> {
  return isPlainRecord(value) ? JSON.parse(JSON.stringify(value)) : {};
}
