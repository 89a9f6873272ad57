import { PermanentError, pipeline, stage } from "millrace";
import { expect, test } from "vitest";
import { contextOf } from "../../../src/service/mill-context.ts";
import { viewSchedule } from "../../../src/service/schedules/list-schedules.ts";
import { seedSchedules } from "../../../src/service/schedules/seed-schedules.ts";
import { switchSchedule } from "../../../src/service/schedules/set-schedule.ts";
import { makeScheduleWorld } from "../../support/schedules/schedule-world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const quarter = { pipeline: "ticked", every: "15m" } as const;

test("R232: a schedule queues a run at each of its instants, and the stage knows for which", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
  });
  await world.clock.advance(8 * MINUTE);
  const [run] = await world.runs();
  expect(run).toMatchObject({
    key: "schedule:quarter/2026-07-01T10:15:00.000Z",
    state: "queued",
    source: "schedule",
    tags: { schedule: "quarter" },
    foreground: false,
  });
  await world.work();
  const result = await world.mill.result(run?.id ?? "");
  expect(result.outputs).toEqual({
    tell: {
      for: "2026-07-01T10:15:00.000Z",
      from: "2026-07-01T10:00:00.000Z",
      until: "2026-07-01T10:15:00.000Z",
    },
  });
  await world.clock.advance(15 * MINUTE);
  expect(await world.runs()).toHaveLength(2);
  expect(await world.told("schedule.fired")).toMatchObject([
    { schedule: "quarter", at: "2026-07-01T10:15:00.000Z", run: run?.id },
    { schedule: "quarter", at: "2026-07-01T10:30:00.000Z" },
  ]);
});

test("a run that no schedule started stands for no tick", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
  });
  const { id } = await world.mill.schedule("quarter").trigger({ actor: "ana" });
  await world.work();
  expect((await world.mill.result(id)).outputs).toEqual({
    tell: { for: null, from: null, until: null },
  });
  expect((await world.mill.run(id)).source).toBe("trigger");
});

test("R236: a tick that meets its own run is skipped, and each skip is recorded", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
  });
  await world.clock.advance(40 * MINUTE);
  expect(await world.runs()).toHaveLength(1);
  expect(await world.told("schedule.skipped")).toEqual([
    { schedule: "quarter", at: "2026-07-01T10:30:00.000Z", reason: "busy", pipeline: "ticked" },
    { schedule: "quarter", at: "2026-07-01T10:45:00.000Z", reason: "busy", pipeline: "ticked" },
  ]);
  const { ticks } = await world.mill.schedule("quarter").ticks();
  expect(ticks.map(({ at, decision }) => `${at} ${decision}`)).toEqual([
    "2026-07-01T10:45:00.000Z skipped",
    "2026-07-01T10:30:00.000Z skipped",
    "2026-07-01T10:15:00.000Z fired",
  ]);
});

test("R236: queued ticks run one after the other, in order", async () => {
  const schedules = { quarter: { ...quarter, overlap: "queue" } } as const;
  await using world = await makeScheduleWorld({ at: "2026-07-01T10:07:00Z", schedules });
  await world.clock.advance(40 * MINUTE);
  expect(await world.runs()).toHaveLength(1);
  expect((await world.mill.schedule("quarter").get()).waiting).toBe(2);
  for (const count of [2, 3, 3]) {
    await world.work();
    await world.clock.advance(2_000);
    expect(await world.runs()).toHaveLength(count);
  }
  expect((await world.runs()).map(({ key }) => key?.slice(-24))).toEqual([
    "2026-07-01T10:15:00.000Z",
    "2026-07-01T10:30:00.000Z",
    "2026-07-01T10:45:00.000Z",
  ]);
  expect(await world.told("schedule.fired")).toHaveLength(3);
});

test("R236: of ticks that wait the latest alone runs, and the others are skipped with the reason", async () => {
  const schedules = { quarter: { ...quarter, overlap: "latest" } } as const;
  await using world = await makeScheduleWorld({ at: "2026-07-01T10:07:00Z", schedules });
  await world.clock.advance(55 * MINUTE);
  await world.work();
  await world.clock.advance(2_000);
  expect((await world.runs()).map(({ key }) => key?.slice(-24))).toEqual([
    "2026-07-01T10:15:00.000Z",
    "2026-07-01T11:00:00.000Z",
  ]);
  expect(await world.told("schedule.skipped")).toMatchObject([
    { at: "2026-07-01T10:30:00.000Z", reason: "a later tick took its place" },
    { at: "2026-07-01T10:45:00.000Z", reason: "a later tick took its place" },
  ]);
});

