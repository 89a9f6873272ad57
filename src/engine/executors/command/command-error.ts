// The failure of a command stage as an error: what happened to which program, the evidence that classes of
// failure are decided by, and a hint. Arguments and environment never appear in it, since both may hold
// secrets.

import type { ErrorClass } from "../../../model/outcome.ts";
import { cutText } from "../../../std/json.ts";
import { redact } from "../../../std/redact.ts";
import { escapeControl } from "../../../std/text.ts";

/** What a failed command leaves as evidence; what is absent is not known. */
export interface CommandEvidence {
  /** From 1. Absent for a death by signal. */
  readonly exitCode?: number;
  /** Such as "SIGKILL". */
  readonly signal?: string;
  /** Code of the platform (`ENOENT`), or COMMAND_INVALID, COMMAND_OUTPUT_INVALID, COMMAND_OUTPUT_TOO_LARGE. */
  readonly code?: string;
  /** Set where the error says for itself what class it is. */
  readonly millraceClass?: ErrorClass;
  /** What to do now, in a sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A command that could not be started, ended badly, or printed what it should not. */
export class CommandError extends Error {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly code: string | undefined;
  readonly millraceClass: ErrorClass | undefined;
  readonly hint: string | undefined;

  constructor(message: string, evidence: CommandEvidence = {}) {
    super(message, evidence.cause === undefined ? undefined : { cause: evidence.cause });
    this.name = "CommandError";
    this.exitCode = evidence.exitCode;
    this.signal = evidence.signal;
    this.code = evidence.code;
    this.millraceClass = evidence.millraceClass;
    this.hint = evidence.hint;
  }
}

/** A fault of the definition that only shows when the attempt starts; repeating cannot help. */
export function refuseCommand(message: string, hint?: string): CommandError {
  return new CommandError(message, {
    code: "COMMAND_INVALID",
    millraceClass: "permanent",
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Whatever was thrown, as an Error: itself, or one that has it as cause. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

const QUOTED_CHARS_MAX = 200;

/** Text of a child in quotes, safe on a terminal, without secrets, at most 200 characters of it. */
export function quoteText(given: string): string {
  const text = redact(given);
  const cut = cutText(text, QUOTED_CHARS_MAX);
  return `"${escapeControl(cut)}${cut.length < text.length ? "…" : ""}"`;
}
