// Command stages: runs a program as a child process in a group of its own, without a shell, and answers how
// it ended. When the answer is there, nothing of it is left: no process of the group, no timer, no listener.
// Start and end are here; what happens in between is in `command/running-command.ts`. A failure of the
// command is data, never thrown.

import { statSync } from "node:fs";
import { execa } from "execa";
import { ABORT_GRACE_MS_DEFAULT } from "../../model/defaults.ts";
import { isRecord } from "../../std/record.ts";
import { CommandError, quoteText, toError } from "./command/command-error.ts";
import { startOrphanGuard } from "./command/orphan-guard.ts";
import { type CommandPlan, planCommand } from "./command/plan.ts";
import type { CommandExit, CommandRequest, CommandResult } from "./command/request.ts";
import { RunningCommand, type StartedChild } from "./command/running-command.ts";

/**
 * Runs one attempt of a command stage. Resolves once its process group is gone: at most `graceMs` and about
 * three seconds after an abort. Rejects only with what the listener threw.
 */
export async function runCommand(request: CommandRequest): Promise<CommandResult> {
  const { signal, environment, graceMs = ABORT_GRACE_MS_DEFAULT } = request;
  if (signal.aborted) return failBefore(signal.reason);
  let plan: CommandPlan;
  try {
    plan = planCommand(request);
  } catch (error) {
    return failBefore(error);
  }
  // Before the command, so that there is hardly a moment in which nobody would end it.
  const guard = startOrphanGuard({ graceMs, path: environment["PATH"] });
  try {
    const child = tryStart(plan);
    if (!child.isStarted) return failBefore(await child.fault);
    guard.watch(child.pid);
    return await new RunningCommand(child, request).run();
  } finally {
    await guard.release();
  }
}

function failBefore(thrown: unknown): CommandResult {
  const error = toError(thrown);
  return { kind: "failed", error, stdoutTail: [], stderrTail: [], exitCode: null };
}

type Start =
  | ({ readonly isStarted: true } & StartedChild)
  | { readonly isStarted: false; readonly fault: Promise<unknown> };

/** Characters of one argument that no system takes: Linux takes 128 KiB, macOS 1 MiB of all, Windows 32 Ki. */
const ARGUMENT_CHARS_MAX = 1_048_576;

function tryStart(plan: CommandPlan): Start {
  // Not left to the system: execa quotes arguments for its texts first, and may run out of stack over a long one.
  if (plan.args.some(({ length }) => length > ARGUMENT_CHARS_MAX)) {
    return { isStarted: false, fault: Promise.resolve(describeFault({ code: "E2BIG" }, plan)) };
  }
  try {
    return startChild(plan);
  } catch (error) {
    // Nothing was even tried, as when our own folder is gone; the words are those of execa.
    return { isStarted: false, fault: Promise.resolve(error) };
  }
}

function startChild(plan: CommandPlan): Start {
  const child = execa(plan.program, plan.args, {
    env: plan.env,
    extendEnv: false,
    ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    encoding: "buffer",
    // Streams are read here, in pieces; execa would hold all of them.
    buffer: false,
    reject: false,
    // A group of its own, which is what signals then go to.
    killDescendants: true,
    // The grace is counted on our clock.
    forceKillAfterDelay: false,
    // When we die the guard ends the group; Windows has none.
    cleanup: process.platform === "win32",
  });
  const { pid, stdin, stdout, stderr, nodeChildProcess } = child;
  if (pid === undefined) {
    return { isStarted: false, fault: child.then(({ cause }) => describeFault(cause, plan)) };
  }
  const exited = new Promise<CommandExit>((resolve) => {
    nodeChildProcess.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  // A child that does not read to the end, or not at all, is none of our business: its exit code counts.
  stdin.on("error", () => {});
  stdin.end(plan.stdin ?? undefined);
  return {
    isStarted: true,
    program: plan.program,
    pid,
    stdout,
    stderr,
    exited,
    kill: (signal) => child.kill(signal),
    closeStreams: () => {
      for (const stream of [stdin, stdout, stderr]) stream.destroy();
    },
  };
}

/**
 * A child that could not be started, in words. Of the platform's error only the code stays, for the class of
 * failure: the rest repeats the arguments, which may be secret.
 */
function describeFault(fault: unknown, { program, cwd }: CommandPlan): Error {
  const code =
    isRecord(fault) && typeof fault["code"] === "string" ? fault["code"] : "no reason known";
  if (code === "ENOENT" && cwd !== undefined && !isFolder(cwd)) {
    return new CommandError(
      `Command ${quoteText(program)} could not be started: ${quoteText(cwd)} is not a folder.`,
      {
        code,
        hint: `Check "cwd"; a relative one starts at the folder of the process.`,
      },
    );
  }
  const { what, hint } = START_FAULTS.get(code) ?? { what: `could not be started (${code})` };
  return new CommandError(`Command ${quoteText(program)} ${what}.`, {
    code,
    ...(hint === undefined ? {} : { hint }),
  });
}

const START_FAULTS: ReadonlyMap<string, { readonly what: string; readonly hint?: string }> =
  new Map([
    [
      "ENOENT",
      {
        what: "was not found",
        hint: "Check its name, and the PATH of this process; a script also needs its interpreter.",
      },
    ],
    ["EACCES", { what: "may not be executed", hint: "Make it executable: chmod +x." }],
    [
      "E2BIG",
      {
        what: "was given more arguments than the system allows",
        hint: "Hand large data over on stdin or in a file.",
      },
    ],
  ]);

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
