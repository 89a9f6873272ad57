// What only a process of its own can show: its end, its pipes, and user code that does not behave.

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COMMAND, makeProject, plainEnvironment } from "../support/command.ts";

const LISTING = `
import { definePipeline } from "millrace";
const items = Array.from({ length: 3000 }, (_, index) => "row-" + index);
export const listing = definePipeline({
  name: "listing",
  stages: [{ id: "each", over: items, key: (item) => item, concurrency: "none", run: (item) => item.repeat(100) }],
});
`;

test("a reader that goes away ends a listing quietly", async () => {
  const project = makeProject();
  writeFileSync(join(project.folder, "listing.ts"), LISTING);
  expect((await project.run("run", "listing.ts")).exitCode).toBe(0);

  const script = `"$@" items last/each --jsonl | head -n 1`;
  const child = spawn("bash", ["-o", "pipefail", "-c", script, "bash", ...COMMAND], {
    cwd: project.folder,
    env: plainEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));

  expect(JSON.parse(stdout)).toMatchObject({ key: "row-0" });
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
});

test("all of a long answer is written before the process ends", async () => {
  const project = makeProject();
  writeFileSync(join(project.folder, "listing.ts"), LISTING);
  await project.run("run", "listing.ts");

  const { exitCode, stdout } = await project.run("items", "last/each", "--jsonl");

  expect(exitCode).toBe(0);
  expect(stdout.trimEnd().split("\n")).toHaveLength(3_000);
});

test("timers and connections that user code leaves open do not keep the process", async () => {
  const project = makeProject();
  writeFileSync(
    join(project.folder, "leaky.ts"),
    `import { definePipeline } from "millrace";
setInterval(() => {}, 1000);
export const leaky = definePipeline({ name: "leaky", stages: [{ id: "a", run: () => 1 }] });`,
  );

  expect((await project.run("run", "leaky.ts")).exitCode).toBe(0);
});

test("an error that user code throws outside any stage is exit 6, told once, and the run can be resumed", async () => {
  const project = makeProject();
  writeFileSync(
    join(project.folder, "stray.ts"),
    `import { existsSync } from "node:fs";
import { definePipeline } from "millrace";
export const stray = definePipeline({ name: "stray", stages: [
  { id: "a", run: () => 1 },
  { id: "b", needs: ["a"], run: async () => {
    if (existsSync("mended")) return 2;
    setImmediate(() => { throw new Error("nobody catches this"); });
    return new Promise(() => {});
  } },
] });`,
  );

  const broken = await project.run("run", "stray.ts");
  const why = await project.run("why", "last");
  project.touch("mended");
  const resumed = await project.run("resume");

  expect(broken.exitCode).toBe(6);
  expect(broken.stderr).toContain(
    "error: Error: nobody catches this\n  code   INTERNAL (exit 6)\n",
  );
  expect(broken.stderr.match(/nobody catches this/g)?.length).toBeLessThanOrEqual(2);
  expect(why.stdout).toContain("1 is interrupted");
  expect(resumed.exitCode).toBe(0);
});

test("usage faults end the process with 2, the version with 0", async () => {
  const project = makeProject();

  expect((await project.run("rnu")).exitCode).toBe(2);
  expect(await project.run("--version")).toMatchObject({ exitCode: 0, stderr: "" });
});
