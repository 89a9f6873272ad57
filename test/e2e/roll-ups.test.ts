// Roll-ups by real processes: one that serves, and some that are killed while they fold.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { openMillrace, type Millrace } from "../../src/service/millrace.ts";
import { readCursor } from "../../src/service/rollups/roll-up-records.ts";
import { makeProject } from "../support/command.ts";
import { tellRuns } from "../support/rollups/told-runs.ts";
import { makeSqliteWorld } from "../support/sqlite-world.ts";

const PROGRAM = join(import.meta.dirname, "../support/rollups/roll-up-process.ts");
const RUNS = 2_000;

function startFolding(store: string): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, store], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

async function waitForSeq(mill: Millrace, seq: number): Promise<void> {
  const endMs = performance.now() + 40_000;
  for (;;) {
    const cursor = await readCursor(mill.store);
    if (cursor.seq >= seq) return;
    if (performance.now() > endMs) throw new Error(`only ${cursor.seq} of ${seq} events`);
    await pause(1);
  }
}

test("processes that are killed while they fold count every run once", async () => {
  const { url } = makeSqliteWorld();
  const mill = await openMillrace({ store: url });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  await tellRuns(mill.store, { pipeline: "crawl", count: RUNS, stages: ["fetch"] });
  const [last] = await mill.store.listEvents({ after: 0, newestFirst: true, limit: 1 });
  const events = last?.seq ?? expect.fail("no event");
  for (let killed = 1; killed <= 3; killed += 1) {
    const child = startFolding(url);
    await waitForSeq(mill, Math.floor((events * killed) / 5));
    // At moments that have nothing to do with what it is at.
    await pause(Math.random() * 15);
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
  expect((await readCursor(mill.store)).seq).toBeLessThan(events);
  startFolding(url);
  await waitForSeq(mill, events);
  const { counts } = await mill.rates({ unit: "day", sinceMs: mill.store.nowMs() - 86_400_000 });
  expect([counts.created, counts.started, counts.succeeded].map(sum)).toEqual([RUNS, RUNS, RUNS]);
  const { run, stages } = await mill.durations("crawl");
  expect([run?.total, stages["fetch"]?.total]).toEqual([RUNS, RUNS]);
}, 120_000);

test("serve counts what it works, and what ended before it was there", async () => {
  const project = makeProject();
  writeFileSync(
    join(project.folder, "millrace.config.ts"),
    `import { defineConfig, pipeline, stage } from "millrace";
const greet = stage("greet", {}, async () => "hello");
export default defineConfig({ pipelines: [pipeline("hello", { output: { greet } })] });
`,
  );
  expect((await project.run("run", "hello")).exitCode).toBe(0);
  expect((await project.run("queue", "enqueue", "hello")).exitCode).toBe(0);
  const serving = project.start("serve", "--port", "0");
  await serving.says("sign in (60 s, once): http://127.0.0.1:");
  const [, url = ""] = /(http:\/\/127\.0\.0\.1:\d+)\/ /.exec(serving.stderr()) ?? [];
  const token = readFileSync(join(project.folder, ".millrace", "token"), "utf8").trim();
  const get = async (path: string): Promise<string> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return await response.text();
  };
  await expect
    .poll(() => get("/stats/history?unit=day&pipeline=hello"), { timeout: 30_000, interval: 200 })
    .toMatch(/"succeeded":\[[\d,]*2\]|"succeeded":\[[\d,]*1,1\]/);
  expect(await get("/pipelines/hello")).toContain('"stages":{"greet":{"count":2,"total":2,');
  serving.child.kill("SIGTERM");
  expect((await serving.ended).exitCode).toBe(0);
}, 60_000);
