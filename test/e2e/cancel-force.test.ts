// `cancel --force`: a run is taken from a process that does not answer any more, and what it writes too late changes
// nothing.

import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, parseDocument } from "../support/command.ts";

const STUCK = "pipelines/stuck.ts#stuck";

test("R200: cancel --force frees a run whose worker spins, names the worker, and its late write is refused", async () => {
  const project = makeProject();
  await project.run("queue", "enqueue", STUCK);
  const worker = project.start("queue", "run", STUCK, "--drain");
  await project.appears("at-open");

  const asked = await project.run("cancel", "1");
  const forced = await project.run("cancel", "1", "--force", "--reason", "it hangs", "--json");
  const freed = await project.run("show", "1", "--json");
  const again = await project.run("cancel", "1", "--force");
  project.touch("open");
  const ended = await worker.ended;
  const late = await project.run("show", "1", "--json");

  const holder = `process ${worker.child.pid} on ${hostname()}`;
  expect(asked.stdout).toContain(`1 cancel requested (${holder})`);
  expect(forced.exitCode).toBe(0);
  expect(parseDocument(forced)).toMatchObject({
    results: [{ run: "1", before: "running", after: "cancelled", holder }],
  });
  expect(again).toMatchObject({ exitCode: 0, stdout: "1 cancelled: was cancelled already\n" });
  expect(parseDocument(freed)).toMatchObject({ run: { state: "cancelled", reason: "it hangs" } });
  expect(late.stdout).toBe(freed.stdout);
  expect(ended.exitCode).toBe(0);
  expect(existsSync(join(project.folder, "at-after"))).toBe(false);
});

test("R200: a frozen process loses its run by force, and the run can be resumed while it is frozen", async () => {
  const project = makeProject();
  const frozen = project.start("run", "pipelines/gated.ts#slowly");
  await project.appears("at-open");
  frozen.child.kill("SIGSTOP");

  const forced = await project.run("cancel", "last", "--force", "--wait");
  project.touch("open");
  const resumed = await project.run("resume", "1", "--json");
  const before = await project.run("show", "1", "--json");
  frozen.child.kill("SIGCONT");
  const ended = await frozen.ended;
  const after = await project.run("show", "1", "--json");

  expect(forced).toMatchObject({ exitCode: 0 });
  expect(forced.stdout).toContain(`1 cancelled (process ${frozen.child.pid} on ${hostname()}): `);
  expect(parseDocument(resumed)).toMatchObject({ run: { state: "succeeded", resumes: 1 } });
  expect(after.stdout).toBe(before.stdout);
  expect(ended.exitCode).toBe(6);
  expect(ended.stderr).toContain("LEASE_LOST");
});

test("a run that nobody works on needs no force, and one that has ended refuses it", async () => {
  const project = makeProject();
  await project.run("queue", "enqueue", STUCK);
  project.touch("open");

  const queued = await project.run("cancel", "1", "--force");
  await project.run("run", STUCK);
  const done = await project.run("cancel", "2", "--force");
  const unknown = await project.run("cancel", "zz", "--force");

  expect(queued).toMatchObject({ exitCode: 0, stdout: "1 cancelled\n" });
  expect(done.exitCode).toBe(4);
  expect(done.stderr).toContain("run 2 has ended succeeded: it cannot be cancelled");
  expect(unknown.exitCode).toBe(2);
});
