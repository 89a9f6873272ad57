// The lock of the programme's folders: one process at a time, and none is kept out by a dead one.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, test } from "vitest";
import { lockFolder } from "./folder-lock.ts";
import { WORK_FOLDER } from "./suite.ts";

const MODULE = join(import.meta.dirname, "folder-lock.ts");
const PROGRAMME = join(import.meta.dirname, "main.ts");

function makeFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), "millrace-lock-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, "sweep-1");
}

/** Words of a process that tries for the lock, says how that went, and ends without giving it back. */
function toArguments(folder: string, last: string = ""): readonly string[] {
  const program = `
    import { lockFolder } from ${JSON.stringify(MODULE)};
    try {
      lockFolder(${JSON.stringify(folder)});
      console.log("mine " + process.pid);
    } catch (error) {
      console.log(error.message);
    }
    ${last}`;
  return ["--no-warnings", "--input-type=module", "-e", program];
}

test("a folder that is taken is refused with the pid that has it, and free once it is given back", () => {
  const folder = makeFolder();
  const release = lockFolder(folder);
  const refused = spawnSync(process.execPath, toArguments(folder), { encoding: "utf8" });
  assert.match(refused.stdout, new RegExp(`^Process ${process.pid} works in ".*/sweep-1"`));
  release();
  assert.equal(existsSync(`${folder}.lock`), false);
  lockFolder(folder)();
  assert.deepEqual(readdirSync(join(folder, "..")), []);
});

test("the lock of a process that is gone is taken over", () => {
  const folder = makeFolder();
  const { stdout } = spawnSync(process.execPath, toArguments(folder), { encoding: "utf8" });
  assert.match(stdout, /^mine \d+$/m);
  assert.match(readFileSync(`${folder}.lock`, "utf8"), new RegExp(`"pid":${stdout.slice(5, -1)},`));
  lockFolder(folder);
  assert.throws(() => lockFolder(folder), new RegExp(`Process ${process.pid} works in`));
});

test("a pid that came back, and a file that says nothing, keep nobody out", () => {
  const folder = makeFolder();
  lockFolder(folder);
  const former = JSON.parse(readFileSync(`${folder}.lock`, "utf8")) as { processStart: string };
  const processStart = former.processStart.replace(/^\d+/, "1");
  writeFileSync(`${folder}.lock`, JSON.stringify({ ...former, processStart }));
  lockFolder(folder);
  writeFileSync(`${folder}.lock`, "");
  lockFolder(folder);
  assert.equal(JSON.parse(readFileSync(`${folder}.lock`, "utf8")).pid, process.pid);
});

test("of many that find a dead one's lock at the same time, one takes it over", async () => {
  const folder = makeFolder();
  spawnSync(process.execPath, toArguments(folder));
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, toArguments(folder, "process.stdin.resume();"), {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  const said = children.map(
    (child) =>
      new Promise<string>((resolve) => child.stdout.setEncoding("utf8").once("data", resolve)),
  );
  // Nobody ends before all have tried.
  const lines = await Promise.all(said);
  const ended = children.map((child) => once(child, "exit"));
  for (const child of children) child.stdin.end();
  await Promise.all(ended);
  assert.equal(lines.filter((line) => line.startsWith("mine")).length, 1, lines.join(""));
  assert.equal(lines.filter((line) => line.includes("works in")).length, 3, lines.join(""));
});

test("the programme touches nothing where another run has its suite and seed", () => {
  const seed = 4_000_000_001;
  const folder = join(WORK_FOLDER, `flips-${seed}`);
  const release = lockFolder(folder);
  onTestFinished(release);
  const words = ["--conditions=@millrace/source", PROGRAMME, "flips", "--seed", String(seed)];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`Process ${process.pid} works in ".*flips-${seed}"`));
  assert.equal(existsSync(folder), false);
});
