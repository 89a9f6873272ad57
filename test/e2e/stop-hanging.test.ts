// A process that is told to end while a stage hangs that ignores its signal: it ends all the same, and what it held is
// there for others at once, as if it had never been claimed.

import { performance } from "node:perf_hooks";
import { expect, test } from "vitest";
import { makeProject, parseDocument, type Project, type Running } from "../support/command.ts";

const DEAF = "pipelines/gated.ts#deaf";

/** Sends so many signals, each once the one before was heard. */
async function signal(working: Running, times: number): Promise<number> {
  for (let time = 1; time <= times; time += 1) {
    working.child.kill("SIGTERM");
    if (time === 1) await working.says("stopping");
    // What a signal that is pending already adds is nothing: each has to arrive by itself.
    else await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const sentMs = performance.now();
  await working.ended;
  return performance.now() - sentMs;
}

async function showRun(project: Project): Promise<unknown> {
  return parseDocument(await project.run("show", "1", "--json"))["run"];
}

test("R103: at a second TERM a worker gives a run that hangs back within the grace, and another one takes it at once", async () => {
  const project = makeProject();
  await project.run("queue", "enqueue", DEAF);
  const working = project.start("queue", "run", DEAF, "--drain");
  await project.appears("at-open");
  const tookMs = await signal(working, 2);

  expect((await working.ended).exitCode).toBe(143);
  expect(tookMs).toBeLessThan(8_000);
  expect(await showRun(project)).toMatchObject({ state: "queued" });
  project.touch("open");
  const rest = await project.run("queue", "run", DEAF, "--drain", "--json");
  expect(parseDocument(rest)).toMatchObject({ runs: 1, counts: { succeeded: 1 } });
});

test.each([
  ["queue run gives its run back", ["queue", "run", DEAF, "--drain"], { state: "queued" }],
  ["run parks its run", ["run", DEAF], { state: "waiting", reason: "interrupted" }],
])("R103: a third TERM ends the process within a second: %s", async (_, words, parked) => {
  const project = makeProject();
  if (words[0] === "queue") await project.run("queue", "enqueue", DEAF);
  const working = project.start(...words);
  await project.appears("at-open");
  const tookMs = await signal(working, 3);

  // By the signal itself, or by the ordinary way if that was quicker: a shell sees 143 either way.
  const { exitCode, signal: endedBy } = await working.ended;
  expect(endedBy === "SIGTERM" ? 143 : exitCode).toBe(143);
  expect(tookMs).toBeLessThan(2_000);
  expect(await showRun(project)).toMatchObject(parked);
  project.touch("open");
  const goOn = words[0] === "queue" ? words : ["resume", "1"];
  expect((await project.run(...goOn)).exitCode).toBe(0);
  const why = await project.run("why", "1", "--history", "--json");
  expect(why.stdout).not.toContain("reclaimed");
  expect(await showRun(project)).toMatchObject({ state: "succeeded" });
});
