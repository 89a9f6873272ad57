// Completion as a shell asks for it: names of a project, nothing written, nothing said about what is wrong.

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { COMMAND } from "../support/command.ts";
import { readTree, startHost } from "../support/host.ts";

const CONFIG = `
import { defineConfig, pipeline, stage } from "millrace";
console.log("what a file says by itself");
const fetched = stage("fetched", {}, () => 1);
const parsed = stage("parsed", { needs: { fetched } }, () => 2);
const crawl = pipeline("crawl", { output: { parsed } });
export default defineConfig({
  pipelines: [crawl],
  schedules: { nightly: { pipeline: "crawl", dailyAt: "02:30" } },
});
`;

const host = startHost({ "millrace.config.ts": CONFIG });

afterAll(() => host.close());

async function complete(folder: string, ...words: readonly string[]): Promise<readonly string[]> {
  const answer = await host.call(["complete", "--", ...words], { folder });
  expect([answer.exitCode, answer.stderr]).toEqual([0, ""]);
  const lines = answer.stdout.split("\n").filter((line) => line.includes("\t"));
  return lines.map((line) => line.split("\t")[0] ?? "");
}

test("pipelines, stages, schedules and runs of a project are offered, and nothing is written", async () => {
  const { folder } = host;
  await complete(folder, "run", "");
  const before = readTree(folder);
  expect(await complete(folder, "run", "")).toEqual(["crawl"]);
  expect(await complete(folder, "run", "crawl", "--until", "")).toEqual(["fetched", "parsed"]);
  expect(await complete(folder, "schedule", "trigger", "")).toEqual(["nightly"]);
  expect(await complete(folder, "show", "")).toEqual(["crawl"]);
  expect(readTree(folder)).toEqual(before);

  expect((await host.call(["run", "crawl"])).exitCode).toBe(0);
  const stored = readTree(folder);
  expect(await complete(folder, "show", "")).toEqual(["crawl", "last", "1"]);
  expect(await complete(folder, "show", "last/")).toEqual(["last/fetched", "last/parsed"]);
  expect(readTree(folder)).toEqual(stored);
});

test("a configuration that is broken, or that does not end, is passed over in silence", async () => {
  const broken = host.makeFolder({ "millrace.config.ts": "export default {" });
  expect(await complete(broken, "run", "")).toEqual([]);
  const endless = host.makeFolder({ "millrace.config.ts": "await new Promise(() => {});" });
  expect(await complete(endless, "run", "")).toEqual([]);
  expect(await complete(endless, "resu")).toEqual(["resume"]);
});

test("the script of each shell is printed, and one that is not known is refused", async () => {
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const { exitCode, stdout } = await host.call(["completion", shell]);
    expect([exitCode, stdout.includes("complete --")]).toEqual([0, true]);
  }
  const { exitCode, stderr } = await host.call(["completion", "tcsh"]);
  expect([exitCode, stderr.includes('got "tcsh"')]).toEqual([2, true]);
});

test("bash completes with the script, by the command of the project", async () => {
  const { folder } = host;
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  const command = join(folder, "node_modules/.bin/millrace");
  const words = COMMAND.map((word) => `"${word}"`).join(" ");
  writeFileSync(command, `#!/bin/sh\nexec ${words} "$@"\n`);
  chmodSync(command, 0o755);
  const { stdout } = await host.call(["completion", "bash"]);
  writeFileSync(join(folder, "completion.bash"), stdout);
  const asked = `source ./completion.bash; COMP_WORDS=(millrace schedule ena); COMP_CWORD=2
    _millrace; echo "\${COMPREPLY[@]}"`;
  const said = execFileSync("bash", ["-c", asked], { cwd: folder, encoding: "utf8" });
  expect(said.trim()).toBe("enable");
});

test.each(["bash", "zsh", "fish"])(
  "%s, where it is installed, can read its script",
  async (shell) => {
    const { stdout } = await host.call(["completion", shell]);
    const read = spawnSync(shell, ["-n"], { input: stdout, encoding: "utf8" });
    if (read.error === undefined) expect([read.status, read.stderr]).toEqual([0, ""]);
  },
);
