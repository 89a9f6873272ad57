// Runs one of the bundled examples from source, as the command would run it for a user.
//
//   npm run example 01-design-tokens -- --json    what follows the name goes to `millrace run`

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/** Folders of `examples/` that hold a configuration, in order. */
function listExamples(): string[] {
  const folder = join(ROOT, "examples");
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "millrace.config.ts")))
    .toSorted();
}

const [name = "", ...rest] = process.argv.slice(2);
if (listExamples().includes(name)) {
  const config = join("examples", name, "millrace.config.ts");
  const args = ["--conditions=@millrace/source", "src/cli/main.ts", "run", config, ...rest];
  const ended = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  process.exitCode = ended.status ?? 1;
} else {
  process.stderr.write(
    `error: there is no example "${name}"\n  known  ${listExamples().join(", ")}\n`,
  );
  process.exitCode = 2;
}
