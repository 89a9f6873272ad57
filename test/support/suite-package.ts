// Before the tests that start the command: the package as users get it, bundled from the sources of this moment into a
// folder of this run of the suite. A start of it costs less than half of a start from the sources, and what is tested
// is what is shipped. Outside of the suite, where nothing made it, the sources are started; so they are while they do not
// fit together, since most tests can say something then too. That the package can be made is checked apart.

import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../../scripts/bundle.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The variable that tells the suite's processes where the package lies. */
const VARIABLE = "MILLRACE_SUITE_PACKAGE";

/** Makes the package; answers what removes it. */
export async function setup(): Promise<() => void> {
  const parent = join(ROOT, "test", ".tmp");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "package-"));
  copyFileSync(join(ROOT, "package.json"), join(folder, "package.json"));
  try {
    await bundle(join(folder, "dist"));
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
  if (folder === undefined) {
    return ["--conditions=@millrace/source", join(ROOT, "src", "cli", "main.ts")];
  }
  return [join(folder, "dist", "cli", "main.js")];
}
