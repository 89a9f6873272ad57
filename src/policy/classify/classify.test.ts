import { AssertionError } from "node:assert";
import { execFile } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AbortReason, ABORT_KINDS } from "../../model/context.ts";
import {
  MillraceError,
  PermanentError,
  ThrottledError,
  TransientError,
} from "../../model/errors.ts";
import { ERROR_CLASSES, type ErrorClass } from "../../model/outcome.ts";
import { classifyError, decideClass, type Classified } from "./classify.ts";

function errorWith(fields: object, message = "boom"): Error {
  return Object.assign(new Error(message), fields);
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

test("R76: HTTP 408, 429, 500, 502, 503 and 504 are worth another attempt; 400, 401, 403, 404, 405 and 422 are not", () => {
  const verdict = (status: number): string => classifyError(errorWith({ status })).retry;
  expect([408, 500, 502, 503, 504].map(verdict)).toEqual(["yes", "yes", "yes", "yes", "yes"]);
  expect(verdict(429)).toBe("defer");
  expect([400, 401, 403, 404, 405, 422].map(verdict)).toEqual(["no", "no", "no", "no", "no", "no"]);
  for (const name of ERROR_CLASSES)
    expect(["yes", "no", "once", "defer"]).toContain(decideClass(name));
});

test("R82: 500, ECONNRESET, ECONNREFUSED and EAI_AGAIN are retried; unauthorized, forbidden, ENOENT and EACCES are not", () => {
  const verdict = (fields: object): string => classifyError(errorWith(fields)).retry;
  expect(verdict({ status: 500 })).toBe("yes");
  expect(verdict({ code: "ECONNRESET" })).toBe("yes");
  expect(verdict({ code: "ECONNREFUSED" })).toBe("yes");
  expect(verdict({ code: "EAI_AGAIN" })).toBe("yes");
  expect(verdict({ status: 401 })).toBe("no");
  expect(verdict({ status: 403 })).toBe("no");
  expect(verdict({ code: "ENOENT" })).toBe("no");
  expect(verdict({ code: "EACCES" })).toBe("no");
});

test.each([
  ["paper_5031.pdf is missing", {}],
  ["syntax error on line 429", {}],
  ["timeout of ECONNRESET, HTTP 503, rate limit, invalid, unauthorized", {}],
  ["/srv/404/500.txt", { path: "/srv/404", line: 503, column: 429 }],
])('R81: words and numbers in a message classify nothing: "%s"', (message, fields) => {
  const { class: errorClass, retry, code } = classifyError(errorWith(fields, message));
  expect([errorClass, retry, code]).toEqual(["unknown", "yes", undefined]);
});

test("R78: evidence is taken in order, and a text says nothing against a status", () => {
  expect(classifyError(errorWith({ status: 404 }, "timeout"))).toEqual({
    class: "permanent",
    retry: "no",
    code: "HTTP 404",
  });
  const exit = { exitCode: 64 };
  const sql = { ...exit, code: "40001" };
  const grpc = { ...exit, code: 14, metadata: {} };
  const http = { ...grpc, status: 502 };
  const coded = { status: 502, code: "ENOENT" };
  const reason = new AbortReason("timeout", "over");
  const named = (): ErrorClass => "auth";
  const classOf = (fields: object): string => classifyError(errorWith(fields)).class;
  expect(classOf({})).toBe("unknown");
  expect(classOf(exit)).toBe("subprocess");
  expect(classOf(sql)).toBe("db-conflict");
  expect(classOf(grpc)).toBe("server");
  expect(classOf(http)).toBe("server");
  expect(classOf(coded)).toBe("local-config");
  expect(classifyError(errorWith(coded), named).class).toBe("auth");
  expect(classifyError(Object.assign(reason, coded), named).class).toBe("timeout");
  expect(classifyError(Object.assign(reason, { millraceClass: "server" }), named).class).toBe(
    "server",
  );
});

test("our own three errors say their class, also from another copy of the package or wrapped", () => {
  expect(classifyError(new TransientError("x"))).toEqual({ class: "server", retry: "yes" });
  expect(classifyError(new PermanentError("x", { cause: errorWith({ status: 503 }) }))).toEqual({
    class: "permanent",
    retry: "no",
    code: "HTTP 503",
  });
  expect(classifyError(new Error("page 3", { cause: new PermanentError("x") })).class).toBe(
    "permanent",
  );
  expect(classifyError(errorWith({ millraceClass: "throttled", retryAfter: "5s" }))).toEqual({
    class: "throttled",
    retry: "defer",
    hintMs: 5_000,
  });
  expect(classifyError(errorWith({ millraceClass: "constructor" })).class).toBe("unknown");
});

test("a throttled error's wait is a duration, or as a Retry-After header says it", () => {
  expect(classifyError(new ThrottledError("x", { retryAfter: "2m" })).hintMs).toBe(120_000);
  expect(classifyError(new ThrottledError("x", { retryAfter: 250 })).hintMs).toBe(250);
  const hintOf = (retryAfter: string | null): number | undefined =>
    classifyError(new ThrottledError("x", { retryAfter }), null, Date.parse("2015-10-21T07:28:00Z"))
      .hintMs;
  expect(hintOf("120")).toBe(120_000);
  expect(hintOf(" 0 ")).toBe(0);
  expect(hintOf("Wed, 21 Oct 2015 07:28:30 GMT")).toBe(30_000);
  expect(hintOf("Wed, 21 Oct 2015 07:27:30 GMT")).toBeUndefined();
  for (const none of ["soon", "-5", "1.5", null]) expect(hintOf(none)).toBeUndefined();
  expect(classifyError(new ThrottledError("x")).hintMs).toBeUndefined();
});

test("our own abort reasons have their classes, thrown as they are or under the platform's AbortError", () => {
  const expected = {
    timeout: "timeout",
    deadline: "deadline",
    fenced: "fenced",
    "user-cancel": "cancelled",
    shutdown: "cancelled",
    watchdog: "cancelled",
    sibling: "cancelled",
  } as const;
  for (const kind of ABORT_KINDS) {
    const reason = new AbortReason(kind, "over");
    const wrapped = Object.assign(new Error("aborted", { cause: reason }), {
      name: "AbortError",
      code: "ABORT_ERR",
    });
    expect(classifyError(reason).class).toBe(expected[kind]);
    expect(classifyError(wrapped).class).toBe(expected[kind]);
  }
});

test("an abort that is not ours, such as a stage's own time limit, is unknown and so retried", () => {
  const controller = new AbortController();
  controller.abort();
  expect(classifyError(controller.signal.reason)).toMatchObject({ class: "unknown", retry: "yes" });
  expect(classifyError(errorWith({ name: "AbortError", kind: "constructor" })).class).toBe(
    "unknown",
  );
  expect(classifyError(errorWith({ name: "AbortError", code: "UND_ERR_ABORTED" })).class).toBe(
    "cancelled",
  );
  expect(classifyError(new DOMException("late", "TimeoutError"))).toMatchObject({
    class: "timeout",
  });
});

test("a hook that throws, or says nothing, leaves the table to answer; its fault is told", () => {
  const error = errorWith({ status: 404 });
  const known = { class: "permanent", retry: "no", code: "HTTP 404" };
  const throws = (thrown: unknown) => (): ErrorClass => {
    throw thrown;
  };
  expect(classifyError(error, null)).toEqual(known);
  expect(classifyError(error, () => undefined)).toEqual(known);
  expect(Reflect.apply(classifyError, undefined, [error, () => null])).toEqual(known);
  expect(classifyError(error, throws(new Error("no")))).toEqual({ ...known, hookFault: "no" });
  expect(classifyError(error, throws("text"))).toEqual({ ...known, hookFault: "text" });
  expect(classifyError(error, throws(Object.create(null))).hookFault).toBe("an unreadable value");
});

test.each([
  ["Server", '"Server", which is no class (did you mean "server"?); expected'],
  ["retryable", '"retryable", which is no class; expected the name of an error class, or'],
  ["constructor", '"constructor", which is no class;'],
  [7, "answered 7;"],
  [{ class: "server" }, "answered an object;"],
])("a hook that names no class, as in %j, is a permanent failure that says so", (said, words) => {
  const error = errorWith({ status: 503 });
  const classified = Reflect.apply(classifyError, undefined, [error, () => said]);
  expect(classified).toMatchObject({ class: "permanent", retry: "no", code: "OPTION_INVALID" });
  const { instead } = classified;
  expect(instead).toBeInstanceOf(MillraceError);
  expect(instead).toMatchObject({ cause: error, code: "OPTION_INVALID" });
  expect(instead?.message).toContain(words);
  expect(instead instanceof MillraceError ? instead.hint : "").toContain("known: unreachable, ");
});

test("an async hook is refused by name, and its rejection ends nothing", async () => {
  const hook = (): Promise<string> => Promise.reject(new Error("late"));
  const classified = Reflect.apply(classifyError, undefined, [new Error("x"), hook]);
  expect(classified.instead?.message).toContain("a promise: it cannot be async");
  await new Promise(setImmediate);
});

test("a hook is not asked where the error names its class, or is our own abort", () => {
  const hook = (): ErrorClass => {
    throw new Error("asked");
  };
  expect(classifyError(new TransientError("x"), hook)).toEqual({ class: "server", retry: "yes" });
  expect(classifyError(new AbortReason("timeout", "late"), hook).hookFault).toBeUndefined();
});

test("a hook sees what was thrown; code and hint come from the error all the same", () => {
  const error = errorWith({ status: 400, headers: { "Retry-After": "7" } });
  const hook = (thrown: unknown): ErrorClass | undefined =>
    thrown === error ? "throttled" : undefined;
  expect(classifyError(error, hook)).toEqual({
    class: "throttled",
    retry: "defer",
    code: "HTTP 400",
    hintMs: 7_000,
  });
  const dns = classifyError(error, () => "dns-missing");
  expect(dns).toMatchObject({ retry: "once", delayMs: 2_000 });
});

test("codes are found under causes and gathered errors: fetch hides the real one there", () => {
  const reset = errorWith({ code: "ECONNRESET" });
  expect(classifyError(new TypeError("fetch failed", { cause: reset }))).toEqual({
    class: "broken",
    retry: "yes",
    code: "ECONNRESET",
  });
  const gathered = new AggregateError([errorWith({ status: 404 }), reset]);
  expect(classifyError(new Error("x", { cause: gathered })).class).toBe("broken");
});

test.each([
  [{ status: 404 }, "permanent"],
  [{ code: 14, details: "" }, "server"],
  [{ code: "23505" }, "permanent"],
  [{ exitCode: 64 }, "subprocess"],
  [{ signal: "SIGKILL" }, "crash"],
  [{ millraceClass: "auth" }, "auth"],
  [{ code: "ERR_SQLITE_ERROR", errcode: 5 }, "db-conflict"],
])("evidence of every kind counts under a cause: %o", (fields, expected) => {
  const wrapped = new Error("outer", { cause: new Error("middle", { cause: errorWith(fields) }) });
  expect(classifyError(wrapped).class).toBe(expected);
});

test("the search goes eight deep and ends in a cycle", () => {
  let error = errorWith({ code: "ECONNRESET" });
  for (let depth = 1; depth < 8; depth++) error = new Error(`depth ${depth}`, { cause: error });
  expect(classifyError(error).class).toBe("broken");
  expect(classifyError(new Error("depth 8", { cause: error })).class).toBe("unknown");

  const cycle = errorWith({ millraceClass: "no class" });
  const back = new AggregateError([cycle], "back", { cause: cycle });
  Object.assign(cycle, { cause: back });
  expect(classifyError(cycle).class).toBe("unknown");
});

test("the search looks at a bounded number of gathered errors", () => {
  const many = Array.from({ length: 1_000 }, () => new Error("x"));
  many.push(errorWith({ code: "ECONNRESET" }));
  expect(classifyError(new AggregateError(many)).class).toBe("unknown");
});

test("gathered connect errors alone mean unreachable; with anything else among them they do not", () => {
  const refused = errorWith({ code: "ECONNREFUSED" });
  const late = errorWith({ code: "ETIMEDOUT", syscall: "connect" });
  const silent = errorWith({ code: "ETIMEDOUT", syscall: "read" });
  const both = Object.assign(new AggregateError([refused, late]), { code: "ETIMEDOUT" });
  expect(classifyError(both)).toEqual({ class: "unreachable", retry: "yes", code: "ETIMEDOUT" });
  expect(classifyError(new AggregateError([late, refused]))).toMatchObject({
    class: "unreachable",
    code: "ETIMEDOUT",
  });
  expect(classifyError(new AggregateError([silent, refused])).class).toBe("timeout");
  expect(classifyError(new AggregateError([])).class).toBe("unknown");
  expect(classifyError(late).class).toBe("unreachable");
  expect(classifyError(silent).class).toBe("timeout");
});

test("a missing name is asked for once more, after two seconds", () => {
  expect(classifyError(errorWith({ code: "ENOTFOUND" }))).toEqual({
    class: "dns-missing",
    retry: "once",
    code: "ENOTFOUND",
    delayMs: 2_000,
  });
});

test("answers that are no HTTP are retried once", () => {
  const classified = classifyError(errorWith({ code: "HPE_INVALID_CONSTANT" }));
  expect(classified).toEqual({ class: "broken", retry: "once", code: "HPE_INVALID_CONSTANT" });
});

test.each([
  [400, "permanent"],
  [402, "permanent"],
  [404, "permanent"],
  [409, "permanent"],
  [410, "permanent"],
  [418, "permanent"],
  [451, "permanent"],
  [500, "server"],
  [507, "server"],
  [520, "server"],
  [524, "server"],
  [530, "server"],
  [599, "server"],
  [501, "permanent"],
  [525, "tls-config"],
  [529, "throttled"],
  [425, "replay-later"],
  [511, "auth"],
])("HTTP %i is %s", (status, expected) => {
  expect(classifyError(errorWith({ status })).class).toBe(expected);
  expect(classifyError(errorWith({ statusCode: status })).class).toBe(expected);
  expect(classifyError(errorWith({ response: { status } }))).toMatchObject({
    class: expected,
    code: `HTTP ${status}`,
  });
  expect(classifyError({ response: { statusCode: status } }).class).toBe(expected);
});

test.each([200, 302, 399, 600, 0, 404.5, "404", null])("status %s is no evidence", (status) => {
  expect(classifyError(errorWith({ status })).class).toBe("unknown");
});

test("403, 409 and 503 mean something else when the answer says when to come back", () => {
  const headers = { "retry-after": "3" };
  const classOf = (fields: object): Classified => classifyError(errorWith(fields));
  expect(classOf({ status: 403, headers })).toMatchObject({ class: "throttled", hintMs: 3_000 });
  expect(classOf({ status: 503, headers })).toMatchObject({ class: "throttled", hintMs: 3_000 });
  expect(classOf({ status: 409, headers })).toMatchObject({ class: "replay-later", hintMs: 3_000 });
  expect(classOf({ status: 500, headers })).toMatchObject({ class: "server", hintMs: 3_000 });
  expect(classOf({ status: 403, headers: { "x-ratelimit-remaining": "0" } }).class).toBe(
    "throttled",
  );
  expect(classOf({ status: 403, headers: { "RateLimit-Remaining": 0 } }).class).toBe("throttled");
  expect(classOf({ status: 403, headers: { "x-ratelimit-remaining": "1" } }).class).toBe("auth");
  expect(classOf({ status: 503, headers: { "retry-after": "-3" } }).class).toBe("server");
});

test("a number as code is gRPC only beside metadata or details", () => {
  const metadata = { get: () => [] };
  expect(classifyError(errorWith({ code: 14, metadata }))).toEqual({
    class: "server",
    retry: "yes",
    code: "gRPC UNAVAILABLE",
  });
  expect(classifyError(errorWith({ code: 8, details: "slow down" })).class).toBe("throttled");
  expect(classifyError(errorWith({ code: 14 })).class).toBe("unknown");
  expect(classifyError(errorWith({ code: 0, details: "" })).class).toBe("unknown");
  expect(classifyError(errorWith({ code: 17, details: "" })).class).toBe("unknown");
});

test("push-back of gRPC is a hint, and a negative or invalid one forbids another attempt", () => {
  const pushBack = (value: unknown): Classified =>
    classifyError(errorWith({ code: 14, metadata: { "grpc-retry-pushback-ms": value } }));
  expect(pushBack("1500")).toMatchObject({ class: "server", retry: "yes", hintMs: 1_500 });
  expect(pushBack(["20"])).toMatchObject({ hintMs: 20 });
  expect(pushBack("-1")).toMatchObject({ class: "server", retry: "no" });
  expect(pushBack("soon")).toMatchObject({ class: "server", retry: "no" });
});

test("SQLSTATE is read whole, then by its class; other codes of five letters are none", () => {
  const classOf = (code: string): string => classifyError(errorWith({ code })).class;
  expect(classOf("40001")).toBe("db-conflict");
  expect(classOf("23505")).toBe("permanent");
  expect(classOf("28P01")).toBe("auth");
  expect(classOf("57P04")).toBe("local-config");
  expect(classOf("40002")).toBe("unknown");
  expect(classOf("ESRCH")).toBe("unknown");
  expect(classOf("EPERM")).toBe("local-config");
  expect(classOf("2250")).toBe("unknown");
});

test("SQLite's results are read by name or number, extended ones as their primary one", () => {
  const classOf = (fields: object): string => classifyError(errorWith(fields)).class;
  expect(classOf({ code: "SQLITE_BUSY_SNAPSHOT" })).toBe("db-conflict");
  expect(classOf({ code: "SQLITE_READONLY_DBMOVED" })).toBe("local-config");
  expect(classOf({ code: "SQLITE_CONSTRAINT" })).toBe("unknown");
  expect(classOf({ code: "ERR_SQLITE_ERROR", errcode: 517 })).toBe("db-conflict");
  expect(classOf({ code: "ERR_SQLITE_ERROR", errcode: 267 })).toBe("data-loss");
  expect(classOf({ code: "ERR_SQLITE_ERROR", errcode: 1 })).toBe("unknown");
  expect(classOf({ code: "ERR_SQLITE_ERROR" })).toBe("unknown");
});

test.each([
  [75, { class: "subprocess", retry: "yes" }],
  [64, { class: "subprocess", retry: "no" }],
  [127, { class: "subprocess", retry: "no" }],
  [139, { class: "subprocess", retry: "once" }],
  [137, { class: "crash", retry: "defer" }],
  [3, { class: "subprocess", retry: "yes", asUnknown: true }],
  [143, { class: "subprocess", retry: "yes", asUnknown: true }],
])("exit code %i means %o", (exitCode, expected) => {
  const classified = classifyError(errorWith({ exitCode }));
  expect(classified).toEqual({ ...expected, code: `exit ${exitCode}` });
});

test("a death by signal counts as the exit code a shell gives it", () => {
  const classOf = (fields: object): Classified => classifyError(errorWith(fields));
  expect(classOf({ signal: "SIGKILL" })).toMatchObject({ class: "crash", code: "SIGKILL" });
  expect(classOf({ signal: "SIGSEGV" })).toMatchObject({ class: "subprocess", retry: "once" });
  expect(classOf({ signal: "SIGTERM" })).toMatchObject({ class: "subprocess", asUnknown: true });
  expect(classOf({ signal: "sigkill" }).class).toBe("unknown");
  expect(classOf({ exitCode: 0, signal: null }).class).toBe("unknown");
});

test("errors of real child processes are understood", async () => {
  const failing = await new Promise<unknown>((resolve) => {
    execFile(process.execPath, ["-e", "process.exit(75)"], resolve);
  });
  expect(classifyError(failing)).toMatchObject({
    class: "subprocess",
    retry: "yes",
    code: "exit 75",
  });
  const missing = await new Promise<unknown>((resolve) => {
    execFile(`${process.execPath}-that-is-missing`, [], resolve);
  });
  expect(classifyError(missing)).toMatchObject({ class: "local-config", code: "ENOENT" });
});

test("faults in the code are bugs: some never retried, some once, unless their cause says more", () => {
  const verdictOf = (error: unknown): readonly string[] => {
    const { class: errorClass, retry } = classifyError(error);
    return [errorClass, retry];
  };
  expect(verdictOf(new ReferenceError("x is not defined"))).toEqual(["bug", "no"]);
  expect(verdictOf(new SyntaxError("Unexpected token"))).toEqual(["bug", "no"]);
  expect(verdictOf(new TypeError("x is not a function"))).toEqual(["bug", "once"]);
  expect(verdictOf(new RangeError("Invalid array length"))).toEqual(["bug", "once"]);
  expect(verdictOf(new AssertionError({ message: "no" }))).toEqual(["bug", "once"]);
  expect(verdictOf(new TypeError("fetch failed", { cause: new Error("?") }))).toEqual([
    "unknown",
    "yes",
  ]);
  expect(verdictOf(new Error("wrapped", { cause: new TypeError("x") }))).toEqual([
    "unknown",
    "yes",
  ]);
  expect(verdictOf(errorWith({ name: "constructor" }))).toEqual(["unknown", "yes"]);
});

test("our own operating faults go by what they say about another try", () => {
  const classOf = (...of: ConstructorParameters<typeof MillraceError>): Classified =>
    classifyError(new MillraceError(...of));
  expect(classOf("STORE_BUSY", "x", { retryable: true })).toEqual({
    class: "server",
    retry: "yes",
    code: "STORE_BUSY",
  });
  expect(classOf("VALUE_NOT_STORABLE", "x").class).toBe("permanent");
  expect(classOf("LEASE_LOST", "x").class).toBe("fenced");
  expect(classOf("SHUTDOWN", "x").class).toBe("cancelled");
  expect(classOf("OUTPUT_MISSING", "x").class).toBe("unknown");
});

test("the code of an unknown error is kept for people", () => {
  expect(classifyError(errorWith({ code: "E_CUSTOM" })).code).toBe("E_CUSTOM");
  expect(classifyError(errorWith({ code: "" })).code).toBeUndefined();
  expect(classifyError(errorWith({ exitCode: 2 }), () => "server").code).toBe("exit 2");
});

test("whatever is thrown gets a class", () => {
  const thrown = [undefined, null, 0, "text", Symbol("x"), 10n, () => 1, {}, [], revoked()];
  for (const one of thrown) expect(classifyError(one)).toEqual({ class: "unknown", retry: "yes" });
});

test("getters that throw and revoked proxies count as absent", () => {
  const hostile = errorWith({
    errors: revoked(),
    headers: revoked(),
    metadata: revoked(),
    code: 14,
  });
  Object.defineProperty(hostile, "cause", {
    get(): never {
      throw new Error("no");
    },
  });
  expect(classifyError(hostile).class).toBe("server");
  const closed = new Proxy(errorWith({ code: "E_X" }), {
    has(): never {
      throw new Error("no");
    },
  });
  expect(classifyError(closed).class).toBe("unknown");
});

test("no value makes it throw, and the verdict is always one of the four", () => {
  const field = fc.constantFrom(
    "code",
    "status",
    "statusCode",
    "response",
    "headers",
    "cause",
    "errors",
    "exitCode",
    "signal",
    "metadata",
    "details",
    "name",
    "kind",
    "millraceClass",
    "retryAfter",
    "message",
    "cmd",
    "errcode",
    "syscall",
  );
  const anything = fc.anything({ key: field, maxDepth: 4, withNullPrototype: true });
  fc.assert(
    fc.property(anything, (thrown) => {
      const { class: errorClass, retry, hintMs } = classifyError(thrown, undefined, 0);
      expect(ERROR_CLASSES).toContain(errorClass);
      expect(["yes", "no", "once", "defer"]).toContain(retry);
      expect(hintMs === undefined || hintMs >= 0).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("a block that an open breaker refuses fails by its class, as a stage does", () => {
  const refused = new MillraceError("BREAKER_OPEN", "The breaker is open.");

  expect(classifyError(refused)).toMatchObject({ class: "breaker-open", retry: "no" });
});
