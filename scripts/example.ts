// Runs one of the bundled examples from source, as the command would run it for a user. An example that needs more
// than one run (a server, a queue) has a `main.ts`, which is started instead.
//
//   npm run example 01-design-tokens -- --json    what follows the name goes to `millrace run`, or to `main.ts`

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
  const own = join("examples", name, "main.ts");
  const program = existsSync(join(ROOT, own)) ? [own] : ["src/cli/main.ts", "run", config];
  const args = ["--conditions=@millrace/source", ...program, ...rest];
  const ended = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  process.exitCode = ended.status ?? 1;
} else {
  process.stderr.write(
    `error: there is no example "${name}"\n  known  ${listExamples().join(", ")}\n`,
  );
  process.exitCode = 2;
}
