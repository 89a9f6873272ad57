// A process that does many calls of the command one after the other, each in its own folder with its own
// streams: the same composition as the real one, without paying for a start each time. Started by `host.ts`.

import { PassThrough } from "node:stream";
import { runCommand } from "../../src/cli/run-command.ts";
import { systemClock } from "../../src/std/clock.ts";
import { systemRandom } from "../../src/std/random.ts";

interface Request {
  readonly argv: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

process.on("message", (request: Request) => {
  void answer(request);
});

async function answer({ argv, folder, env, stdin }: Request): Promise<void> {
  // Stores are found from the working folder of the process.
  process.chdir(folder);
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const typed = new PassThrough();
  typed.end(stdin);
  const texts = { stdout: "", stderr: "" };
  streams.stdout.setEncoding("utf8").on("data", (text: string) => (texts.stdout += text));
  streams.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text));
  const exitCode = await runCommand(
    {
      ...streams,
      stdin: () => typed,
      env,
      cwd: folder,
      clock: systemClock,
      random: systemRandom,
      onSignal: () => () => {},
    },
    argv,
  );
  // What was written last is delivered in the next turn.
  setImmediate(() => process.send?.({ exitCode, ...texts }));
}
