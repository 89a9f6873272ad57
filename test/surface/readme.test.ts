// The README's program runs, and every command it prints works as it stands, in the order it is printed.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { commandWords } from "../support/suite-package.ts";

const run = promisify(execFile);
mkdirSync("test/.tmp", { recursive: true });
const folder = mkdtempSync(resolve("test/.tmp/readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readme = readFileSync("README.md", "utf8");
const node = (args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
  run(process.execPath, ["--conditions=@millrace/source", ...args], { cwd: folder });

test("R299: the README's program runs and its commands work as they stand", async () => {
  const program = /```ts\n(\/\/ survey\.ts\n[\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(program).toContain('pipeline("survey"');
  writeFileSync(join(folder, "survey.ts"), program);
  mkdirSync(join(folder, "in"));
  writeFileSync(join(folder, "in", "a.txt"), "a");
  writeFileSync(join(folder, "in", "b.txt"), "bbb");

  writeFileSync(join(folder, "inputs.jsonl"), '{"id":"one","folder":"in"}\n{"folder":"."}\n');

  const call =
    'import { survey } from "./survey.ts"; console.log((await survey.run({ folder: "in" })).unwrap().report);';
  writeFileSync(join(folder, "call.ts"), call);
  expect((await node(["call.ts"])).stdout).toBe("2 files, the largest is b.txt\n");

  const commands = [...readme.matchAll(/^\| `(npx millrace [^`]+)` +\|/gm)].map(
    ([, line = ""]) => line,
  );
  expect(commands.length).toBeGreaterThan(8);
  for (const line of commands) {
    const args = splitArguments(line).slice(2);
    if (args[0] === "serve") writeFileSync(join(folder, "millrace.config.ts"), CONFIG);
    const isLasting = ["serve", "worker"].includes(args[0] ?? "") || args.includes("--follow");
    const stderr = isLasting ? await interrupt(args) : await runToEnd(args);
    expect(stderr, line).not.toContain("error:");
  }
});

/** The service names its pipelines and schedules in a file. */
const CONFIG = `import { defineConfig } from "millrace";
import { survey } from "./survey.ts";
export default defineConfig({
  pipelines: [survey],
  schedules: { nightly: { pipeline: "survey", dailyAt: "02:30", input: { folder: "in" } } },
});
`;

async function runToEnd(args: readonly string[]): Promise<string> {
  return (await run(process.execPath, [...commandWords(), ...args], { cwd: folder })).stderr;
}

/** What a command that goes on for ever says before it is asked to end, once it has said anything. */
async function interrupt(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [...commandWords(), ...args], {
    cwd: folder,
    env: { ...process.env, MILLRACE_SERVER__PORT: "0" },
  });
  let stderr = "";
  const said = Promise.withResolvers<void>();
  child.stdout.on("data", () => said.resolve());
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
    said.resolve();
  });
  const ended = once(child, "exit");
  await Promise.race([said.promise, ended]);
  child.kill("SIGINT");
  const [code] = await ended;
  expect([0, 130], stderr).toContain(code);
  return stderr;
}

test("the README's second program runs, and started again it answers from what it kept", async () => {
  const program = /```ts\n(\/\/ checksums\.ts\n[\s\S]*?)```/.exec(readme)?.[1] ?? "";
  writeFileSync(join(folder, "checksums.ts"), program);
  expect((await node(["checksums.ts"])).stdout).toBe("2 checksums\n");
  expect((await node(["checksums.ts"])).stdout).toBe("2 checksums\n");
});

test("the README's two commands are scripts of the package", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
    scripts: Record<string, string>;
  };
  expect(readme).toContain("npm ci && npm start");
  expect(readme).toContain("npm ci && npm test");
  expect(scripts["start"]).toContain("examples/01-design-tokens");
  expect(scripts["test"]).toContain("vitest");
});

/** Words of a command line; single quotes group. */
function splitArguments(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}
