// Before the tests that start the command: the package as users get it, bundled from the sources of this moment into a
// folder of this run of the suite. A start of it costs less than half of a start from the sources, and what is tested
// is what is shipped. Outside of the suite, where nothing made it, the sources are started; so they are while they do not
// fit together, since most tests can say something then too. That the package can be made is checked apart.

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { bundle } from "../../scripts/bundle.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What Node needs to take the package's doors from the sources. */
const FROM_SOURCES = "--conditions=@millrace/source";

/** The variable that tells the suite's processes where the package lies. */
const VARIABLE = "MILLRACE_SUITE_PACKAGE";

/** Programs that tests start again and again: bundled with it, a start of them costs as little. */
const PROGRAMS: readonly string[] = [
  "test/chaos/disk-program.ts",
  "test/chaos/flip-program.ts",
  "test/chaos/program.ts",
  "test/e2e/kill/kill-program.ts",
  "test/support/blocking-process.ts",
  "test/support/command-host.ts",
  "test/support/durable/durable-process.ts",
  "test/support/poison/poison-process.ts",
  "test/support/resources/resource-process.ts",
];

/** Makes the package; answers what removes it. */
export async function setup(): Promise<() => void> {
  const parent = join(ROOT, "test", ".tmp");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "package-"));
  copyFileSync(join(ROOT, "package.json"), join(folder, "package.json"));
  try {
    await bundle(
      join(folder, "dist"),
      Object.fromEntries(PROGRAMS.map((path) => [nameOf(path), path])),
    );
    process.env[VARIABLE] = folder;
  } catch (error) {
    process.stderr.write(
      `The sources are started as they are, for they make no package: ${String(error)}\n`,
    );
  }
  return () => rmSync(folder, { recursive: true, force: true });
}

/** Words after `node` that start the command. */
export function commandWords(): readonly string[] {
  const folder = process.env[VARIABLE];
  if (folder === undefined) return [FROM_SOURCES, join(ROOT, "src", "cli", "main.ts")];
  return [join(folder, "dist", "cli", "main.js")];
}

/** Words after `node` that start one of the programs, by the path of its source. */
export function programWords(path: string): readonly string[] {
  const folder = process.env[VARIABLE];
  const own = relative(ROOT, path);
  assert(PROGRAMS.includes(own), `The suite bundles no ${own}.`);
  return folder === undefined ? [FROM_SOURCES, path] : [join(folder, "dist", `${nameOf(own)}.js`)];
}

/** Where a program lies below the folder of the bundle. */
function nameOf(path: string): string {
  return `programs/${path.replaceAll("/", "-").slice(0, -".ts".length)}`;
}
