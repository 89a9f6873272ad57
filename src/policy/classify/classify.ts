// What kind of failure an error is, from evidence in a fixed order: explicit class, our own abort reason, the
// author's hook, codes in the error or its causes, HTTP, gRPC, SQLSTATE, exit code, then `bug` or `unknown`.
// Words in messages never count. Whether another attempt follows is decided in `retry.ts`.

import { isMillraceError } from "../../model/errors.ts";
import type { ErrorClass } from "../../model/outcome.ts";
import {
  BUG_TABLE,
  CLASS_VERDICTS,
  CODE_TABLE,
  EXIT_TABLE,
  FAULT_TABLE,
  GRPC_TABLE,
  HTTP_TABLE,
  REASON_TABLE,
  SIGNAL_EXITS,
  SQLITE_NAMES,
  SQLITE_TABLE,
  SQLSTATE_TABLE,
  isErrorClass,
} from "./error-table.ts";
import { askHook, type ClassifyHook } from "./classify-hook.ts";
import type { RetryVerdict, TableEntry } from "./error-table.ts";
import {
  findExitCode,
  findFirst,
  findGrpcStatus,
  findHttpStatus,
  findSignal,
  listCauses,
  listSources,
  readErrors,
  readField,
  readInteger,
  readText,
  tryRead,
} from "./evidence.ts";
import type { Source } from "./evidence.ts";
import {
  findPushBack,
  findRetryAfterField,
  findResetMs,
  findRetryAfterMs,
  isAllowanceUsedUp,
} from "./server-hint.ts";

/** What is known about a failure. */
export interface Classified {
  readonly class: ErrorClass;
  /** The code that told, else the first in the error: `ECONNRESET`, `HTTP 502`, `gRPC ABORTED`, `exit 3`. */
  readonly code?: string;
  /** What it means for another attempt; a single error may differ from its class. */
  readonly retry: RetryVerdict;
  /** A wait that the class itself asks for instead of the computed one (`dns-missing`: 2 s), ms. */
  readonly delayMs?: number;
  /** How long the other side asks to wait, ms, 0 or more. */
  readonly hintMs?: number;
  /** How long nothing is left of the other side's allowance, as it says, ms, above 0. */
  readonly resetMs?: number;
  /** True: judged like `unknown` by `retryOn: "conservative"` (exit codes that say nothing). */
  readonly asUnknown?: boolean;
  /** Told in place of the error: the author's hook named no class, and nobody could know what it meant. */
  readonly instead?: Error;
  /** The author's hook threw with this message, and counts as if it had said nothing. */
  readonly hookFault?: string;
}

type Finding = Omit<Classified, "retry"> & { readonly retry?: RetryVerdict };

/** A name that was missing a moment ago may be there after this. */
const DNS_DELAY_MS = 2_000;

/** What a class means for another attempt, before rules, `retryOn` and attempts are asked. */
export function decideClass(errorClass: ErrorClass): RetryVerdict {
  return CLASS_VERDICTS[errorClass];
}

/**
 * Classifies whatever was thrown; never throws. A hook that throws counts as if it had said nothing; one that
 * names no class of ours makes a permanent failure that says so. `nowMs` (UTC) serves a Retry-After date without
 * a Date header beside it; without both, that hint is ignored.
 */
export function classifyError(
  error: unknown,
  hook?: ClassifyHook | null,
  nowMs?: number,
): Classified {
  const sources = listSources(error);
  const own = findExplicit(error, nowMs) ?? findAbort(error);
  if (own !== undefined) return complete(own, sources, nowMs);
  const said = askHook(error, hook);
  if (said.kind === "named") return complete({ class: said.class }, sources, nowMs);
  if (said.kind === "invalid") {
    return { class: "permanent", retry: "no", code: said.error.code, instead: said.error };
  }
  const classified = complete(findEvidence(error, sources, nowMs), sources, nowMs);
  return said.kind === "threw" ? { ...classified, hookFault: said.message } : classified;
}

/** What the error says by itself. */
function findEvidence(
  error: unknown,
  sources: readonly Source[],
  nowMs: number | undefined,
): Finding {
  return (
    findFirst(sources, findByCode) ??
    findFirst(sources, (source) => findByStatus(source, nowMs)) ??
    findFirst(sources, findByGrpc) ??
    findFirst(sources, findBySqlState) ??
    findFirst(sources, findByExit) ??
    findBug(error) ?? { class: "unknown" }
  );
}

function complete(
  finding: Finding,
  sources: readonly Source[],
  nowMs: number | undefined,
): Classified {
  const code = finding.code ?? findFirst(sources, describeCode);
  const hintMs = finding.hintMs ?? findFirst(sources, (source) => findRetryAfterMs(source, nowMs));
  const resetMs = findFirst(sources, (source) => findResetMs(source, nowMs));
  return {
    class: finding.class,
    retry: finding.retry ?? decideClass(finding.class),
    ...(code === undefined ? {} : { code }),
    ...(hintMs === undefined ? {} : { hintMs }),
    ...(resetMs === undefined ? {} : { resetMs }),
    ...(finding.class === "dns-missing" ? { delayMs: DNS_DELAY_MS } : {}),
    ...(finding.asUnknown === true ? { asUnknown: true } : {}),
  };
}

