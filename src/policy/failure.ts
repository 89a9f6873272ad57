// A failure as data: message, code, counts and the error itself, all bounded and redacted; a fingerprint that equal
// failures of different items share; and the sentence people read. Which class it has is `classify.ts`.

import { ERROR_CHARS_MAX } from "../model/limits.ts";
import type { ErrorClass, Failure } from "../model/outcome.ts";
import { toErrorEnvelope, type ErrorEnvelope } from "../std/error/error-envelope.ts";
import { boundedText, sha256Hex } from "../std/json.ts";
import { redact } from "../std/redact.ts";
import type { Classified } from "./classify/classify.ts";
import { findFirst, listSources, readText } from "./classify/evidence.ts";

/** What a failure is made of. */
export interface FailureOptions {
  /** Whatever was thrown last. */
  readonly error: unknown;
  readonly classified: Pick<Classified, "class" | "code" | "instead">;
  /** Attempts really made; 0: failed before user code started. */
  readonly attempts: number;
  /** The first error's message; left out where it equals the last one. */
  readonly first?: { readonly message: string } | undefined;
  /** How many different messages there were. */
  readonly distinct?: number | undefined;
  readonly stage?: string | undefined;
  readonly item?: { readonly key: string; readonly index: number } | undefined;
}

/** Makes the failure; every text in it is at most ERROR_CHARS_MAX long. */
export function makeFailure(options: FailureOptions): Failure {
  const { classified, attempts, first, distinct, stage, item } = options;
  const error = classified.instead ?? options.error;
  const message = messageOf(error);
  const firstMessage = first === undefined ? message : boundedText(first.message, ERROR_CHARS_MAX);
  return {
    class: classified.class,
    message,
    ...(classified.code === undefined
      ? {}
      : { code: boundedText(redact(classified.code), CODE_CHARS_MAX) }),
    attempts,
    ...(firstMessage === message ? {} : { firstMessage }),
    ...(distinct === undefined ? {} : { distinct }),
    fingerprint: fingerprintOf(classified.class, classified.code, message),
    ...(stage === undefined ? {} : { stage }),
    ...(item === undefined ? {} : { item }),
    error: boundEnvelope(toErrorEnvelope(error)),
  };
}

/** Longest `code` that is kept: real ones are words. */
const CODE_CHARS_MAX = 200;

/** The message of whatever was thrown; of other things than errors `threw` and what it was. */
export function messageOf(error: unknown): string {
  const message = readText(error, "message");
  if (message !== undefined && message !== "") return boundMessage(message);
  // Node's own AggregateError of connect errors says nothing itself.
  const inner = findFirst(listSources(error), (source) => readText(source, "message") || undefined);
  if (message !== undefined) {
    const name = readText(error, "name") ?? "Error";
    const said = inner === undefined ? `${name} without a message` : `${name}: ${inner}`;
    return boundMessage(said);
  }
  return boundMessage(`threw ${describeThrown(error)}`);
}

/** Redacted before it is cut: a cut could leave the first half of a secret. */
function boundMessage(message: string): string {
  return boundedText(redact(message), ERROR_CHARS_MAX);
}

function describeThrown(error: unknown): string {
  if (typeof error === "string") return JSON.stringify(error);
  return typeof error === "function" ? "a function" : toErrorEnvelope(error).message;
}

// The order matters: a UUID is taken as one name before its digits are.
const NAMES_IN_TEXT: readonly (readonly [RegExp, string])[] = [
  [/"[^"\n]*"|`[^`\n]*`|(?<!\w)'[^'\n]*'(?!\w)/g, '""'],
  [/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi, "<id>"],
  [/\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, "<id>"],
  [/\d+(?:[.,:]\d+)*/g, "<n>"],
];

/**
 * Twelve hexadecimal digits that are equal for failures that differ only in numbers, ids and quoted names, so
 * that a thousand failed items show as the three faults behind them.
 */
export function fingerprintOf(
  errorClass: ErrorClass,
  code: string | undefined,
  message: string,
): string {
  let text = message.slice(0, ERROR_CHARS_MAX);
  for (const [pattern, mark] of NAMES_IN_TEXT) text = text.replace(pattern, mark);
  return sha256Hex(JSON.stringify([errorClass, code ?? "", text])).slice(0, 12);
}

/**
 * The failure as people read it: `Stage "parse" failed after 3 attempts. Last error: b. First error: a.`
 * @param subject What failed, as the sentence begins: `Stage "parse"`.
 */
export function sentenceOf(failure: Failure, subject: string): string {
  const { attempts, firstMessage } = failure;
  const last = endSentence(failure.message + describeCause(failure));
  const when =
    attempts === 0 ? "before it started" : `after ${attempts} attempt${attempts === 1 ? "" : "s"}`;
  const rest =
    firstMessage === undefined
      ? `Error: ${last}`
      : `Last error: ${last} First error: ${endSentence(firstMessage)}`;
  return `${subject} failed ${when}. ${rest}`;
}

function endSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** "fetch failed" alone helps nobody: the innermost cause says what happened. */
function describeCause(failure: Failure): string {
  let envelope = failure.error;
  while (envelope?.cause !== undefined) envelope = envelope.cause;
  const message = envelope?.message ?? "";
  return message === "" || failure.message.includes(message) ? "" : ` (cause: ${message})`;
}

/** The envelope cut down until its text fits: details go first, then inner stacks, then all but the head. */
function boundEnvelope(envelope: ErrorEnvelope): ErrorEnvelope {
  const bare = mapEnvelope(envelope, ({ details: _details, ...rest }) => rest);
  const flat = mapEnvelope(bare, ({ stack: _stack, ...rest }) => rest);
  const stack = envelope.stack === undefined ? {} : { stack: envelope.stack };
  const { cause: _cause, errors: _errors, ...alone } = bare;
  const smaller = [envelope, bare, { ...flat, ...stack }, flat, alone];
  return smaller.find(fits) ?? headOf(envelope);
}

function fits(envelope: ErrorEnvelope): boolean {
  return JSON.stringify(envelope).length <= ERROR_CHARS_MAX;
}

function mapEnvelope(
  envelope: ErrorEnvelope,
  change: (one: ErrorEnvelope) => ErrorEnvelope,
): ErrorEnvelope {
  const { cause, errors } = envelope;
  return {
    ...change(envelope),
    ...(cause === undefined ? {} : { cause: mapEnvelope(cause, change) }),
    ...(errors === undefined ? {} : { errors: errors.map((one) => mapEnvelope(one, change)) }),
  };
}

// JSON may write one character as six: 2,000 of them always fit.
function headOf({ name, message, code, status }: ErrorEnvelope): ErrorEnvelope {
  return {
    name: boundedText(name, 100),
    message: boundedText(message, 2_000),
    ...(code === undefined
      ? {}
      : { code: typeof code === "string" ? boundedText(code, 100) : code }),
    ...(status === undefined ? {} : { status }),
  };
}
