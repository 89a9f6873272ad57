// The table of error classes: which signal means which class, and what each class means for a retry. Data
// and lookups only; how signals are found in an error is `evidence.ts`, in which order they count is
// `classify.ts`. Maps throughout, so that a code such as "constructor" matches nothing.

import { ERROR_CLASSES, type ErrorClass } from "../../model/outcome.ts";

/** What a class means for another attempt. `defer`: repeated without costing an attempt. */
export type RetryVerdict = "yes" | "no" | "once" | "defer";

/** What a signal means. */
export interface TableEntry {
  readonly class: ErrorClass;
  /** Where this signal differs from its class. */
  readonly retry?: RetryVerdict;
}

/**
 * What each class means for another attempt. The classes of the engine's own store (`STORE_CLASSES`) retry as
 * `server` when stage code throws them; `no-verdict` is repeated because stages count as idempotent unless
 * declared otherwise; `crash` costs a crash instead of an attempt.
 */
export const CLASS_VERDICTS: Readonly<Record<ErrorClass, RetryVerdict>> = {
  unreachable: "yes",
  "dns-missing": "once",
  broken: "yes",
  timeout: "yes",
  throttled: "defer",
  server: "yes",
  "replay-later": "yes",
  auth: "no",
  "tls-config": "no",
  permanent: "no",
  "already-done": "no",
  "no-verdict": "yes",
  "data-loss": "no",
  "db-conflict": "yes",
  "db-away": "yes",
  "db-full": "yes",
  "local-resource": "defer",
  "local-config": "no",
  subprocess: "yes",
  crash: "defer",
  bug: "once",
  cancelled: "no",
  fenced: "no",
  deadline: "no",
  ambiguous: "no",
  "breaker-open": "no",
  "deferral-exhausted": "no",
  poison: "no",
  unknown: "yes",
};

/** Classes that stand for faults of a database. */
export const STORE_CLASSES: ReadonlySet<ErrorClass> = new Set([
  "db-conflict",
  "db-away",
  "db-full",
]);

/** Classes after which the other side may have done the work all the same. */
export const EXECUTED_CLASSES: ReadonlySet<ErrorClass> = new Set([
  "broken",
  "timeout",
  "already-done",
  "no-verdict",
  "subprocess",
  "crash",
  "bug",
  "cancelled",
  "unknown",
]);

/** Codes of the class `server` after which it may have, too. */
export const EXECUTED_CODES: ReadonlySet<string> = new Set(["HTTP 500", "HTTP 502"]);

const CLASSES: ReadonlySet<unknown> = new Set(ERROR_CLASSES);

/** True for the name of a class; hooks and foreign errors may say anything. */
export function isErrorClass(value: unknown): value is ErrorClass {
  return CLASSES.has(value);
}

type Row = readonly [entry: TableEntry, signals: string];

function makeLookup(rows: readonly Row[]): ReadonlyMap<string, TableEntry> {
  return new Map(
    rows.flatMap(([entry, signals]) =>
      signals.split(" ").map((signal) => [signal, entry] as const),
    ),
  );
}

/** Codes of errors that mean: no connection came about. ETIMEDOUT is one only while connecting. */
const CONNECT_CODES =
  "ECONNREFUSED EHOSTUNREACH ENETUNREACH ENETDOWN EHOSTDOWN EADDRNOTAVAIL EAI_AGAIN UND_ERR_CONNECT_TIMEOUT";

/** By the `code` of an error. */
export const CODE_TABLE: ReadonlyMap<string, TableEntry> = makeLookup([
  [{ class: "unreachable" }, CONNECT_CODES],
  [{ class: "dns-missing" }, "ENOTFOUND"],
  [{ class: "broken" }, "ECONNRESET EPIPE ECONNABORTED UND_ERR_SOCKET ERR_STREAM_PREMATURE_CLOSE"],
  [{ class: "broken" }, "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH UND_ERR_RES_CONTENT_LENGTH_MISMATCH"],
  [{ class: "timeout" }, "ETIMEDOUT UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT"],
  [
    { class: "tls-config" },
    "CERT_HAS_EXPIRED DEPTH_ZERO_SELF_SIGNED_CERT UNABLE_TO_VERIFY_LEAF_SIGNATURE ERR_TLS_CERT_ALTNAME_INVALID",
  ],
  [
    { class: "permanent" },
    "ERR_INVALID_URL UND_ERR_INVALID_ARG UND_ERR_RES_EXCEEDED_MAX_SIZE UND_ERR_HEADERS_OVERFLOW",
  ],
  [{ class: "permanent" }, "ERR_FR_TOO_MANY_REDIRECTS ERR_TOO_MANY_REDIRECTS"],
  [{ class: "local-resource" }, "ENOSPC EDQUOT EMFILE ENFILE ENOMEM EAGAIN"],
  [{ class: "local-config" }, "EACCES EPERM EROFS ENOENT ENAMETOOLONG"],
  [{ class: "crash" }, "ERR_WORKER_OUT_OF_MEMORY"],
  [{ class: "cancelled" }, "UND_ERR_ABORTED"],
]);

/** SQLite's primary results by name; extended ones (`SQLITE_BUSY_SNAPSHOT`) are found by their first part. */
export const SQLITE_TABLE: ReadonlyMap<string, TableEntry> = makeLookup([
  [{ class: "db-conflict" }, "SQLITE_BUSY SQLITE_LOCKED SQLITE_PROTOCOL SQLITE_SCHEMA"],
  [{ class: "data-loss" }, "SQLITE_CORRUPT SQLITE_NOTADB"],
  [{ class: "local-resource" }, "SQLITE_FULL"],
  [{ class: "local-config" }, "SQLITE_READONLY SQLITE_CANTOPEN"],
]);

