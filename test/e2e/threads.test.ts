// A pipeline that computes in threads, through the real command.

import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject } from "../support/command.ts";

const FILE = "pipelines/threads.ts";

test("R62: run computes in threads, without being told the module, and report says what they used", async () => {
  const project = makeProject({ MILLRACE_WORKER__THREADS: "2" });
  const ran = await project.run("run", FILE, "--json", "--report", "book.md");
  expect(ran).toMatchObject({ exitCode: 0, signal: null });
  expect(JSON.parse(ran.stdout)).toMatchObject({
    run: { state: "succeeded" },
    outputs: { sum: 1007 },
  });
  const places = readdirSync(project.folder).filter((name) => name.startsWith("at-"));
  expect(places).toHaveLength(4);
  const threads = new Set(places.map((name) => project.read(name)));
  expect(threads.size).toBeLessThanOrEqual(2);
  for (const place of threads) expect(place).toMatch(/^false [12]$/);

  const shown = JSON.parse((await project.run("show", "1/count", "--json")).stdout);
  expect(shown).toMatchObject({ stage: { peakBytes: expect.any(Number) } });
  const line =
    project
      .read("book.md")
      .split("\n")
      .find((text) => text.includes("count")) ?? "";
  // CPU time, then the peak.
  expect(line).toMatch(/\| [\d.]+ m?s +\| [\d.]+ MB/);
});

test("queue run computes in threads as well", async () => {
  const project = makeProject();
  expect((await project.run("queue", "enqueue", FILE)).exitCode).toBe(0);
  expect((await project.run("queue", "run", FILE, "--drain")).exitCode).toBe(0);
  const { stdout } = await project.run("show", "1", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    run: { state: "succeeded", metrics: { primes: 1007 } },
  });
});

test("a cancel from outside ends items that are busy, and resume does them again", async () => {
  const project = makeProject();
  const running = project.start("run", FILE, "--input", '{"stay":true}');
  await project.appears("at-0");
  expect((await project.run("cancel", "1")).exitCode).toBe(0);
  expect((await running.ended).exitCode).toBe(1);
  const { stdout } = await project.run("show", "1", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ run: { state: "cancelled" } });
  project.touch("go");
  expect((await project.run("resume", "1")).exitCode).toBe(0);
});

test("Ctrl-C parks a run whose items are busy, and its process ends", async () => {
  const project = makeProject();
  const running = project.start("run", FILE, "--input", '{"stay":true}');
  await project.appears("at-0");
  running.child.kill("SIGINT");
  await running.says("stopping");
  running.child.kill("SIGINT");
  expect((await running.ended).exitCode).toBe(130);
});

test("plan and show say which stages compute in threads, and how many threads there are", async () => {
  const project = makeProject();
  writeFileSync(
    join(project.folder, "millrace.config.ts"),
    `import { primes } from "./pipelines/threads.ts";
     export default { pipelines: [primes], worker: { threads: 3 } };`,
  );
  const { stdout } = await project.run("show", "primes", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    settings: { threads: { value: 3, origin: "millrace.config.ts: worker.threads" } },
    stages: [{}, { settings: { runIn: { value: "thread", origin: "stage" } } }, {}],
  });
  expect((await project.run("run", "primes")).exitCode).toBe(0);
});

test("threads of 0 are refused before anything starts", async () => {
  const project = makeProject({ MILLRACE_WORKER__THREADS: "0" });
  const ran = await project.run("run", FILE);
  expect(ran.exitCode).toBe(2);
  expect(ran.stderr).toContain("expected a whole number from 1 to 256; got 0");
});