test("R236: a tick may replace the run, which is cancelled before the next one starts", async () => {
  const schedules = { quarter: { ...quarter, overlap: "replace" } } as const;
  await using world = await makeScheduleWorld({ at: "2026-07-01T10:07:00Z", schedules });
  await world.clock.advance(25 * MINUTE);
  expect((await world.runs()).map(({ state }) => state)).toEqual(["cancelled", "queued"]);
  expect((await world.runs())[0]?.reason).toBe("replaced by a later tick");
});

test("R236: where it is allowed runs are beside each other", async () => {
  const schedules = { quarter: { ...quarter, overlap: "allow" } } as const;
  await using world = await makeScheduleWorld({ at: "2026-07-01T10:07:00Z", schedules });
  await world.clock.advance(40 * MINUTE);
  expect(await world.runs()).toHaveLength(3);
});

test("R237: what somebody switched off stays off after a restart, also where the file says on", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
  });
  const view = await world.mill.schedule("quarter").disable({ actor: "ana", reason: "they move" });
  expect(view).toMatchObject({
    enabled: false,
    changedBy: { actor: "ana", at: "2026-07-01T10:07:00.000Z", reason: "they move" },
  });
  await world.restart();
  await world.clock.advance(2 * HOUR);
  expect(await world.runs()).toEqual([]);
  expect(await world.told("schedule.disabled")).toEqual([
    { schedule: "quarter", actor: "ana", reason: "they move" },
  ]);
  await world.mill.schedule("quarter").enable({ actor: "bo" });
  await world.clock.advance(0);
  // The pause has accumulated nothing.
  expect(await world.runs()).toEqual([]);
  await world.clock.advance(10 * MINUTE);
  expect(await world.runs()).toHaveLength(1);
  expect(await world.told("schedule.missed")).toEqual([]);
});

test("R235: another time takes effect without a restart and leaves the other fields alone", async () => {
  const schedules = {
    nightly: {
      pipeline: "ticked",
      dailyAt: "02:30",
      timezone: "Europe/Berlin",
      overlap: "queue",
      tags: { team: "a" },
    },
  } as const;
  await using world = await makeScheduleWorld({ at: "2026-07-01T10:07:00Z", schedules });
  const before = await world.mill.schedule("nightly").get();
  const after = await world.mill.schedule("nightly").set({ dailyAt: "12:15" }, { actor: "ana" });
  expect(after).toEqual({
    ...before,
    when: "daily 12:15",
    nextAt: "2026-07-01T10:15:00.000Z",
    override: { actor: "ana", at: "2026-07-01T10:07:00.000Z", fields: ["when"] },
  });
  await world.clock.advance(9 * MINUTE);
  expect(await world.runs()).toHaveLength(1);
  const back = await world.mill.schedule("nightly").reset();
  expect(back).toMatchObject({ when: "daily 02:30", nextAt: "2026-07-02T00:30:00.000Z" });
});

test("a change that cannot be is refused with every fault and changes nothing", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
  });
  const one = world.mill.schedule("quarter");
  await expect(one.set({ dailyAt: "25:00", timezone: "Mars/Base" })).rejects.toMatchObject({
    code: "SCHEDULE_INVALID",
    message: expect.stringMatching(/dailyAt: .*"25:00".*timezone: .*"Mars\/Base"/),
  });
  await expect(one.set({ cron: "0 0 30 2 *" })).rejects.toMatchObject({
    code: "SCHEDULE_INVALID",
    message: expect.stringContaining("would never fire"),
  });
  await expect(one.set({})).rejects.toMatchObject({ code: "SCHEDULE_INVALID" });
  await expect(one.set({ every: "1h", dailyAt: "03:00" })).rejects.toMatchObject({
    message: expect.stringContaining('"quarter" cannot be set so: expected one of'),
  });
  await expect(world.mill.schedule("quartr").get()).rejects.toMatchObject({
    code: "SCHEDULE_UNKNOWN",
    hint: 'did you mean "quarter"?',
  });
  expect((await one.get()).override).toBe(undefined);
});

test("R238: a start that fails is recorded, and the next tick works", async () => {
  let asked = 0;
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
    mayStart: () => {
      asked += 1;
      if (asked === 1) return Promise.reject(new Error("the gate is broken"));
      return Promise.resolve({ kind: "yes" });
    },
  });
  await world.clock.advance(10 * MINUTE);
  expect(await world.runs()).toEqual([]);
  expect(await world.told("schedule.skipped")).toMatchObject([{ reason: "the gate is broken" }]);
  await world.clock.advance(15 * MINUTE);
  expect(await world.runs()).toHaveLength(1);
});

