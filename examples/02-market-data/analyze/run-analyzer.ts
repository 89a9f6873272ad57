// Runs the analyzer in a process group of its own. When the attempt is aborted, as by its timeout, the whole group ends:
// the analyzer, and whatever it has started.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { getCompileCacheDir } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import type { Context } from "millrace";
import * as z from "zod";
import { ANALYSIS_COLUMNS, type AnalysisRow } from "./analyze-day.ts";
import type { AnalyzerRequest } from "./main.ts";

const PROGRAM = join(import.meta.dirname, "main.ts");

const ROWS: z.ZodType<AnalysisRow[]> = z.array(z.record(z.enum(ANALYSIS_COLUMNS), z.string()));

/** The rows it gives. Throws what it said last when it ends in any other way than well. */
export async function runAnalyzer(
  request: AnalyzerRequest,
  context: Context,
): Promise<AnalysisRow[]> {
  const { signal } = context;
  signal.throwIfAborted();
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(request)], {
    detached: true,
    env: makeEnvironment(),
    stdio: ["pipe", "pipe", "pipe"],
  });
  const { pid } = child;
  const ended = once(child, "close");
  const stop = (): void => endGroup(pid);
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (pid !== undefined) context.emit("analyzer.started", { pid });
    const [rows, said] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    signal.throwIfAborted();
    if (child.exitCode === 0) return ROWS.parse(JSON.parse(rows));
    const how = child.signalCode ?? `exit code ${child.exitCode}`;
    throw new Error(`the analyzer ended with ${how}: ${said.trim().slice(-2_000)}`);
  } finally {
    signal.removeEventListener("abort", stop);
    // Also of one that ended by itself: a helper it left behind belongs to it.
    stop();
  }
}

/** Nothing of ours but where programs lie, and what was compiled before. */
function makeEnvironment(): Record<string, string | undefined> {
  const cache = getCompileCacheDir();
  const path = { PATH: process.env["PATH"] };
  return cache === undefined ? path : { ...path, NODE_COMPILE_CACHE: cache };
}

/** Ends every process of a group. One that has ended already is no fault. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return;
    throw error;
  }
}
