// A small tree in the temporary folder, for tests of the checking scripts: every rule is tried on a
// planted fault, because a checker that sees nothing also finds nothing.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A tree that deletes itself at the end of a `using` block. */
export interface PlantedTree extends Disposable {
  readonly root: string;
}

/** Writes the files, by relative path, into a new folder. */
export function plant(files: Readonly<Record<string, string>>): PlantedTree {
  const root = mkdtempSync(join(tmpdir(), "millrace-planted-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

/** How a script ended and what it printed. */
export interface EndedScript {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the scripts beside this file as its command line would. */
export function runScript(name: string, args: readonly string[]): Promise<EndedScript> {
  const script = join(import.meta.dirname, name);
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, ...args], (_error, stdout, stderr) => {
      resolve({ exitCode: child.exitCode, stdout, stderr });
    });
  });
}
