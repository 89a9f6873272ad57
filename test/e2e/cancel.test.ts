// `cancel`: ends runs wherever they are worked on, tells what it did to each, and its exit codes.

import { expect, test } from "vitest";
import { makeProject, parseDocument } from "../support/command.ts";

const SLOWLY = "pipelines/gated.ts#slowly";

test("a run that another process works on is cancelled, with its reason, and its process ends with 1", async () => {
  const project = makeProject();
  const running = project.start("run", SLOWLY);
  await project.appears("at-open");

  const cancelled = await project.run("cancel", "1", "--reason", "wrong input", "--wait", "--json");
  const ended = await running.ended;
  const why = await project.run("why", "1");

  expect(cancelled.exitCode).toBe(0);
  expect(parseDocument(cancelled)).toMatchObject({
    schema: "millrace.cancel/1",
    results: [{ run: "1", before: "running", after: "cancelled" }],
  });
  expect(ended.exitCode).toBe(1);
  expect(why.stdout).toContain('1 was cancelled: "wrong input".');
});

test("without --wait the request is told with who holds the run", async () => {
  const project = makeProject();
  const running = project.start("run", SLOWLY);
  await project.appears("at-open");

  const asked = await project.run("cancel", "last");
  await running.ended;

  expect(asked.exitCode).toBe(0);
  expect(asked.stdout).toMatch(
    /^1 (cancel requested \(process \d+ on .+\): asked to stop|cancelled)/,
  );
});

test("a cancelled run may be cancelled again, one that has ended otherwise may not, and none spoils the others", async () => {
  const project = makeProject();
  const killed = project.start("run", "pipelines/gated.ts#deaf");
  await project.appears("at-open");
  killed.child.kill("SIGKILL");
  await killed.ended;
  project.touch("open");
  await project.run("run", SLOWLY);

  const both = await project.run("cancel", "2", "1");
  const again = await project.run("cancel", "1");
  const unknown = await project.run("cancel", "zz", "--json");

  expect(both.exitCode).toBe(4);
  expect(both.stdout).toBe("1 cancelled\n");
  expect(both.stderr).toContain("error: run 2 has ended succeeded: it cannot be cancelled");
  expect(again).toMatchObject({ exitCode: 0, stdout: "1 cancelled: was cancelled already\n" });
  expect(unknown.exitCode).toBe(2);
  expect(parseDocument(unknown)).toMatchObject({ error: { code: "RUN_NOT_FOUND" } });
});
