// How long does the compiler take over 500 stages? Needs a build (`npm run build`).

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printConditions, printFigures, printTarget, summarize } from "../lib/measure.ts";

const STAGES = 500;
const ROUNDS = 5;

/** Blocks of five: plain, soft, a reader of both, a list, a map over it; the next block reads them. */
function writeProgram(stages: number): string {
  const lines = [
    'import { input, map, pipeline, stage } from "millrace";',
    "const source = input<{ readonly n: number }>();",
    'const c0 = stage("c0", { needs: { source } }, ({ source }) => ({ n: source.n, rows: [{ id: "a" }] }));',
  ];
  const blocks = Math.max(1, Math.floor((stages - 1) / 5));
  for (let index = 1; index <= blocks; index += 1) {
    const before = `c${index - 1}`;
    lines.push(
      `const a${index} = stage("a${index}", { needs: { ${before} } }, ({ ${before} }) => ({ n: ${before}.n + 1 }));`,
      `const b${index} = stage("b${index}", { needs: { ${before} }, critical: false }, ({ ${before} }) => ${before}.n);`,
      `const l${index} = stage("l${index}", { needs: { ${before} } }, ({ ${before} }) => ${before}.rows);`,
      `const m${index} = map("m${index}", { needs: { a${index} }, over: l${index}, key: (row) => row.id, concurrency: 8 }, (row, needs) => row.id.length + needs.a${index}.n);`,
      `const c${index} = stage("c${index}", { needs: { a${index}, b${index}, m${index} } }, ({ a${index}, b${index}, m${index} }) => ({ n: a${index}.n + (b${index}.value ?? 0) + m${index}.length, rows: [{ id: "b" }] }));`,
    );
  }
  lines.push(
    `export const all = pipeline("all", { input: source, output: { last: c${blocks} } });`,
  );
  return lines.join("\n");
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
      // As a user's compiler meets them: the declarations of the build, not our sources.
      compilerOptions: { isolatedDeclarations: false, declaration: false, customConditions: [] },
      include: ["./*.ts"],
    });
    for (const [path, stages] of [
      [folder, STAGES],
      [empty, 6],
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
      summarize("6 stages", samples.small),
      summarize(`${STAGES} stages`, samples.large),
    ];
    printFigures(figures, "ms");
    return printTarget(`${STAGES} stages, ms`, figures[1]?.median ?? Number.NaN, 3_000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(empty, { recursive: true, force: true });
  }
}
