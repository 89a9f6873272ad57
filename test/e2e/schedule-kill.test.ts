// Schedulers that are killed at any moment: every instant has one run, or a record that says why it has none.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openMillrace, type Millrace } from "millrace";
import { expect, onTestFinished, test } from "vitest";
import { parseScheduleState, parseTick } from "../../src/service/schedules/schedule-record.ts";
import type { TickRecord } from "../../src/model/schedule/schedule-state.ts";
import { makeSqliteWorld } from "../support/sqlite-world.ts";

const PROGRAM = join(import.meta.dirname, "../support/schedules/scheduler-process.ts");
const SCHEDULES = 20;
const RUNS = 160;

function startScheduler(store: string): ChildProcess {
  const options = ["--conditions=@millrace/source", PROGRAM, store, String(SCHEDULES)];
  const child = spawn(process.execPath, options, { stdio: ["ignore", "ignore", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

async function listTicks(mill: Millrace, name: string): Promise<readonly TickRecord[]> {
  const records = await mill.store.listRecords({
    collection: "ticks",
    prefix: `${name}/`,
    limit: 500,
  });
  return records.map(({ value }) => parseTick(value)).filter((tick) => tick !== undefined);
}

test("schedulers that are killed neither lose an instant nor give it two runs", async () => {
  const { url } = makeSqliteWorld();
  const mill = await openMillrace({ store: url });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const children = Array.from({ length: 3 }, () => startScheduler(url));
  const countRuns = async (): Promise<number> =>
    (await mill.store.countRuns()).get("ticked")?.queued ?? 0;
  for (let killed = 0, endMs = performance.now() + 40_000; (await countRuns()) < RUNS;) {
    if (performance.now() > endMs) throw new Error(`only ${await countRuns()} of ${RUNS} runs`);
    await pause(3);
    // At moments that have nothing to do with what it is at.
    if ((await countRuns()) < (killed + 1) * 15) continue;
    const child = children.shift();
    if (child !== undefined) await kill(child);
    children.push(startScheduler(url));
    killed += 1;
  }
  await Promise.all(children.map(kill));

  const runs = new Map((await listRuns(mill)).map((run) => [run.id, run]));
  for (let index = 0; index < SCHEDULES; index++) {
    const name = `second-${index}`;
    const record = await mill.store.findRecord("schedules", name);
    const state = parseScheduleState(record?.value);
    const decided = new Map<number, string>();
    const decide = (atMs: number, how: string): void => {
      expect(decided.has(atMs), `${name} ${atMs} was decided twice`).toBe(false);
      decided.set(atMs, how);
    };
    for (const { atMs, decision, run, fromMs } of await listTicks(mill, name)) {
      for (let each = fromMs ?? atMs; each < atMs; each += 1_000) decide(each, "missed");
      decide(atMs, decision);
      if (decision !== "fired") continue;
      expect(runs.get(run ?? "")?.key).toBe(`schedule:${name}/${new Date(atMs).toISOString()}`);
      runs.delete(run ?? "");
    }
    const instants = [...decided.keys()].toSorted((left, right) => left - right);
    const first = instants[0] ?? 0;
    expect(instants).toEqual(instants.map((_, place) => first + place * 1_000));
    expect(state?.nextMs).toBe(first + instants.length * 1_000);
  }
  expect([...runs.values()].map(({ key }) => key)).toEqual([]);
}, 60_000);

async function listRuns(
  mill: Millrace,
): Promise<Awaited<ReturnType<Millrace["store"]["listRuns"]>>> {
  return await mill.store.listRuns({ limit: 500 });
}