test("R247: a scheduled start while its pipeline is degraded is refused, with one event", async () => {
  const score = stage("score", {}, () => {
    throw new PermanentError("no");
  });
  const gated = pipeline("gated", { output: { score }, gate: "health" });
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter: { ...quarter, pipeline: "gated" } },
    pipelines: [gated],
  });
  for (let count = 0; count < 2; count++) {
    await world.clock.advance(15 * MINUTE);
    await world.work();
  }
  expect((await world.runs()).map(({ state }) => state)).toEqual(["failed", "failed"]);
  await world.clock.advance(15 * MINUTE);
  expect(await world.runs()).toHaveLength(2);
  expect(await world.told("run.refused")).toMatchObject([
    { pipeline: "gated", source: "schedule quarter", verdict: "degraded" },
  ]);
  expect(await world.told("schedule.skipped")).toMatchObject([
    { at: "2026-07-01T10:45:00.000Z", reason: expect.stringContaining("degraded: score failed") },
  ]);
});

test("ten days down: a schedule of every minute makes one run, and all it missed are counted", async () => {
  const schedules = { minute: { pipeline: "ticked", cron: "* * * * *" } } as const;
  await using world = await makeScheduleWorld({ at: "2026-07-01T10:00:30Z", schedules });
  await world.scheduler.stop();
  await world.clock.advance(10 * DAY);
  await world.restart();
  expect((await world.runs()).map(({ key }) => key)).toEqual([
    "schedule:minute/2026-07-11T10:00:00.000Z",
  ]);
  expect(await world.told("schedule.missed")).toMatchObject([
    { at: "2026-07-11T09:59:00.000Z", reason: "a later tick runs", count: 14_399 },
  ]);
});

test("missed ticks are left where that is the rule, and all run where that is", async () => {
  const schedules = {
    all: { pipeline: "ticked", every: "15m", missed: "run-all", overlap: "allow" },
    none: { pipeline: "ticked", every: "15m", missed: "skip", overlap: "allow" },
    old: { pipeline: "ticked", every: "2d", overlap: "allow" },
  } as const;
  await using world = await makeScheduleWorld({ at: "2026-07-01T10:07:00Z", schedules });
  await world.scheduler.stop();
  await world.clock.advance(27 * HOUR);
  await world.restart();
  const keys = (await world.runs()).map(({ key }) => key ?? "");
  const ofAll = keys.filter((key) => key.includes("all/"));
  expect(ofAll).toHaveLength(100);
  expect(ofAll[0]).toBe("schedule:all/2026-07-01T12:15:00.000Z");
  expect(ofAll.at(-1)).toBe("schedule:all/2026-07-02T13:00:00.000Z");
  expect(keys.filter((key) => key.includes("none/"))).toEqual([]);
  expect(await world.told("schedule.missed")).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ schedule: "all", count: 8, reason: "more than 100 were missed" }),
      expect.objectContaining({ schedule: "none", count: 108, reason: "late" }),
    ]),
  );
});

test("a scheduled run waits its jitter, which is no part of the instant", async () => {
  const schedules = { quarter: { ...quarter, jitter: "10m" } } as const;
  await using world = await makeScheduleWorld({ at: "2026-07-01T10:07:00Z", schedules });
  const { jitterMs, ticks } = await world.mill.schedule("quarter").next({ count: 1 });
  expect(jitterMs).toBeGreaterThan(0);
  expect(ticks[0]?.at).toBe("2026-07-01T10:15:00.000Z");
  await world.clock.advance(8 * MINUTE + jitterMs - 1);
  expect(await world.runs()).toEqual([]);
  await world.clock.advance(1);
  expect((await world.runs())[0]?.key).toBe("schedule:quarter/2026-07-01T10:15:00.000Z");
});

test("a schedule of an unknown pipeline is told once, and does not keep others from firing", async () => {
  const schedules = { lost: { pipeline: "elsewhere", every: "15m" }, quarter } as const;
  await using world = await makeScheduleWorld({ at: "2026-07-01T10:07:00Z", schedules });
  await world.clock.advance(8 * MINUTE + 30_000);
  expect(await world.runs()).toHaveLength(1);
  expect(world.warnings).toEqual(['schedule "lost": pipeline "elsewhere" is not known here']);
  expect(world.scheduler.lateMs).toBeGreaterThanOrEqual(29_000);
});

test("triggering meets the overlap rule of the schedule", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
  });
  const one = world.mill.schedule("quarter");
  const run = await one.trigger();
  await expect(one.trigger()).rejects.toMatchObject({ code: "RUN_BUSY", details: { run: run.id } });
  await world.clock.advance(10 * MINUTE);
  expect(await world.told("schedule.skipped")).toMatchObject([{ reason: "busy" }]);
});

