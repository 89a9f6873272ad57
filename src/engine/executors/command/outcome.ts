// How an attempt ended, judged from what was seen of it: why it was over, how the child exited, and what it
// printed. Only computes.

import { constants } from "node:os";
import type { CommandShape } from "../../../model/definition.ts";
import { COMMAND_OUTPUT_BYTES_MAX } from "../../../model/limits.ts";
import { cutText } from "../../../std/json.ts";
import { escapeControl } from "../../../std/text.ts";
import { CommandError, quoteText, toError } from "./command-error.ts";
import type { CommandOutput } from "./output.ts";
import { parseOutput } from "./parse-output.ts";
import type { CommandExit, CommandResult } from "./request.ts";

/** Why a command was over: it ended by itself, or the first of our reasons to end it. */
export type CommandEnd =
  | { readonly kind: "exited" }
  | { readonly kind: "aborted"; readonly reason: unknown }
  | { readonly kind: "done" }
  | { readonly kind: "overflown" };

/** What is known once a command is over. */
export interface SeenCommand {
  readonly program: string;
  readonly shape: Pick<CommandShape, "parse" | "skipExitCodes">;
  readonly end: CommandEnd;
  /** Whether a `doneWhen` line was seen. */
  readonly isDone: boolean;
  readonly exit: CommandExit;
  readonly output: Pick<CommandOutput, "gathered" | "tail">;
}

/** A result without the part that is known however it ended. */
export type CommandVerdict =
  | { readonly kind: "succeeded"; readonly output: unknown }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "failed"; readonly error: Error };

/** The first that holds: aborted, too much output, `doneWhen` seen, exit 0, an exit code that skips. */
export function judgeCommand(seen: SeenCommand): CommandVerdict {
  const { end, exit } = seen;
  if (end.kind === "aborted") return { kind: "failed", error: toError(end.reason) };
  if (end.kind === "overflown") return { kind: "failed", error: makeOverflowError(seen) };
  if (seen.isDone || exit.exitCode === 0) return readOutput(seen);
  if (exit.exitCode !== null && seen.shape.skipExitCodes.includes(exit.exitCode)) {
    return { kind: "skipped", reason: makeSkipReason(seen, exit.exitCode) };
  }
  return { kind: "failed", error: makeExitError(seen) };
}

/** `done` if it was our ending after the line, `signal` if a signal ended it otherwise. */
export function decideEndedBy(seen: SeenCommand): Pick<CommandResult, "endedBy"> {
  if (seen.end.kind === "done") return { endedBy: "done" };
  return seen.exit.signal === null ? {} : { endedBy: "signal" };
}

function readOutput({ shape, output }: SeenCommand): CommandVerdict {
  try {
    return { kind: "succeeded", output: parseOutput(shape.parse, output.gathered) };
  } catch (error) {
    return { kind: "failed", error: toError(error) };
  }
}

const REASON_CHARS_MAX = 500;

function makeSkipReason({ output }: SeenCommand, exitCode: number): string {
  const line = [...output.tail("stdout"), ...output.tail("stderr")].findLast(isFilled);
  return line === undefined
    ? `exit ${exitCode}`
    : cutText(escapeControl(line.trim()), REASON_CHARS_MAX);
}

function makeOverflowError({ program, shape }: SeenCommand): CommandError {
  const limit = `${COMMAND_OUTPUT_BYTES_MAX / 1024 / 1024} MiB`;
  return new CommandError(
    `Command ${quoteText(program)} printed more than ${limit} on stdout, which is all that is parsed.`,
    {
      code: "COMMAND_OUTPUT_TOO_LARGE",
      millraceClass: "permanent",
      hint: `Write the result to a file and print its path, or parse "none" instead of "${shape.parse}".`,
    },
  );
}

function makeExitError(seen: SeenCommand): CommandError {
  const { exit, program } = seen;
  const name = quoteText(program);
  const tail = quoteTail(seen);
  if (exit.exitCode !== null) {
    const message = `Command ${name} ended with exit ${exit.exitCode}.${tail}`;
    return new CommandError(message, { exitCode: exit.exitCode, ...findExitHint(exit.exitCode) });
  }
  if (exit.signal !== null) {
    const message = `Command ${name} was ended by ${exit.signal}, which was not sent from here.${tail}`;
    return new CommandError(message, { signal: exit.signal, ...findSignalHint(exit.signal) });
  }
  return new CommandError(`Command ${name} could not be ended and may still run.${tail}`);
}

function findExitHint(exitCode: number): { readonly hint?: string } {
  const signals = Object.entries(constants.signals);
  const name = signals.find(([, number]) => number === exitCode - 128)?.[0];
  return name === undefined ? {} : { hint: `Exit ${exitCode} often means: ended by ${name}.` };
}

function findSignalHint(signal: string): { readonly hint?: string } {
  return signal === "SIGKILL"
    ? { hint: "Often the system ends the largest process this way when memory runs out." }
    : {};
}

const TAIL_LINES_MAX = 20;
const TAIL_CHARS_MAX = 4_000;

/** The end of stderr under the message, or that of stdout when stderr is empty, safe on a terminal. */
function quoteTail({ output }: SeenCommand): string {
  const stream = output.tail("stderr").some(isFilled) ? "stderr" : "stdout";
  const lines = output.tail(stream).filter(isFilled).slice(-TAIL_LINES_MAX);
  if (lines.length === 0) return " It printed nothing.";
  const text = lines.map((line) => escapeControl(line, { keepTab: true })).join("\n");
  const isCut = text.length > TAIL_CHARS_MAX;
  return ` End of ${stream}:\n${isCut ? `…${text.slice(-TAIL_CHARS_MAX)}` : text}`;
}

function isFilled(line: string): boolean {
  return line.trim() !== "";
}
