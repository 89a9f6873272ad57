// What the command says of the time that is left: nothing in the first run of a pipeline, and from the second on.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { makeProject, parseDocument, type Project } from "../support/command.ts";
import { startInPty } from "../support/pty-command.ts";

const SLOWLY = "pipelines/gated.ts#slowly";
/** Long enough for the past of a run to be read several times over, ms. */
const LASTS_MS = 800;

/** Makes a first run that lasts a while, and closes the gate again. */
async function runOnce(project: Project): Promise<string> {
  const running = project.start("run", SLOWLY, "--log", "lines");
  await project.appears("at-open");
  // The run must last, for there to be time in which it could say something.
  await pause(LASTS_MS);
  project.touch("open");
  const { exitCode, stderr } = await running.ended;
  expect(exitCode).toBe(0);
  rmSync(join(project.folder, "open"));
  return stderr;
}

test("R252: the time left is shown from the second run on, with a confidence", async () => {
  const project = makeProject();
  expect(await runOnce(project)).not.toContain("left=");

  const second = project.start("run", SLOWLY, "--log", "lines");
  await second.says("confidence=low earlier_runs=1\n");
  project.touch("open");
  expect(await second.ended).toMatchObject({ exitCode: 0 });
  expect(second.stderr()).toMatch(/^00:00:00 run 2 left=\d+s confidence=low earlier_runs=1$/m);
});

test("R252: in a terminal the time left stands below the stages", async () => {
  const project = makeProject();
  await runOnce(project);

  const running = startInPty({ folder: project.folder, columns: 100, rows: 24 }, "run", SLOWLY);
  await running.shows(/slots 1\/32 .*(\d+s left \(low confidence\)|longer than before)/);
  await running.shows("longer than before");
  project.touch("open");
  expect(await running.ended).toMatchObject({ exitCode: 0 });
});

test("R252: a plan predicts each stage and the run from earlier runs, and says how sure it is", async () => {
  const project = makeProject();
  const first = parseDocument(await project.run("plan", SLOWLY, "--json"));
  await runOnce(project);

  const plan = parseDocument(await project.run("plan", SLOWLY, "--json"));
  const text = await project.run("plan", SLOWLY);

  expect(first).not.toHaveProperty("predictedMs");
  expect(plan).toMatchObject({
    predictedMs: [expect.any(Number), expect.any(Number)],
    confidence: "low",
    basis: "1 earlier run",
    stages: [{ stage: "slow", will: "run", confidence: "low" }],
  });
  expect(text.stdout).toMatch(/^predicted [\d.]+ m?s, low confidence \(1 earlier run\)$/m);
});