test("a backfill says what it would run, then runs it one by one, and leaves what still runs", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
  });
  await world.clock.advance(10 * MINUTE);
  const range = {
    fromMs: Date.parse("2026-07-01T09:45:00Z"),
    untilMs: Date.parse("2026-07-01T10:15:00Z"),
  };
  const one = world.mill.schedule("quarter");
  const preview = await one.backfill({ ...range, dryRun: true });
  expect(preview.started).toBe(false);
  expect(preview.ticks.map(({ at, runs, reason }) => [at.slice(11, 16), runs, reason])).toEqual([
    ["09:45", true, undefined],
    ["10:00", true, undefined],
    ["10:15", false, "its run is queued"],
  ]);
  expect(await world.runs()).toHaveLength(1);
  await one.backfill(range);
  await world.clock.advance(1_000);
  await expect(one.backfill(range)).rejects.toMatchObject({ code: "OPERATION_CHANGED" });
  expect(await world.runs()).toHaveLength(2);
  await world.work();
  await world.clock.advance(2_000);
  expect(await world.runs()).toHaveLength(3);
  await world.work();
  await world.clock.advance(2_000);
  expect((await one.get()).backfill).toBe(undefined);
  expect((await world.runs()).map(({ settings }) => settings.scheduled?.atMs)).toEqual([
    Date.parse("2026-07-01T10:15:00Z"),
    Date.parse("2026-07-01T09:45:00Z"),
    Date.parse("2026-07-01T10:00:00Z"),
  ]);
});

test("R239: a run that an outside scheduler reports is one event, and a bad report is an answer", async () => {
  await using world = await makeScheduleWorld({ at: "2026-07-01T10:07:00Z", schedules: {} });
  const report = { pipeline: "ticked", run: "r-17", source: "cron" };
  expect(await world.mill.reportRun(report)).toEqual({ created: true });
  expect(await world.mill.reportRun(report)).toEqual({ created: false });
  expect(await world.told("external.reported")).toHaveLength(1);
  const bad = await world.mill.reportRun({ ...report, run: "r-18", at: "yesterday" });
  expect(bad.created).toBe(false);
  expect(bad.problem).toContain("yesterday");
});

test("a schedule that its file names no more does not tick, and put back it is as it was", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
  });
  const context = { ...contextOf(world.mill), schedules: {} };
  await seedSchedules(context);
  const gone = await viewSchedule(context, "quarter");
  expect(gone).toMatchObject({ enabled: false, removed: true });
  expect(gone.nextAt).toBe(undefined);
  await expect(switchSchedule(context, "quarter", { enabled: true })).rejects.toMatchObject({
    code: "SCHEDULE_INVALID",
  });
  await world.clock.advance(20 * MINUTE);
  expect(await world.runs()).toEqual([]);
  await world.restart();
  expect(await world.mill.schedule("quarter").get()).toMatchObject({
    enabled: true,
    nextAt: "2026-07-01T10:30:00.000Z",
  });
});

test("an instant that was decided before has no second run, and the schedule goes on", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
  });
  const atMs = Date.parse("2026-07-01T10:15:00Z");
  const value = { atMs, decision: "fired", run: "earlier" };
  await contextOf(world.mill).committer.write({
    kind: "put-records",
    puts: [{ collection: "ticks", key: "quarter/2026-07-01T10:15:00.000Z", expected: 0, value }],
    events: [],
  });
  await world.clock.advance(20 * MINUTE);
  expect(await world.runs()).toEqual([]);
  await world.clock.advance(5 * MINUTE);
  expect((await world.runs()).map(({ key }) => key)).toEqual([
    "schedule:quarter/2026-07-01T10:30:00.000Z",
  ]);
});

test("a record that cannot be read is told once and passed over", async () => {
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter },
  });
  await contextOf(world.mill).committer.write({
    kind: "put-records",
    puts: [{ collection: "schedules", key: "bad", expected: 0, value: { x: 1 }, dueAtMs: 1 }],
    events: [],
  });
  await world.clock.advance(10 * MINUTE);
  expect(world.warnings).toEqual(['schedule "bad": its record cannot be read']);
  expect(await world.runs()).toHaveLength(1);
  expect((await world.mill.schedules()).schedules.map(({ name }) => name)).toEqual(["quarter"]);
});

test("a tick also meets a run that somebody else started, where its pipeline may have no other", async () => {
  const wait = stage("wait", {}, (_needs, ctx) => ctx.sleep("20m"));
  const single = pipeline("single", { output: { wait }, maxActiveRuns: 1 });
  await using world = await makeScheduleWorld({
    at: "2026-07-01T10:07:00Z",
    schedules: { quarter: { ...quarter, pipeline: "single" } },
    pipelines: [single],
  });
  const byHand = await world.mill.start(single, undefined);
  await world.clock.advance(10 * MINUTE);
  expect(await world.told("schedule.skipped")).toMatchObject([{ reason: "busy" }]);
  await world.clock.advance(15 * MINUTE);
  expect((await byHand.result()).state).toBe("succeeded");
  expect(await world.told("schedule.fired")).toMatchObject([{ at: "2026-07-01T10:30:00.000Z" }]);
});