/** The code of an error whose class came from elsewhere. */
function describeCode(source: Source): string | undefined {
  const code = readText(source, "code");
  if (code !== undefined && code !== "") return code;
  const status = findHttpStatus(source);
  if (status !== undefined) return `HTTP ${status}`;
  const exitCode = findExitCode(source);
  return exitCode === undefined ? undefined : `exit ${exitCode}`;
}

/** By property, so that two copies of the package agree; an author who wraps such an error still means it. */
function findExplicit(error: unknown, nowMs: number | undefined): Finding | undefined {
  return findFirst(listCauses(error), (source) => {
    const named = readField(source, "millraceClass");
    if (!isErrorClass(named)) return undefined;
    const hintMs = findRetryAfterField(source, nowMs);
    return { class: named, ...(hintMs === undefined ? {} : { hintMs }) };
  });
}

/** Our own reason, thrown as it is or as the cause of the platform's AbortError. */
function findAbort(error: unknown): Finding | undefined {
  return findFirst(listCauses(error), (source) =>
    readText(source, "name") === "AbortError"
      ? REASON_TABLE.get(readText(source, "kind") ?? "")
      : undefined,
  );
}

function findByCode(source: Source): Finding | undefined {
  const inner = readErrors(source);
  if (inner.length > 0 && inner.every(isConnectError)) return CONNECT_ENTRY;
  const code = readText(source, "code");
  if (readText(source, "name") === "TimeoutError") return { class: "timeout" };
  if (code === undefined) return undefined;
  const entry = isConnectError(source) ? CONNECT_ENTRY : lookUpCode(code, source);
  return entry === undefined ? undefined : { ...entry, code };
}

const CONNECT_ENTRY: TableEntry = { class: "unreachable" };

/** ETIMEDOUT means both: nothing was reached, or a connection fell silent; the system call tells which. */
function isConnectError(error: unknown): boolean {
  const code = readText(error, "code") ?? "";
  if (code === "ETIMEDOUT") return readText(error, "syscall") === "connect";
  return CODE_TABLE.get(code)?.class === "unreachable";
}

function lookUpCode(code: string, source: Source): TableEntry | undefined {
  if (tryRead(() => isMillraceError(source)) === true) {
    const other: TableEntry = { class: source["retryable"] === true ? "server" : "permanent" };
    return FAULT_TABLE.get(code) ?? other;
  }
  // Faults of the HTTP parser: the answer was no HTTP, and seldom is at the next try.
  if (code.startsWith("HPE_")) return { class: "broken", retry: "once" };
  if (code.startsWith("SQLITE_")) return SQLITE_TABLE.get(code.split("_", 2).join("_"));
  if (code === "ERR_SQLITE_ERROR") return lookUpSqlite(readInteger(source, "errcode") ?? 0);
  return CODE_TABLE.get(code);
}

/** Extended result numbers keep the primary one in their lowest byte. */
function lookUpSqlite(result: number): TableEntry | undefined {
  return SQLITE_TABLE.get(SQLITE_NAMES.get(result & 0xff) ?? "");
}

function findByStatus(source: Source, nowMs: number | undefined): Finding | undefined {
  const status = findHttpStatus(source);
  if (status === undefined) return undefined;
  const hintMs = findRetryAfterMs(source, nowMs);
  return { class: classifyStatus(status, hintMs !== undefined, source), code: `HTTP ${status}` };
}

function classifyStatus(status: number, hinted: boolean, source: Source): ErrorClass {
  if (status === 403 && (hinted || isAllowanceUsedUp(source))) return "throttled";
  if (status === 503 && hinted) return "throttled";
  if (status === 409 && hinted) return "replay-later";
  return HTTP_TABLE.get(status)?.class ?? (status >= 500 ? "server" : "permanent");
}

function findByGrpc(source: Source): Finding | undefined {
  const entry = GRPC_TABLE.get(findGrpcStatus(source) ?? 0);
  if (entry === undefined) return undefined;
  const pushBack = findPushBack(source);
  return {
    class: entry.class,
    code: `gRPC ${entry.name}`,
    ...(pushBack === "never" ? { retry: "no" } : {}),
    ...(typeof pushBack === "number" ? { hintMs: pushBack } : {}),
  };
}

function findBySqlState(source: Source): Finding | undefined {
  const code = readText(source, "code") ?? "";
  if (!/^[0-9A-Z]{5}$/.test(code)) return undefined;
  const entry = SQLSTATE_TABLE.get(code) ?? SQLSTATE_TABLE.get(code.slice(0, 2));
  return entry === undefined ? undefined : { ...entry, code };
}

function findByExit(source: Source): Finding | undefined {
  const exitCode = findExitCode(source);
  if (exitCode !== undefined) return lookUpExit(exitCode, `exit ${exitCode}`);
  const signal = findSignal(source);
  return signal === undefined ? undefined : lookUpExit(SIGNAL_EXITS.get(signal), signal);
}

function lookUpExit(exitCode: number | undefined, code: string): Finding {
  const entry = exitCode === undefined ? undefined : EXIT_TABLE.get(exitCode);
  return entry === undefined ? { class: "subprocess", code, asUnknown: true } : { ...entry, code };
}

/**
 * By name, so that errors from other threads and realms count; only of what was thrown itself. The language
 * gives its own errors no cause: a TypeError with one ("fetch failed") was made by a library on purpose.
 */
function findBug(error: unknown): Finding | undefined {
  const entry = BUG_TABLE.get(readText(error, "name") ?? "");
  const isMade = entry?.retry === "once" && readField(error, "cause") !== undefined;
  return isMade ? undefined : entry;
}