/** Names of SQLite's primary result numbers, as far as the table knows them. */
export const SQLITE_NAMES: ReadonlyMap<number, string> = new Map([
  [5, "SQLITE_BUSY"],
  [6, "SQLITE_LOCKED"],
  [8, "SQLITE_READONLY"],
  [11, "SQLITE_CORRUPT"],
  [13, "SQLITE_FULL"],
  [14, "SQLITE_CANTOPEN"],
  [15, "SQLITE_PROTOCOL"],
  [17, "SQLITE_SCHEMA"],
  [26, "SQLITE_NOTADB"],
]);

/** SQLSTATE, whole or by its first two characters; the whole one is asked first. */
export const SQLSTATE_TABLE: ReadonlyMap<string, TableEntry> = makeLookup([
  [{ class: "timeout" }, "57014"],
  [{ class: "no-verdict" }, "40003 08007 XX000"],
  [{ class: "data-loss" }, "XX001 XX002"],
  [{ class: "db-conflict" }, "40001 40P01 55P03 55006"],
  [{ class: "db-away" }, "08000 08001 08003 08006 57P01 57P02 57P03 57P05 25006"],
  [{ class: "db-full" }, "53000 53100 53200 53300 53400 58030"],
  [{ class: "local-config" }, "3D000 57P04"],
  [{ class: "auth" }, "28"],
  [{ class: "permanent" }, "0A 22 23 42 54"],
]);

/** gRPC status numbers 1 to 16: name and meaning. */
export const GRPC_TABLE: ReadonlyMap<number, TableEntry & { readonly name: string }> = new Map([
  [1, { name: "CANCELLED", class: "no-verdict" }],
  [2, { name: "UNKNOWN", class: "no-verdict" }],
  [3, { name: "INVALID_ARGUMENT", class: "permanent" }],
  [4, { name: "DEADLINE_EXCEEDED", class: "timeout" }],
  [5, { name: "NOT_FOUND", class: "permanent" }],
  [6, { name: "ALREADY_EXISTS", class: "already-done" }],
  [7, { name: "PERMISSION_DENIED", class: "auth" }],
  [8, { name: "RESOURCE_EXHAUSTED", class: "throttled" }],
  [9, { name: "FAILED_PRECONDITION", class: "permanent" }],
  [10, { name: "ABORTED", class: "server" }],
  [11, { name: "OUT_OF_RANGE", class: "permanent" }],
  [12, { name: "UNIMPLEMENTED", class: "permanent" }],
  [13, { name: "INTERNAL", class: "no-verdict" }],
  [14, { name: "UNAVAILABLE", class: "server" }],
  [15, { name: "DATA_LOSS", class: "data-loss" }],
  [16, { name: "UNAUTHENTICATED", class: "auth" }],
]);

/** HTTP statuses that differ from their hundred. 403, 409 and 503 also depend on headers. */
export const HTTP_TABLE: ReadonlyMap<number, TableEntry> = new Map(
  (
    [
      ["timeout", [408, 504]],
      ["throttled", [420, 429, 529]],
      ["replay-later", [423, 425]],
      ["auth", [401, 403, 407, 511]],
      ["tls-config", [525, 526]],
      ["permanent", [501, 505, 508]],
    ] as const
  ).flatMap(([errorClass, statuses]) =>
    statuses.map((status) => [status, { class: errorClass }] as const),
  ),
);

/** What an exit code means; any code but 0 that is not here is as good as unknown. */
export const EXIT_TABLE: ReadonlyMap<number, TableEntry> = new Map<number, TableEntry>([
  [75, { class: "subprocess", retry: "yes" }],
  ...[64, 65, 66, 77, 78, 126, 127].map((code): [number, TableEntry] => [
    code,
    { class: "subprocess", retry: "no" },
  ]),
  [137, { class: "crash" }],
  [139, { class: "subprocess", retry: "once" }],
]);

/** Exit codes that a shell would give for a death by signal, where the table knows them. */
export const SIGNAL_EXITS: ReadonlyMap<string, number> = new Map([
  ["SIGKILL", 137],
  ["SIGSEGV", 139],
]);

/** By the kind of our own abort reason. */
export const REASON_TABLE: ReadonlyMap<string, TableEntry> = makeLookup([
  [{ class: "timeout" }, "timeout"],
  [{ class: "deadline" }, "deadline"],
  [{ class: "fenced" }, "fenced"],
  [{ class: "cancelled" }, "user-cancel shutdown watchdog sibling"],
]);

/** Our own operating faults that are not simply `retryable` (then `server`) or not (then `permanent`). */
export const FAULT_TABLE: ReadonlyMap<string, TableEntry> = makeLookup([
  [{ class: "fenced" }, "LEASE_LOST"],
  [{ class: "cancelled" }, "SHUTDOWN"],
  [{ class: "breaker-open" }, "BREAKER_OPEN"],
  [{ class: "unknown" }, "OUTPUT_MISSING INTERNAL"],
]);

/** Names of errors that mean a fault in the code itself, when nothing else is known about them. */
export const BUG_TABLE: ReadonlyMap<string, TableEntry> = makeLookup([
  [{ class: "bug", retry: "no" }, "ReferenceError SyntaxError"],
  [{ class: "bug", retry: "once" }, "TypeError RangeError AssertionError"],
]);
