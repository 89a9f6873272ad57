// Runs a command stage as an attempt: starts the child, passes on what it tells, keeps the end of its output as
// an event. Child processes are loaded on first need: most pipelines have none.

import { skip } from "../../model/outcome.ts";
import { boundedText, type Json } from "../../std/json.ts";
import type { Attempt } from "./attempt.ts";
import type { CommandResult } from "../executors/command/request.ts";
import type { RunCore } from "../run-core.ts";

const TAIL_LINE_CHARS_MAX = 500;

/** The command's output, or `skip`; throws what made it fail. */
export async function runCommandStage(
  core: RunCore,
  attempt: Attempt,
  needs: unknown,
): Promise<unknown> {
  const shape = attempt.stageRun.definition.command;
  if (shape === null) return undefined;
  const { runCommand } = await import("../executors/subprocess.ts");
  const result = await runCommand({
    shape,
    needs,
    signal: attempt.signal,
    runId: core.runId,
    stage: attempt.stage,
    attempt: attempt.attempt,
    clock: core.world.clock,
    graceMs: core.world.graceMs,
    environment: core.world.environment,
    listener: {
      onProgress: ({ done, total, note }) => attempt.progress(done, total, note),
      onBeat: (beat) =>
        attempt.progress(
          beat.stdoutLines + beat.stderrLines,
          undefined,
          `running for ${Math.round(beat.elapsedMs)} ms`,
        ),
      onSilence: (silentMs) =>
        void core.fact({ type: "stage.fell_silent", ...attempt.address(), data: { silentMs } }),
    },
  });
  attempt.usage = { cpuMs: result.cpuMs ?? null, peakBytes: result.peakBytes ?? null };
  await tellTail(core, attempt, result);
  if (result.kind === "failed") throw result.error;
  return result.kind === "skipped" ? skip(result.reason) : result.output;
}

/** The last lines of both streams, so that `show` has them after the process is gone. */
async function tellTail(core: RunCore, attempt: Attempt, result: CommandResult): Promise<void> {
  if (result.stdoutTail.length + result.stderrTail.length === 0) return;
  const cut = (lines: readonly string[]): Json =>
    lines.map((line) => boundedText(line, TAIL_LINE_CHARS_MAX));
  await core.fact({
    type: "stage.logged",
    ...attempt.address(),
    data: {
      level: result.kind === "failed" ? "error" : "info",
      message:
        result.exitCode === null
          ? "output of the command"
          : `output of the command, exit ${result.exitCode}`,
      data: { stdout: cut(result.stdoutTail), stderr: cut(result.stderrTail) },
    },
  });
}
