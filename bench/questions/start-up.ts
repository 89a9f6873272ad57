// How long does `millrace run` of a trivial pipeline take beside bare `node -e 0`: until its first stage runs, and
// as a whole process with the closing block, the last commit and the checkpoint of the store?

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { printConditions, printFigures, printTarget, summarize } from "../lib/measure.ts";

const ROUNDS = 15;

const PROGRAM = `import { pipeline, stage } from "millrace";
const hello = stage("hello", {}, () => "hello");
export const trivial = pipeline("trivial", { output: { hello } });
`;

function time(args: readonly string[], cwd: string): number {
  const startedMs = performance.now();
  execFileSync(process.execPath, [...args], { cwd, stdio: "ignore" });
  return performance.now() - startedMs;
}

/** Until the process says that its first stage runs; the process is left to end on its own. */
async function timeToStage(args: readonly string[], cwd: string): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...args], { cwd, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  let tookMs = Number.NaN;
  for await (const chunk of child.stderr) {
    said += String(chunk);
    if (Number.isNaN(tookMs) && said.includes("stage hello started")) {
      tookMs = performance.now() - startedMs;
    }
  }
  return tookMs;
}

/** Answers whether the floor was met. */
export async function ask(): Promise<boolean> {
  printConditions("start-up: whole process, ms; `dist` built, compile cache warm");
  const folder = mkdtempSync(join(tmpdir(), "millrace-start-up-"));
  try {
    writeFileSync(join(folder, "trivial.mjs"), PROGRAM);
    const command = resolve("bench", "lib", "built.js");
    const memory = [command, "run", "./trivial.mjs", "--store", "memory:"];
    const sqlite = [command, "run", "./trivial.mjs"];
    const samples = {
      bare: [] as number[],
      memory: [] as number[],
      sqlite: [] as number[],
      stage: [] as number[],
    };
    for (let round = 0; round < 3; round += 1)
      for (const args of [memory, sqlite]) time(args, folder);
    for (let round = 0; round < ROUNDS; round += 1) {
      samples.bare.push(time(["-e", "0"], folder));
      samples.memory.push(time(memory, folder));
      samples.sqlite.push(time(sqlite, folder));
      samples.stage.push(await timeToStage(sqlite, folder));
    }
    const figures = [
      summarize("node -e 0", samples.bare),
      summarize("millrace run, memory:", samples.memory),
      summarize("millrace run, sqlite:", samples.sqlite),
      summarize("  to its first stage", samples.stage),
    ];
    printFigures(figures, "ms");
    const bare = figures[0]?.median ?? Number.NaN;
    const over = (index: number): number => (figures[index]?.median ?? Number.NaN) / bare;
    const isMet = printTarget("start of a run over bare node", over(3), 2.5);
    return printTarget("whole run over bare node", over(2), 2.5) && isMet;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
