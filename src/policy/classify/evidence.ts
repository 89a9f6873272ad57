// Reads what an error carries: itself, its causes and gathered errors as a flat list, and single fields of
// each. Nothing here throws, whatever was thrown: getters that fail count as absent, cycles end. What the
// evidence means stands in `error-table.ts`.

import { isRecord } from "../../std/record.ts";
import { GRPC_TABLE } from "./error-table.ts";

/** An object that is read field by field. */
export type Source = Record<string, unknown>;

const DEPTH_MAX = 8;
/** Errors looked at in all: Promise.any over a long list gathers one each. */
const SOURCES_MAX = 200;

/** What `read` answers, or undefined where it throws: getters and proxies of others may do anything. */
export function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** A field, or undefined where reading it throws. */
export function readField(source: unknown, key: string): unknown {
  return isRecord(source) ? tryRead(() => source[key]) : undefined;
}

/** A field that is text, else undefined. */
export function readText(source: unknown, key: string): string | undefined {
  const value = readField(source, key);
  return typeof value === "string" ? value : undefined;
}

/** A field that is a whole number, else undefined. */
export function readInteger(source: unknown, key: string): number | undefined {
  const value = readField(source, key);
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

/** The gathered errors of an AggregateError and the like; empty for all others. */
export function readErrors(source: unknown): readonly unknown[] {
  const errors = readField(source, "errors");
  const list = tryRead((): unknown[] =>
    Array.isArray(errors) ? errors.slice(0, SOURCES_MAX) : [],
  );
  return list ?? [];
}

/** The error, then its causes, then what it gathers, each with theirs: at most 8 deep, each one once. */
export function listSources(error: unknown): readonly Source[] {
  const found = new Set<Source>();
  const visit = (value: unknown, depth: number): void => {
    if (!isRecord(value) || depth >= DEPTH_MAX || found.size >= SOURCES_MAX || found.has(value)) {
      return;
    }
    found.add(value);
    visit(readField(value, "cause"), depth + 1);
    for (const inner of readErrors(value)) visit(inner, depth + 1);
  };
  visit(error, 0);
  return [...found];
}

/** The error and its causes alone, outermost first. */
export function listCauses(error: unknown): readonly Source[] {
  const found = new Set<Source>();
  let at = error;
  while (isRecord(at) && found.size < DEPTH_MAX && !found.has(at)) {
    found.add(at);
    at = readField(at, "cause");
  }
  return [...found];
}

/** HTTP status from 400 to 599, from `status`, `statusCode`, or those of `response`. */
export function findHttpStatus(source: Source): number | undefined {
  const response = readField(source, "response");
  return [
    readInteger(source, "status"),
    readInteger(source, "statusCode"),
    readInteger(response, "status"),
    readInteger(response, "statusCode"),
  ].find((status) => status !== undefined && status >= 400 && status <= 599);
}

/**
 * gRPC status from 1 to 16. A number as `code` is one only beside `metadata` or `details`: errors of child
 * processes and of the DOM carry numbers as well.
 */
export function findGrpcStatus(source: Source): number | undefined {
  const code = readInteger(source, "code");
  if (code === undefined || !GRPC_TABLE.has(code)) return undefined;
  const isGrpc =
    isRecord(readField(source, "metadata")) || readText(source, "details") !== undefined;
  return isGrpc ? code : undefined;
}

/** Exit code of a child process: `exitCode`, or a number as `code` beside `cmd`. 0 is none. */
export function findExitCode(source: Source): number | undefined {
  const named = readInteger(source, "exitCode");
  const ofShell = readText(source, "cmd") === undefined ? undefined : readInteger(source, "code");
  const exitCode = named ?? ofShell;
  return exitCode === 0 ? undefined : exitCode;
}

/** Signal that ended a child process, such as "SIGKILL". */
export function findSignal(source: Source): string | undefined {
  const signal = readText(source, "signal");
  return signal !== undefined && /^SIG[A-Z0-9]{1,12}$/.test(signal) ? signal : undefined;
}

/** Exit code anywhere in the error. */
export function exitCodeOf(error: unknown): number | undefined {
  return findFirst(listSources(error), findExitCode);
}

/** Every `code` in the error and its causes, as text, outermost first. */
export function listCodes(error: unknown): readonly string[] {
  return listSources(error).flatMap((source) => {
    const code = readField(source, "code");
    return typeof code === "string" || typeof code === "number" ? [String(code)] : [];
  });
}

/** The first answer that is not undefined. */
export function findFirst<T>(
  sources: readonly Source[],
  read: (source: Source) => T | undefined,
): T | undefined {
  for (const source of sources) {
    const answer = read(source);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
