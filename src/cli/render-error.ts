// An error as the command tells it: what happened to which thing, what was given and known, what to do now,
// and the code. No stack, unless asked for with -v or the fault is ours; then with an id for the report.

import { isMillraceError } from "../model/errors.ts";
import type { Json } from "../std/json.ts";
import { redact } from "../std/redact.ts";
import { escapeControl } from "../std/text.ts";
import type { CliContext } from "./cli-context.ts";
import { EXIT, exitCodeOfError, type ExitCode } from "./exit-code.ts";
import { withCommonFlags } from "./next-command.ts";
import { printDocument } from "./print.ts";
import { makePaint, resolveColor } from "./render/color.ts";

/** Anything thrown, in the parts that are printed. */
export interface ErrorParts {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly next?: string;
  readonly details?: Readonly<Record<string, Json>>;
  readonly exitCode: ExitCode;
}

/** What of a context errors need. */
export type ErrorContext = Pick<CliContext, "stdout" | "stderr" | "env" | "flags" | "random">;

/** Prints anything thrown: a paragraph on stderr, with `--json` also the one document. Gives the exit code. */
export function printError(context: ErrorContext, error: unknown): ExitCode {
  const parts = toErrorParts(context, error);
  const isColored = resolveColor({
    flag: context.flags.color,
    env: context.env,
    isTerminal: context.stderr.isTTY === true,
  });
  const [head = "", ...lines] = redact(renderError(parts)).split("\n");
  const painted = makePaint(isColored).tone("error", "error:") + head.slice("error:".length);
  context.stderr.write(`${[painted, ...lines].join("\n")}\n`);
  if (parts.exitCode === EXIT.internal) printReportLines(context, error);
  if (context.flags.verbose || parts.exitCode === EXIT.internal) {
    context.stderr.write(`${renderStack(error)}\n`);
  }
  if (context.flags.json) {
    const { exitCode: _exitCode, ...shown } = parts;
    printDocument(context, { schema: "millrace.error/1", error: shown });
  }
  return parts.exitCode;
}

/** The parts of an error; commands in it carry the caller's `--store` and `--config`. */
export function toErrorParts(context: Pick<ErrorContext, "flags">, error: unknown): ErrorParts {
  const exitCode = exitCodeOfError(error);
  if (!isMillraceError(error)) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { code: "INTERNAL", message, exitCode };
  }
  const { code, message, hint, next, details } = error;
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(next === undefined ? {} : { next: withCommonFlags(context, next) }),
    ...(details === undefined ? {} : { details }),
    exitCode,
  };
}

/** The paragraph, without a line feed behind the last line. */
export function renderError(parts: ErrorParts): string {
  const known = parts.details?.["known"];
  const given = parts.details?.["given"];
  const lines: (readonly [label: string, text: string | undefined])[] = [
    ["given", typeof given === "string" ? given : undefined],
    ["known", Array.isArray(known) && known.length > 0 ? listKnown(known) : undefined],
    ["hint", hasKnown(parts.hint) && Array.isArray(known) ? undefined : parts.hint],
    ["next", parts.next],
    ["code", `${parts.code} (exit ${parts.exitCode})`],
  ];
  const shown = lines.flatMap(([label, text]) =>
    text === undefined ? [] : [`  ${label.padEnd(5)}  ${escapeControl(text)}`],
  );
  return [`error: ${escapeControl(toPhrase(parts.message), { keepNewline: true })}`, ...shown].join(
    "\n",
  );
}

const KNOWN_MAX = 20;

function listKnown(known: readonly Json[]): string {
  const more = known.length > KNOWN_MAX ? `, … ${known.length - KNOWN_MAX} more` : "";
  return known.slice(0, KNOWN_MAX).map(String).join(", ") + more;
}

/** A hint that only lists the known names says nothing beside the line that lists them. */
function hasKnown(hint: string | undefined): boolean {
  return hint?.startsWith("known: ") === true;
}

/** A sentence as the rest of a line: without its capital, unless it is part of a name, and its full stop. */
function toPhrase(message: string): string {
  const lowered = /^[A-Z][a-z]* /.test(message)
    ? message.charAt(0).toLowerCase() + message.slice(1)
    : message;
  return lowered.replace(/(?<!\.)\.$/, "");
}

function printReportLines(context: ErrorContext, error: unknown): void {
  const id = Buffer.from(context.random.bytes(4)).toString("hex");
  const what = isMillraceError(error) ? "this text" : "this text and what you called";
  context.stderr.write(`  id     ${id}: a report needs ${what}\n`);
}

function renderStack(error: unknown): string {
  const lines: string[] = [];
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    lines.push(`${depth === 0 ? "" : "caused by: "}${at.stack ?? at.message}`);
    at = at.cause;
  }
  if (lines.length === 0) lines.push(String(error));
  return escapeControl(redact(lines.join("\n")), { keepNewline: true });
}
