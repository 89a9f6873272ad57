// Ends a command's process group when our own process dies without a chance to do it: killed outright,
// crashed, out of memory. A tiny shell in a session of its own waits on a pipe that only we hold open; the
// system closes it when we die, however that comes about, and the shell sends TERM, waits, and sends KILL.
//
// It is started before the command, so that the unguarded time is the moment between the start and one
// write. Not covered: a guard that is killed itself, platforms without /bin/sh, and processes that left the
// group. On Windows there is none.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Writable } from "node:stream";

/** A guard that waits for our death. */
export interface OrphanGuard {
  /** Names the group to be ended. Once. */
  watch(group: number): void;
  /** Ends the guard, and nothing else. Resolves when it is gone. */
  release(): Promise<void>;
}

/** What a guard needs. */
export interface OrphanGuardOptions {
  /** Time between TERM and KILL; rounded up to whole seconds, which is what a shell can wait. */
  readonly graceMs: number;
  /** Where `sleep` is found; without it KILL follows TERM at once. */
  readonly path: string | undefined;
}

// `read` returns when a line comes or the pipe is closed. No line at all: no command was started. The form
// `kill -s NAME -- -GROUP` is the one that all shells understand.
const SCRIPT = `
trap '' HUP INT TERM
read -r group || exit 0
read -r never
kill -s TERM -- "-$group"
left=$1
while [ "$left" -gt 0 ] && kill -s 0 -- "-$group"; do
  sleep 1
  left=$((left - 1))
done
kill -s KILL -- "-$group"
`;

const NO_GUARD: OrphanGuard = { watch: () => {}, release: async () => {} };

/** Starts a guard. Where none can be started, answers one that does nothing. */
export function startOrphanGuard(options: OrphanGuardOptions): OrphanGuard {
  const shell = process.platform === "win32" ? undefined : startShell(options);
  if (shell === undefined) return NO_GUARD;
  const gone = new Promise<void>((resolve) => {
    shell.once("exit", () => resolve());
  });
  return {
    watch: (group) => {
      shell.stdin.write(`${group}\n`);
    },
    release: async () => {
      shell.kill("SIGKILL");
      await gone;
      shell.stdin.destroy();
    },
  };
}

type Shell = ChildProcessByStdio<Writable, null, null>;

function startShell({ graceMs, path }: OrphanGuardOptions): Shell | undefined {
  const seconds = String(Math.ceil(graceMs / 1000));
  const shell = trySpawn(["-c", SCRIPT, "millrace-guard", seconds], path);
  // Whatever goes wrong with it (no shell here, no process left for one, killed by somebody): the command
  // runs all the same, only without a guard.
  shell?.on("error", () => {});
  if (shell?.pid === undefined) return undefined;
  shell.stdin.on("error", () => {});
  return shell;
}

function trySpawn(args: readonly string[], path: string | undefined): Shell | undefined {
  try {
    return spawn("/bin/sh", args, {
      cwd: "/",
      env: path === undefined ? {} : { PATH: path },
      // Of its own, so that what is sent to our group or terminal does not end it with us.
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
  } catch {
    return undefined;
  }
}
