// `run` of a pipeline that has no place left: refused with 4, or it waits and says so.

import { expect, test } from "vitest";
import { makeProject } from "../support/command.ts";

const SINGLE = "pipelines/places.ts#single";
const PATIENT = "pipelines/places.ts#patient";

test("R193: a second run is refused with 4 and the next command, and the first goes on", async () => {
  const project = makeProject();
  const first = project.start("run", SINGLE);
  await project.appears("at-open");

  const second = await project.run("run", SINGLE);
  const runs = await project.run("runs");
  project.touch("open");
  const ended = await first.ended;
  const third = await project.run("run", SINGLE);

  expect(second.exitCode).toBe(4);
  expect(second.stderr).toContain(
    'run 1 of pipeline "single" is running, and at most one run of it may be running at once',
  );
  expect(second.stderr).toContain("npx millrace why 1");
  expect(second.stderr).toContain("RUN_BUSY (exit 4)");
  expect(runs.stdout).not.toMatch(/^2 /mu);
  expect([ended.exitCode, third.exitCode]).toEqual([0, 0]);
});

test('R193: with onBusy "queue" a second run waits with blocker busy, and runs afterwards', async () => {
  const project = makeProject();
  const first = project.start("run", PATIENT);
  await project.appears("at-open");
  const second = project.start("run", PATIENT);
  await second.says('run 2 waits: run 1 of pipeline "patient" is running');

  const why = await project.run("why", "2");
  project.touch("open");
  const [one, two] = await Promise.all([first.ended, second.ended]);

  expect(why.stdout).toContain('run 1 of pipeline "patient" is running, and one may be at a time');
  expect(why.stdout).toContain("busy");
  expect([one.exitCode, two.exitCode]).toEqual([0, 0]);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)(
  "%s ends the wait with %d, and the run that waited is cancelled",
  async (signal, code) => {
    const project = makeProject();
    const first = project.start("run", PATIENT);
    await project.appears("at-open");
    const second = project.start("run", PATIENT);
    await second.says("run 2 waits");

    second.child.kill(signal);
    const ended = await second.ended;
    const why = await project.run("why", "2");
    project.touch("open");

    expect(ended.exitCode).toBe(code);
    expect(ended.stderr).toContain(`SHUTDOWN (exit ${code})`);
    expect(ended.stderr).toContain("was cancelled while it waited for run 1");
    expect(why.stdout).toContain("2 was cancelled");
    expect((await first.ended).exitCode).toBe(0);
  },
);
