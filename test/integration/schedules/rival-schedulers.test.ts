// Three schedulers on one file: whoever comes first decides, and every instant has one run.

import { openMillrace, type Millrace } from "millrace";
import { seededRandom, virtualClock, type VirtualClock } from "millrace/testing";
import { expect, test } from "vitest";
import type { ScheduleSettings } from "../../../src/model/schedule/parse-schedule.ts";
import type { RunRecord } from "../../../src/model/run.ts";
import { systemMachine } from "../../../src/std/machine.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import { startScheduler } from "../../../src/service/schedules/start-scheduler.ts";
import { ticked } from "../../support/schedules/schedule-world.ts";
import { makeSqliteWorld } from "../../support/sqlite-world.ts";

const MINUTE = 60_000;

async function listAll(mill: Millrace): Promise<readonly RunRecord[]> {
  const found: RunRecord[] = [];
  for (;;) {
    const before = found.at(-1)?.number;
    const page = await mill.store.listRuns({
      limit: 500,
      ...(before === undefined ? {} : { beforeNumber: before }),
    });
    found.push(...page);
    if (page.length < 500) return found;
  }
}

async function seeded(mill: Millrace, count: number, clock: VirtualClock): Promise<void> {
  for (let step = 0; step < 2_000; step++) {
    const found = await mill.store.listRecords({ collection: "schedules", limit: 100 });
    if (found.length === count) return;
    await clock.advance(5);
  }
}

test("three schedulers on a thousand ticks make a thousand runs", async () => {
  const { url } = makeSqliteWorld();
  const startAtMs = Date.parse("2026-07-01T10:00:30Z");
  const clock = virtualClock({ startAtMs });
  const names = Array.from({ length: 20 }, (_, index) => `every-minute-${index}`);
  const schedules: ScheduleSettings = Object.fromEntries(
    names.map((name) => [name, { pipeline: "ticked", every: "1m", overlap: "allow" }]),
  );
  // A machine of which the clock is this one.
  const { host, pid, processStart } = systemMachine;
  const machine = {
    host,
    pid,
    processStart,
    bootId: "boot",
    environment: {},
    sharedMonotonicMs: () => clock.monotonicMs(),
    isGone: () => false,
  };
  const open = (seed: number): Promise<Millrace> => {
    const random = seededRandom(seed);
    return openMillrace({ store: url, clock, machine, random, pipelines: [ticked], schedules });
  };
  const mills = await Promise.all([open(1), open(2), open(3)]);
  const schedulers = mills.map((mill) => startScheduler(contextOf(mill)));
  try {
    const [mill] = mills;
    if (mill === undefined) throw new Error("no mill");
    const countRuns = async (): Promise<number> =>
      (await mill.store.countRuns()).get("ticked")?.queued ?? 0;
    await seeded(mill, names.length, clock);
    for (let minute = 1; minute <= 50; minute++) {
      await clock.advance(startAtMs + 30_000 + (minute - 1) * MINUTE - clock.wallMs());
      // The file is not part of the clock: a little time passes until all of this minute is written.
      for (let step = 0; step < 2_000 && (await countRuns()) < minute * names.length; step++)
        await clock.advance(5);
    }
    await clock.advance(10_000);
    const keys = (await listAll(mill)).map(({ key }) => key);
    const expected = names.flatMap((name) =>
      Array.from({ length: 50 }, (_, index) => {
        const at = new Date(startAtMs + 30_000 + index * MINUTE).toISOString();
        return `schedule:${name}/${at}`;
      }),
    );
    expect(new Set(keys)).toEqual(new Set(expected));
    expect(keys).toHaveLength(expected.length);
    expect(await countRuns()).toBe(1_000);
    const { ticks } = await mill.schedule("every-minute-7").ticks({ limit: 100 });
    expect(ticks.map(({ decision }) => decision)).toEqual(Array(50).fill("fired"));
  } finally {
    await Promise.all(schedulers.map((scheduler) => scheduler.stop()));
    await Promise.all(mills.map((mill) => mill.close({ drainMs: 0 })));
  }
});
