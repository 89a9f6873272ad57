// For the tests: the programs of this example in processes of their own, each on a store and a folder of the test's.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** Path of the example's configuration from the root of the repository. */
export const CONFIG: string = join("examples", "02-market-data", "millrace.config.ts");

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program under way. */
export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** A store, a folder for results, and programs that know them. */
export interface Place {
  readonly folder: string;
  readonly out: string;
  readonly bars: string;
  /** `sqlite:PATH` */
  readonly store: string;
  /** Starts a program of the repository: its path from the root and its arguments. */
  start(...words: readonly string[]): Started;
  /** Runs `millrace` to its end. */
  millrace(...words: readonly string[]): Promise<Ended>;
  remove(): void;
}

/** Those process groups that still have a process. One that has ended and only waits to be noticed is none. */
export function listAlive(groups: readonly number[]): number[] {
  const { stdout } = spawnSync("ps", ["-eo", "pgid=,stat="], { encoding: "utf8" });
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  if (rows.length < 2) throw new Error(`ps lists no processes: "${stdout}"`);
  const alive = rows.flatMap(([group, state = ""]) => (state.startsWith("Z") ? [] : Number(group)));
  return groups.filter((group) => alive.includes(group));
}

/** Makes one. Remove it when it is done with. */
export function makePlace(variables: Readonly<Record<string, string>> = {}): Place {
  const folder = mkdtempSync(join(tmpdir(), "market-data-"));
  const out = join(folder, "out");
  const env = { ...process.env, MARKET_DATA_OUT: out, ...variables };
  const store = `sqlite:${join(folder, "store.db")}`;
  const start = (...words: readonly string[]): Started =>
    startProgram([...words, "--store", store], env);
  return {
    folder,
    out,
    bars: join(out, "bars"),
    store,
    start,
    millrace: (...words) => start(join("src", "cli", "main.ts"), ...words).ended,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function startProgram(words: readonly string[], env: NodeJS.ProcessEnv): Started {
  const child = spawn(process.execPath, ["--conditions=@millrace/source", ...words], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (piece: Buffer) => (stdout += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}
