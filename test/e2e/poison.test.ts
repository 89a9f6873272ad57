// A pipeline file whose stage kills the command: found by the command itself, which knows where the file is.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject } from "../support/command.ts";

const BOMB = `
import { appendFileSync } from "node:fs";
import { definePipeline } from "millrace";
const note = (what: string): void => {
  appendFileSync("effects", what + (process.send === undefined ? " here" : " apart") + "\\n");
};
export const bomb = definePipeline({
  name: "bomb",
  failFast: false,
  stages: [
    { id: "boom", run: () => { note("boom"); console.log("about to die"); process.abort(); } },
    { id: "calm", run: () => { note("calm"); return 1; } },
  ],
});
`;

test("R162: a stage that kills the command fails as poison with its third crash, and why and show say so", async () => {
  const project = makeProject();
  writeFileSync(join(project.folder, "package.json"), "{}");
  writeFileSync(join(project.folder, "bomb.ts"), BOMB);
  await project.run("queue", "enqueue", "bomb.ts");
  for (let crashes = 0; crashes < 2; crashes += 1)
    expect((await project.run("queue", "run", "bomb.ts", "--drain")).signal).toBe("SIGABRT");
  const before = await project.run("show", "1");
  expect(before.stdout).toContain("1 crash");

  const last = await project.run("queue", "run", "bomb.ts", "--drain");
  expect([last.exitCode, last.signal]).toEqual([1, null]);
  expect(readFileSync(join(project.folder, "effects"), "utf8").trim().split("\n")).toEqual([
    "boom here",
    "boom here",
    "boom apart",
    "calm apart",
  ]);
  const why = await project.run("why", "1/boom");
  expect(why.stdout).toContain(
    'failed as poison: "boom" is not started again after 3 crashes: the process was killed by SIGABRT',
  );
  expect((await project.run("why", "1")).stdout).toContain("npx millrace queue retry-failed");
  const shown = await project.run("show", "1", "--json");
  expect(JSON.parse(shown.stdout)).toMatchObject({
    run: { state: "failed", crashes: 2 },
    failures: [{ class: "poison", count: 1 }],
    stages: [
      { stage: "boom", state: "failed" },
      { stage: "calm", state: "succeeded" },
    ],
  });
});
