// Example B left to itself: the clock starts its run at the quarter hour, and its watchdog tells of a day whose analyzer
// hangs long before any timeout would. A real `millrace serve`, whose wall clock was set to shortly before the mark.

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { CONFIG, listAlive } from "../../examples/02-market-data/support/run-example.ts";
import {
  HUNG_DAY,
  serveMarketData,
  type Follower,
  type ServedExample,
} from "../support/live/served-example.ts";

/** A mark of the schedule: 04:15 in Chicago. */
const MARK = "2026-07-14T09:15:00.000Z";
/** From the start of the process to the mark: it takes two seconds until its schedules are seeded. */
const AHEAD_MS = 20_000;
/** Loaded before all else; threads and children go by the same clock. */
const SET_CLOCK = `
  const readMs = Date.now;
  process.env.TEST_SHIFT_MS ??= String(${Date.parse(MARK) - AHEAD_MS} - readMs());
  const shiftMs = Number(process.env.TEST_SHIFT_MS);
  Date.now = () => readMs() + shiftMs;`;
const SILENCE_MS = 3_000;

let example: ServedExample;
let all: Follower;
beforeAll(async () => {
  example = await serveMarketData({
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(SET_CLOCK)}`,
    MARKET_DATA_ANALYZE_TIMEOUT: "5m",
    MILLRACE_WATCHDOG__EVERY: "500ms",
    MILLRACE_WATCHDOG__SILENCE: `${SILENCE_MS}ms`,
  });
  all = example.follow();
});
afterAll(async () => {
  all.close();
  await example.close();
});

const FIRED = z.object({ schedule: z.string(), at: z.string(), run: z.string() });

// One story, told in order.
test("R232 R302: the schedule fires by itself, exactly at the quarter hour, and its run comes to the tables", async () => {
  const { ask } = example;
  const fired = FIRED.parse((await all.sees("schedule.fired")).data);
  expect(fired).toMatchObject({ schedule: "quarter", at: MARK });
  await all.sees("run.succeeded");
  expect((await ask("GET", `/runs/${fired.run}`)).json).toMatchObject({
    run: {
      state: "succeeded",
      source: "schedule",
      tags: { schedule: "quarter" },
      metrics: { written: 3, failed: 1 },
    },
  });
});

test("R214 R302: of an analyzer that hangs the watchdog tells what it found, in which day and for how long, and ends nothing", async () => {
  const { ask, start, orderHang } = example;
  const run = await start({ input: orderHang(), force: true });
  const { data } = await all.sees("watchdog.warned");
  expect(data).toMatchObject({ rule: "no-checkpoint", subject: run });
  expect(JSON.stringify(data["blockers"])).toContain(`analyze/${HUNG_DAY} has been running for`);
  expect(example.said()).toContain(`no-checkpoint: Run ${run} has committed nothing for`);
  const health = await ask("GET", "/health");
  expect(health.json).toMatchObject({
    findings: [{ rule: "no-checkpoint", subject: run, next: `npx millrace why ${run}` }],
  });
  const shown = await example.place.millrace("health", "--config", CONFIG, "--json");
  expect(shown.code).toBe(1);
  expect(JSON.parse(shown.stdout)).toMatchObject({
    healthy: false,
    findings: [{ rule: "no-checkpoint", subject: run }],
  });
  expect((await ask("GET", `/runs/${run}`)).json).toMatchObject({ run: { state: "running" } });
  expect(listAlive(await listGroups())).toHaveLength(1);
});

test("R236 R302: a tick that meets a run under way starts none, whoever started it; cancelled, the run leaves no process, and the next tick is fired", async () => {
  const { ask } = example;
  const firedBefore = countFired();
  const set = await ask("PATCH", "/schedules/quarter", { every: "1s", reason: "to see it" });
  expect(set.status).toBe(200);
  for (const count of [1, 2]) {
    const skipped = (): number =>
      all.events.filter(({ type }) => type === "schedule.skipped").length;
    await all.sees("schedule.skipped", () => skipped() >= count);
  }
  const skipped = all.events.find(({ type }) => type === "schedule.skipped");
  expect(skipped?.data).toMatchObject({ schedule: "quarter", reason: "busy" });
  expect(countFired()).toBe(firedBefore);

  const groups = await listGroups();
  expect((await ask("POST", "/runs/last/cancel", { reason: "it hangs" })).status).toBe(200);
  await all.sees("run.cancelled");
  expect(listAlive(groups)).toEqual([]);
  const health = async (): Promise<unknown> => (await ask("GET", "/health")).json;
  await expect.poll(health, { timeout: 10_000 }).toMatchObject({ findings: [] });
  await all.sees("schedule.fired", ({ data }) => data["at"] !== MARK);
});

function countFired(): number {
  return all.events.filter(({ type }) => type === "schedule.fired").length;
}

const EMITTED = z.object({
  events: z.array(
    z.object({ item: z.string(), data: z.object({ data: z.object({ pid: z.int() }) }) }),
  ),
});

/** Process groups of the analyzers that the newest run has started for the day that hangs. */
async function listGroups(): Promise<number[]> {
  const { json } = await example.ask("GET", "/runs/last/events?types=stage.emitted");
  const { events } = EMITTED.parse(json);
  return events.filter(({ item }) => item === HUNG_DAY).map(({ data }) => data.data.pid);
}
