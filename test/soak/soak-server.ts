// The server of a soak: `millrace serve` on loopback, in a process and a folder of its own, and what it uses.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
/** Time in which it begins to listen, or ends after a signal, ms. */
const TURN_MS_MAX = 60_000;

/** What the process says of itself. */
export interface ServerFigures {
  readonly cpuPercent: number;
  readonly rssMb: number;
  readonly heapMb: number;
  readonly handles: number;
  readonly files: number;
}

/** A server under way. */
export interface SoakServer {
  readonly url: string;
  readonly token: string;
  /** What of a core was used since the last call; the rest as it is now; undefined: nothing was said. */
  takeFigures(): ServerFigures | undefined;
  walMb(): number;
  storeMb(): number;
  /** What it has said that is not a line of counts. */
  remarks(): readonly string[];
  /** Ends it as a service manager would; its exit code. */
  stop(): Promise<number | null>;
}

/** Starts it. */
export async function startSoakServer(folder: string): Promise<SoakServer> {
  const store = join(folder, "store.db");
  const figures = join(folder, "figures.jsonl");
  const child = spawnServer(store, figures);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdout?.resume();
  const exited = once(child, "exit");
  const ended = exited.then(([code]: unknown[]) => (typeof code === "number" ? code : null));
  const url = await waitForUrl(child, () => stderr);
  let taken = 0;
  return {
    url,
    token: readFileSync(join(folder, "token"), "utf8").trim(),
    takeFigures: () => {
      const lines = readLines(figures);
      const fresh = lines.slice(taken);
      taken = lines.length;
      const last = fresh.at(-1);
      if (last === undefined) return undefined;
      const cpu = fresh.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0) / fresh.length;
      return { ...last, cpuPercent: cpu };
    },
    walMb: () => sizeMb(`${store}-wal`),
    storeMb: () => sizeMb(store),
    remarks: () => stderr.split("\n").filter((line) => /error|warn|trouble|no work/i.test(line)),
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), TURN_MS_MAX);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
  };
}

function spawnServer(store: string, figures: string): ChildProcess {
  const args = [
    "--conditions=@millrace/source",
    "--import",
    join(import.meta.dirname, "sampler.ts"),
    join(ROOT, "src", "cli", "main.ts"),
    "serve",
    "--port",
    "0",
    "--config",
    join(import.meta.dirname, "millrace.config.ts"),
    "--store",
    `sqlite:${store}`,
  ];
  return spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", LANG: "C.UTF-8", SOAK_FIGURES: figures },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function waitForUrl(child: ChildProcess, said: () => string): Promise<string> {
  const untilMs = performance.now() + TURN_MS_MAX;
  while (performance.now() < untilMs && child.exitCode === null) {
    const [, url] = /(http:\/\/127\.0\.0\.1:\d+)\/ /.exec(said()) ?? [];
    if (url !== undefined) return url;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGKILL");
  throw new Error(`The server does not listen. It says:\n${said()}`);
}

function readLines(path: string): readonly ServerFigures[] {
  try {
    const lines = readFileSync(path, "utf8").split("\n");
    // What is after the last line break is not written to its end.
    return lines.slice(0, -1).map((line): ServerFigures => JSON.parse(line));
  } catch {
    return [];
  }
}

function sizeMb(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) / 2 ** 20;
}
