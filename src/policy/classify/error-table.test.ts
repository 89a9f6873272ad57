// The table against a second writing of it, class by class in the order of the page that defines it. Whoever
// changes one has to change the other.

import { expect, test } from "vitest";
import { ERROR_CLASSES } from "../../model/outcome.ts";
import {
  BUG_TABLE,
  CLASS_VERDICTS,
  CODE_TABLE,
  EXECUTED_CLASSES,
  EXECUTED_CODES,
  EXIT_TABLE,
  FAULT_TABLE,
  GRPC_TABLE,
  HTTP_TABLE,
  isErrorClass,
  REASON_TABLE,
  SIGNAL_EXITS,
  SQLITE_NAMES,
  SQLITE_TABLE,
  SQLSTATE_TABLE,
  STORE_CLASSES,
} from "./error-table.ts";
import type { TableEntry } from "./error-table.ts";

test("every class has a verdict, and there is no verdict for anything else", () => {
  expect(Object.keys(CLASS_VERDICTS).toSorted()).toEqual([...ERROR_CLASSES].toSorted());
  expect(classesWith("yes")).toBe(
    "unreachable broken timeout server replay-later no-verdict db-conflict db-away db-full subprocess unknown",
  );
  expect(classesWith("no")).toBe(
    "auth tls-config permanent already-done data-loss local-config cancelled fenced deadline ambiguous breaker-open deferral-exhausted poison",
  );
  expect(classesWith("once")).toBe("dns-missing bug");
  expect(classesWith("defer")).toBe("throttled local-resource crash");
});

test("after some classes the other side may have done the work", () => {
  expect([...EXECUTED_CLASSES].join(" ")).toBe(
    "broken timeout already-done no-verdict subprocess crash bug cancelled unknown",
  );
  expect([...EXECUTED_CODES]).toEqual(["HTTP 500", "HTTP 502"]);
  expect([...STORE_CLASSES]).toEqual(["db-conflict", "db-away", "db-full"]);
});

function classesWith(verdict: string): string {
  return ERROR_CLASSES.filter((name) => CLASS_VERDICTS[name] === verdict).join(" ");
}

test("codes mean what the page says", () => {
  expect(rows(CODE_TABLE)).toEqual({
    unreachable:
      "EADDRNOTAVAIL EAI_AGAIN ECONNREFUSED EHOSTDOWN EHOSTUNREACH ENETDOWN ENETUNREACH UND_ERR_CONNECT_TIMEOUT",
    "dns-missing": "ENOTFOUND",
    broken:
      "ECONNABORTED ECONNRESET EPIPE ERR_STREAM_PREMATURE_CLOSE UND_ERR_REQ_CONTENT_LENGTH_MISMATCH UND_ERR_RES_CONTENT_LENGTH_MISMATCH UND_ERR_SOCKET",
    timeout: "ETIMEDOUT UND_ERR_BODY_TIMEOUT UND_ERR_HEADERS_TIMEOUT",
    "tls-config":
      "CERT_HAS_EXPIRED DEPTH_ZERO_SELF_SIGNED_CERT ERR_TLS_CERT_ALTNAME_INVALID UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    permanent:
      "ERR_FR_TOO_MANY_REDIRECTS ERR_INVALID_URL ERR_TOO_MANY_REDIRECTS UND_ERR_HEADERS_OVERFLOW UND_ERR_INVALID_ARG UND_ERR_RES_EXCEEDED_MAX_SIZE",
    "local-resource": "EAGAIN EDQUOT EMFILE ENFILE ENOMEM ENOSPC",
    "local-config": "EACCES ENAMETOOLONG ENOENT EPERM EROFS",
    crash: "ERR_WORKER_OUT_OF_MEMORY",
    cancelled: "UND_ERR_ABORTED",
  });
});

