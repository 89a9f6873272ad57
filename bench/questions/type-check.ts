// How long does the compiler take over 500 stages?

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printConditions, printFigures, printTarget, summarize } from "../lib/measure.ts";

const STAGES = 500;
const ROUNDS = 5;

function writeProgram(stages: number): string {
  const lines = [
    'import { input, map, pipeline, stage } from "millrace";',
    "const source = input<{ n: number }>();",
  ];
  lines.push(
    'const s0 = stage("s0", { needs: { source } }, ({ source }) => ({ n: source.n, list: [1, 2] }));',
  );
  for (let index = 1; index < stages; index += 1) {
    const before = `s${index - 1}`;
    if (index % 10 === 5) {
      lines.push(
        `const m${index} = map("m${index}", { needs: { ${before} }, over: ${before}list, key: (item) => String(item) }, (item, needs) => item + needs.${before}.n);`,
      );
    }
    if (index % 10 === 4)
      lines.push(
        `const s${index}list = stage("s${index}list", { needs: { ${before} } }, ({ ${before} }) => ${before}.list);`,
      );
    const soft = index % 7 === 3 ? ", critical: false" : "";
    const read = (index - 1) % 7 === 3 && index > 1 ? `${before}.value?.n ?? 0` : `${before}.n`;
    lines.push(
      `const s${index} = stage("s${index}", { needs: { ${before} }${soft} }, ({ ${before} }) => ({ n: ${read}, list: [1] }));`,
    );
  }
  lines.push(
    `export const all = pipeline("all", { input: source, output: { last: s${stages - 1} } });`,
  );
  // Maps read the list of the stage before the soft ones, which is always plain.
  return lines.filter((line) => !line.startsWith("const m")).join("\n");
}

function time(folder: string): number {
  const startedMs = performance.now();
  execFileSync(process.execPath, [join("node_modules", "typescript", "bin", "tsc"), "-p", folder], {
    stdio: "inherit",
  });
  return performance.now() - startedMs;
}

/** Answers whether the floor was met. */
export function ask(): boolean {
  printConditions(`types: tsc --noEmit over ${STAGES} generated stages, ms`);
  const folder = mkdtempSync(join("bench", "types-"));
  const empty = mkdtempSync(join("bench", "types-"));
  try {
    const config = JSON.stringify({
      extends: "../../tsconfig.json",
      compilerOptions: { isolatedDeclarations: false, declaration: false },
      include: ["./*.ts"],
    });
    for (const [path, stages] of [
      [folder, STAGES],
      [empty, 1],
    ] as const) {
      writeFileSync(join(path, "program.ts"), writeProgram(stages));
      writeFileSync(join(path, "tsconfig.json"), config);
    }
    const samples: { small: number[]; large: number[] } = { small: [], large: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      samples.small.push(time(empty));
      samples.large.push(time(folder));
    }
    const figures = [
      summarize("1 stage", samples.small),
      summarize(`${STAGES} stages`, samples.large),
    ];
    printFigures(figures, "ms");
    return printTarget(`${STAGES} stages, ms`, figures[1]?.median ?? Number.NaN, 3_000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(empty, { recursive: true, force: true });
  }
}
