// The command's composition root: the only file that touches the process. It hands streams, environment,
// time and dice to the call, and ends the process with the call's exit code once all output is written.

import { systemClock } from "../std/clock.ts";
import type { Json } from "../std/json.ts";
import { systemRandom } from "../std/random.ts";
import type { CliSignal, OutStream } from "./cli-context.ts";
import { guessCommonFlags } from "./verb/common-flags.ts";
import { runCommand, type CliWorld } from "./run-command.ts";

const argv = process.argv.slice(2);

const world: CliWorld = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => process.stdin,
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  random: systemRandom,
  ...(process.send === undefined ? {} : { tellParent }),
  onSignal(signal: CliSignal, listener: () => void) {
    process.on(signal, listener);
    return () => {
      process.off(signal, listener);
    };
  },
};

// A reader that went away (`millrace runs | head -1`) ends a listing quietly: what is written then is lost.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") process.exitCode = 6;
  });
}

// Thrown outside any stage, by a timer or stream of the user's code: what the process holds is unknown now.
// Nothing durable is lost, so it ends here, and `resume` goes on from the last commit.
process.on("uncaughtException", (error) => {
  void fail(error);
});

async function fail(error: unknown): Promise<void> {
  const { printError } = await import("./render-error.ts");
  const code = printError({ ...world, flags: guessCommonFlags(argv) }, error);
  await end(code);
}

async function end(code: number): Promise<void> {
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  // User code may hold timers or connections open; its work is over, so they no longer count.
  process.exit(code);
}

/** Resolves when it is out, or can no longer be. */
function tellParent(message: Json): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, () => resolve());
    else resolve();
  });
}

/** Resolves when all that was written is out, or can no longer be. */
function flush(stream: OutStream & { readonly destroyed?: boolean }): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed === true || !stream.writable) resolve();
    else stream.write("", () => resolve());
  });
}

await end(await runCommand(world, argv));