test("database results mean what the page says", () => {
  expect(rows(SQLITE_TABLE)).toEqual({
    "db-conflict": "SQLITE_BUSY SQLITE_LOCKED SQLITE_PROTOCOL SQLITE_SCHEMA",
    "data-loss": "SQLITE_CORRUPT SQLITE_NOTADB",
    "local-resource": "SQLITE_FULL",
    "local-config": "SQLITE_CANTOPEN SQLITE_READONLY",
  });
  expect([...SQLITE_NAMES.values()].toSorted()).toEqual([...SQLITE_TABLE.keys()].toSorted());
  expect(rows(SQLSTATE_TABLE)).toEqual({
    timeout: "57014",
    "no-verdict": "08007 40003 XX000",
    "data-loss": "XX001 XX002",
    "db-conflict": "40001 40P01 55006 55P03",
    "db-away": "08000 08001 08003 08006 25006 57P01 57P02 57P03 57P05",
    "db-full": "53000 53100 53200 53300 53400 58030",
    "local-config": "3D000 57P04",
    auth: "28",
    permanent: "0A 22 23 42 54",
  });
});

test("statuses of HTTP and gRPC mean what the page says", () => {
  expect(rows(HTTP_TABLE)).toEqual({
    timeout: "408 504",
    throttled: "420 429 529",
    "replay-later": "423 425",
    auth: "401 403 407 511",
    "tls-config": "525 526",
    permanent: "501 505 508",
  });
  const byName = new Map([...GRPC_TABLE.values()].map((entry) => [entry.name, entry]));
  expect([...GRPC_TABLE.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  expect(rows(byName)).toEqual({
    timeout: "DEADLINE_EXCEEDED",
    throttled: "RESOURCE_EXHAUSTED",
    server: "ABORTED UNAVAILABLE",
    auth: "PERMISSION_DENIED UNAUTHENTICATED",
    permanent: "FAILED_PRECONDITION INVALID_ARGUMENT NOT_FOUND OUT_OF_RANGE UNIMPLEMENTED",
    "already-done": "ALREADY_EXISTS",
    "no-verdict": "CANCELLED INTERNAL UNKNOWN",
    "data-loss": "DATA_LOSS",
  });
});

test("exits, reasons, faults and names of errors mean what the page says", () => {
  expect(rows(EXIT_TABLE)).toEqual({
    "subprocess, yes": "75",
    "subprocess, no": "126 127 64 65 66 77 78",
    "subprocess, once": "139",
    crash: "137",
  });
  expect([...SIGNAL_EXITS]).toEqual([
    ["SIGKILL", 137],
    ["SIGSEGV", 139],
  ]);
  expect(rows(REASON_TABLE)).toEqual({
    timeout: "timeout",
    deadline: "deadline",
    fenced: "fenced",
    cancelled: "shutdown sibling user-cancel watchdog",
  });
  expect(rows(FAULT_TABLE)).toEqual({
    fenced: "LEASE_LOST",
    cancelled: "SHUTDOWN",
    "breaker-open": "BREAKER_OPEN",
    unknown: "INTERNAL OUTPUT_MISSING",
  });
  expect(rows(BUG_TABLE)).toEqual({
    "bug, no": "ReferenceError SyntaxError",
    "bug, once": "AssertionError RangeError TypeError",
  });
});

test.each(["constructor", "__proto__", "toString", "hasOwnProperty", ""])(
  'the name "%s", which every object knows, is in no table',
  (name) => {
    for (const table of [CODE_TABLE, SQLITE_TABLE, SQLSTATE_TABLE, REASON_TABLE, FAULT_TABLE]) {
      expect(table.get(name)).toBeUndefined();
    }
    expect(isErrorClass(name)).toBe(false);
  },
);

test("only names of classes are classes", () => {
  expect(ERROR_CLASSES.every(isErrorClass)).toBe(true);
  expect([null, undefined, 0, {}, "Server", "permanent "].some(isErrorClass)).toBe(false);
});

/** The table turned round: signals by class, in alphabetical order. */
function rows(table: ReadonlyMap<string | number, TableEntry>): Record<string, string> {
  const found = new Map<string, string[]>();
  for (const [signal, entry] of table) {
    const name = entry.retry === undefined ? entry.class : `${entry.class}, ${entry.retry}`;
    found.set(name, [...(found.get(name) ?? []), String(signal)].toSorted());
  }
  return Object.fromEntries([...found].map(([name, signals]) => [name, signals.join(" ")]));
}
