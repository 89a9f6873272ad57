// What changes around schedules while they run: the clock of a machine that sleeps, and the settings they come from.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openMillrace, type Millrace } from "millrace";
import { seededRandom, virtualClock, type VirtualClock } from "millrace/testing";
import { contextOf } from "../../../src/service/mill-context.ts";
import { startScheduler } from "../../../src/service/schedules/start-scheduler.ts";
import {
  applySettings,
  type ApplyOptions,
  type LiveSettings,
} from "../../../src/service/settings/apply-settings.ts";
import type { Machine } from "../../../src/std/machine.ts";
import { makeDeadMachine } from "../../support/durable/durable-world.ts";
import { ticked } from "../../support/schedules/schedule-world.ts";

const START_MS = Date.parse("2026-07-01T02:00:00Z");

/** The clock of a machine that sleeps: it wakes with another wall time, and timers have not run meanwhile. */
function makeSleeper() {
  const clock = virtualClock({ startAtMs: START_MS });
  let setByMs = 0;
  const set: VirtualClock = Object.create(clock, {
    wallMs: { value: () => clock.wallMs() + setByMs },
    monotonicMs: { value: () => clock.monotonicMs() },
    setTimer: { value: clock.setTimer.bind(clock) },
    sleep: { value: clock.sleep.bind(clock) },
    defer: { value: clock.defer.bind(clock) },
  });
  const { host, environment } = makeDeadMachine();
  const machine: Machine = {
    host,
    environment,
    pid: 1,
    bootId: "boot",
    processStart: "1",
    sharedMonotonicMs: () => 1_000 + clock.monotonicMs() + setByMs,
    isGone: () => undefined,
  };
  return { clock, set, machine, sleep: (ms: number) => void (setByMs += ms) };
}

async function setup() {
  const time = makeSleeper();
  const folder = mkdtempSync(join(tmpdir(), "millrace-settings-"));
  const mill = await openMillrace({
    store: `sqlite:${join(folder, "store.db")}`,
    clock: time.set,
    machine: time.machine,
    random: seededRandom(1),
    pipelines: [ticked],
    resources: { api: { limit: 2 } },
    schedules: { nightly: { pipeline: "ticked", dailyAt: "02:30" } },
  });
  const scheduler = startScheduler(contextOf(mill));
  onTestFinished(async () => {
    await scheduler.stop();
    await mill.close({ drainMs: 0 });
    rmSync(folder, { recursive: true });
  });
  await time.clock.advance(1_000);
  return { ...time, mill };
}

async function countRuns(mill: Millrace): Promise<number> {
  return (await mill.store.listRuns({ limit: 10 })).length;
}

test("a tick that a machine has slept through is fired as soon as it wakes, and not when the wait that was begun is over", async () => {
  const { clock, mill, sleep } = await setup();
  const { clocks } = contextOf(mill).standing;
  clocks.look();
  sleep(40 * 60_000);
  await clock.advance(10);
  expect(await countRuns(mill)).toBe(0);
  clocks.look();
  for (let turn = 0; turn < 20; turn += 1) await clock.advance(10);
  expect(await countRuns(mill)).toBe(1);
});

const SETTINGS: LiveSettings = {
  schedules: { nightly: { pipeline: "ticked", dailyAt: "02:10" } },
  resources: { api: { limit: 5 } },
  probeMs: 7_000,
  watchMs: 1_000,
  silentRunMs: 2_000,
};

test("settings are taken over all at once: the next tick, the limit, and the periods of the watchdog", async () => {
  const { clock, mill } = await setup();
  const periods: unknown[] = [];
  await applySettings(contextOf(mill), SETTINGS, optionsFor(periods));
  await clock.advance(10);
  expect(await mill.schedules()).toMatchObject({
    schedules: [{ name: "nightly", nextAt: "2026-07-01T02:10:00.000Z" }],
  });
  expect(await mill.resources()).toMatchObject({ resources: [{ name: "api", limit: 5 }] });
  expect(periods).toEqual([{ everyMs: 1_000, silentMs: 2_000 }]);
  expect(contextOf(mill).probeMs).toBe(7_000);
  await clock.advance(10 * 60_000);
  expect(await countRuns(mill)).toBe(1);
});

test("of settings of which one part cannot be, nothing is taken over", async () => {
  const { mill } = await setup();
  const periods: unknown[] = [];
  const never = { pipeline: "ticked", cron: "0 0 30 2 *" };
  for (const wrong of [
    { ...SETTINGS, schedules: { never } },
    { ...SETTINGS, resources: { api: { limit: 0 } } },
  ]) {
    await expect(applySettings(contextOf(mill), wrong, optionsFor(periods))).rejects.toThrow();
  }
  expect(await mill.schedules()).toMatchObject({
    schedules: [{ name: "nightly", nextAt: "2026-07-01T02:30:00.000Z" }],
  });
  expect(await mill.resources()).toMatchObject({ resources: [{ name: "api", limit: 2 }] });
  expect(periods).toEqual([]);
});

function optionsFor(periods: unknown[]): ApplyOptions {
  return {
    source: "millrace.config.ts",
    changed: [],
    restart: [],
    watchdog: { setPeriods: (given) => void periods.push(given) },
    seeds: true,
  };
}
