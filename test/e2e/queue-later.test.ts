// Runs whose retry is a long way off: a drained queue leaves them and says until when, a batch stays for its own.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, parseDocument } from "../support/command.ts";

const LATER = "pipelines/later.ts";

test("a drained queue says what waits and until when, and so do runs, show, why and stats", async () => {
  const project = makeProject();
  await project.run("queue", "enqueue", LATER, "--input", '{"text":"a"}');
  const drained = await project.run("queue", "run", LATER, "--drain", "--json");

  expect(drained.exitCode).toBe(0);
  expect(parseDocument(drained)).toMatchObject({ runs: 1, counts: { waiting: 1 } });
  const time = /\d{4}-\d\d-\d\dT[\d:.]+Z/;
  expect(drained.stderr).toMatch(/1 run waits for a later time; it goes on at \d{4}-/);
  const until = time.exec(drained.stderr.slice(drained.stderr.indexOf("it goes on at")))?.[0] ?? "";
  for (const words of [["why", "last"], ["show", "last"], ["runs"]]) {
    const { stdout } = await project.run(...words);
    expect(stdout).toContain("waiting");
    if (words[0] !== "runs") expect(stdout).toContain(until);
  }
  const stats = parseDocument(await project.run("queue", "stats", "--json"));
  expect(stats).toMatchObject({ pipelines: [{ counts: { waiting: 1, running: 0, failed: 0 } }] });
  expect(await project.run("cancel", "last")).toMatchObject({ exitCode: 0 });
});

test("a batch stays for its own runs that wait", async () => {
  const project = makeProject();
  const lines = ["a", "b"].map((text) => `${JSON.stringify({ key: text, text })}\n`);
  writeFileSync(join(project.folder, "texts.jsonl"), lines.join(""));
  const ended = await project.run("run", LATER, "--items", "texts.jsonl", "-j", "1", "--json");

  expect(ended.exitCode).toBe(0);
  expect(parseDocument(ended)).toMatchObject({
    runs: 2,
    counts: { succeeded: 2 },
    results: ["a", "b"].map((key) => ({
      key,
      state: "succeeded",
      outputs: { late: `${key} at attempt 2` },
    })),
  });
});
