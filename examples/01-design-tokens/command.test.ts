// The example as people start it: by the command, from source, in a process of its own.
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { commandWords } from "../../test/support/suite-package.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CONFIG = join("examples", "01-design-tokens", "millrace.config.ts");

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "design-tokens-"));
  await mkdir(join(folder, "images"));
  const name = "logo2.png";
  await cp(join(import.meta.dirname, "fixtures", "brand", name), join(folder, "images", name));
});
afterEach(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `millrace` with a store of this test's own. */
function millrace(...args: readonly string[]): Ended {
  const flags = [...commandWords(), ...args];
  const store = args[0] === "graph" ? [] : ["--store", `sqlite:${join(folder, "store.db")}`];
  const options = { cwd: ROOT, encoding: "utf8" } as const;
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, ...store],
    options,
  );
  return { code: status, signal, stdout, stderr };
}

function toInput(fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ images: join(folder, "images"), out: join(folder, "out"), ...fields });
}

test("R300: the command runs it, exits 0 and names the report", async () => {
  const { code, stderr } = millrace("run", CONFIG, "--input", toInput());
  expect(code).toBe(0);
  expect(stderr).toContain(join(folder, "out", "report.html"));
  expect(await readdir(join(folder, "out"))).toContain("report.html");
});

test("R56: run --skip validate,generate exits 0 with two stages skipped", () => {
  const args = ["--input", toInput(), "--skip", "validate,generate", "--json"];
  const { code, stdout } = millrace("run", CONFIG, ...args);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    stages: [
      { stage: "preprocess", state: "succeeded" },
      { stage: "extract", state: "succeeded" },
      { stage: "aggregate", state: "succeeded" },
      { stage: "validate", state: "skipped" },
      { stage: "generate", state: "skipped" },
    ],
  });
});

test("R18: plan shows five stages in a row, extract as a map", () => {
  const { code, stdout } = millrace("plan", CONFIG, "--input", toInput());
  expect(code).toBe(0);
  const rows = stdout.split("\n").filter((line) => /^\s+\d/.test(line));
  expect(rows.map((row) => row.trim().split(/\s+/).slice(0, 3).join(" "))).toEqual([
    "1 preprocess run",
    "2 extract run",
    "3 aggregate run",
    "4 validate run",
    "5 generate run",
  ]);
  expect(rows[1]).toContain("its list is made when it starts");
  expect(stdout).not.toContain("no timeout");
  expect(millrace("graph", CONFIG).stdout).toContain("extract ×n");
});

test("R300: killed with -9, the command resumes it and writes the report", async () => {
  const faults = join(folder, "faults.json");
  await writeFile(faults, '[{"stage":"extract","item":"logo2.png/shape","do":"kill"}]');
  expect(millrace("run", CONFIG, "--input", toInput({ faults })).signal).toBe("SIGKILL");
  const { code, stderr } = millrace("resume", "last", "--config", CONFIG);
  expect(stderr).toContain("resum");
  expect(code).toBe(0);
  expect(await readdir(join(folder, "out"))).toContain("report.html");
});

test("a misspelt field of the input is refused with exit code 2, and nothing starts", () => {
  const { code, stderr } = millrace("run", CONFIG, "--input", '{"imges":"x"}');
  expect(code).toBe(2);
  expect(stderr).toContain("imges");
});
