// `why` from one process about what another one's work waits for.

import { expect, test } from "vitest";
import { makeProject, parseDocument } from "../support/command.ts";

test("R151: another process names the resource, its holders and its place in line", async () => {
  const project = makeProject();
  const running = project.start("run", "pipelines/held.ts", "--log", "agent");
  await running.says("limit:api");

  const asked = await project.run("why", "1/rows/c", "--json");
  const runs = await project.run("why", "1");
  project.touch("open");
  const { exitCode, stderr } = await running.ended;

  expect(parseDocument(asked)).toMatchObject({
    schema: "millrace.why/1",
    subject: "1/rows/c",
    state: "waiting",
    blockers: [{ kind: "limit", name: "api", ahead: 0, holders: ["1/rows/a", "1/rows/b"] }],
  });
  expect(runs.stdout).toContain('2 of 2 permits of resource "api" are held');
  expect(stderr).toMatch(/^\[WAIT\] 1\/rows limit:api waiting=1 ahead=0$/m);
  expect(exitCode).toBe(0);
});
