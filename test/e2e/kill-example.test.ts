// The design tokens, killed five times at random moments by SIGKILL and gone on with by the command: the same
// bytes as without. The seed is the day's own unless KILL_SEED gives one; a failure names it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, test } from "vitest";
import { makeSeededRandom } from "../../src/std/random.ts";
import { commandWords } from "../support/suite-package.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CONFIG = join("examples", "01-design-tokens", "millrace.config.ts");
const KILLS = 5;
/** Latest moment of a kill, ms after the run began to work: about its length on a quiet machine. */
const KILL_MS_MAX = 1_500;

interface Ended {
  readonly code: number | null;
  readonly isKilled: boolean;
  readonly stderr: string;
}

function millrace(args: readonly string[], killAfterMs?: number): Promise<Ended> {
  const child = spawn(process.execPath, [...commandWords(), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "millrace-kill-compiled") },
  });
  let stderr = "";
  let isArmed = killAfterMs !== undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    // The first line of a run says that it began.
    if (!isArmed || !/ run \S+ (started|resumed)/.test(stderr)) return;
    isArmed = false;
    setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, isKilled: signal === "SIGKILL", stderr }));
  });
}

function readBytes(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "base64")]),
  );
}

test("R259: the example ends with the same bytes after five kills", async () => {
  const seed = Number(process.env["KILL_SEED"] ?? Math.floor(Math.random() * 1_000_000));
  const random = makeSeededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), "millrace-kill-example-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const out = join(folder, "out");
  const input = ["--input", JSON.stringify({ out })];
  const inStore = (name: string): string[] => [
    "--store",
    `sqlite:${join(folder, name, "store.db")}`,
  ];

  const plain = await millrace(["run", CONFIG, ...input, ...inStore("plain")]);
  assert.equal(plain.code, 0, plain.stderr);
  const wanted = readBytes(out);
  rmSync(out, { recursive: true, force: true });

  let kills = 0;
  let isBegun = false;
  const said: string[] = [];
  const goOn = (): string[] =>
    isBegun
      ? ["resume", "--config", CONFIG, ...inStore("killed")]
      : ["run", CONFIG, ...input, ...inStore("killed")];
  while (kills < KILLS) {
    const ended = await millrace(goOn(), Math.floor(random.float() * KILL_MS_MAX));
    said.push(ended.stderr);
    if (ended.isKilled) {
      kills += 1;
      isBegun = true;
    } else {
      assert.equal(ended.code, 0, `seed ${seed}: ${ended.stderr}`);
      // It got through: the next one begins anew, over the same files.
      isBegun = false;
      rmSync(out, { recursive: true, force: true });
    }
  }
  const last = await millrace(goOn());
  assert.equal(last.code, 0, `seed ${seed}: ${said.join("\n")}\n${last.stderr}`);
  assert.deepEqual(readBytes(out), wanted, `seed ${seed}`);
});
