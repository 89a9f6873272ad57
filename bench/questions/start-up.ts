// How long does `millrace run` of a trivial pipeline take beside bare `node -e 0`, as whole processes?

import { execFileSync } from "node:child_process";
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

/** Answers whether the floor was met. */
export function ask(): boolean {
  printConditions("start-up: whole process, ms; `dist` built, compile cache warm");
  const folder = mkdtempSync(join(tmpdir(), "millrace-start-up-"));
  try {
    writeFileSync(join(folder, "trivial.mjs"), PROGRAM);
    const command = resolve("bench", "lib", "built.js");
    const memory = [command, "run", "./trivial.mjs", "--store", "memory:"];
    const sqlite = [command, "run", "./trivial.mjs"];
    const samples = { bare: [] as number[], memory: [] as number[], sqlite: [] as number[] };
    for (let round = 0; round < 3; round += 1)
      for (const args of [memory, sqlite]) time(args, folder);
    for (let round = 0; round < ROUNDS; round += 1) {
      samples.bare.push(time(["-e", "0"], folder));
      samples.memory.push(time(memory, folder));
      samples.sqlite.push(time(sqlite, folder));
    }
    const figures = [
      summarize("node -e 0", samples.bare),
      summarize("millrace run, memory:", samples.memory),
      summarize("millrace run, sqlite:", samples.sqlite),
    ];
    printFigures(figures, "ms");
    const bare = figures[0]?.median ?? Number.NaN;
    return printTarget("run over bare node", (figures[2]?.median ?? Number.NaN) / bare, 2.5);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
