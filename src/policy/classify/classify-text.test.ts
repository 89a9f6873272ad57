import fc from "fast-check";
import { expect, test } from "vitest";
import { PermanentError } from "../../model/errors.ts";
import type { ErrorClass } from "../../model/outcome.ts";
import { classifyError, decideClass } from "./classify.ts";
import { classifyText } from "./classify-text.ts";

const PASSING: readonly (readonly [ErrorClass, string])[] = [
  ["timeout", "Request timed out"],
  ["timeout", "TIMEOUT while reading"],
  ["timeout", "socket.timeout: the read operation"],
  ["timeout", "requests.exceptions.ReadTimeout: gave up"],
  ["timeout", "time-out after 30 s"],
  ["timeout", "context deadline exceeded"],
  ["timeout", "connect ETIMEDOUT 10.0.0.1:443"],
  ["unreachable", "Connection refused"],
  ["unreachable", "getaddrinfo EAI_AGAIN api.example.com"],
  ["broken", "connection reset by peer"],
  ["broken", "The connection was closed unexpectedly"],
  ["broken", "Connection error."],
  ["broken", "openai.APIConnectionError: oops"],
  ["broken", "could not connect to the server"],
  ["broken", "Network Error"],
  ["broken", "write EPIPE"],
  ["throttled", "Rate limit reached for requests"],
  ["throttled", "you are being rate-limited"],
  ["throttled", "RateLimitError: please wait"],
  ["throttled", "429 Too Many Requests"],
  ["throttled", "ThrottlingException: slow"],
  ["server", "Service Unavailable"],
  ["server", "the model is temporarily unavailable"],
  ["server", "Overloaded"],
];

const LASTING: readonly string[] = [
  "SyntaxError: unexpected EOF",
  "TypeError: 'NoneType' object is not callable",
  "NameError: name 'x' is not defined",
  "AttributeError: no attribute 'y'",
  "ImportError: cannot load",
  "ModuleNotFoundError: no module named z",
  "syntax error near line 3",
  "File Not Found",
  "FileNotFoundError: gone",
  "Permission denied",
  "Invalid API key",
  "could not parse the answer",
  "ParseError at 1:1",
];

test.each(PASSING)(
  'R77: classifyText takes as %s, which is worth another try: "%s"',
  (name, text) => {
    expect(classifyText(new Error(text))).toBe(name);
    expect(classifyText(new Error(text.toUpperCase()))).toBe(name);
    expect(classifyText(text)).toBe(name);
    expect(["yes", "defer"]).toContain(decideClass(name));
    expect(classifyError(new Error(text)).class).toBe("unknown");
  },
);

test.each(LASTING)('R77: classifyText finds nothing to wait for in "%s"', (text) => {
  for (const said of [text, text.toLowerCase()]) {
    expect(decideClass(classifyText(new Error(said)) ?? "unknown")).toBe("no");
  }
  expect(classifyError(new Error(text)).class).toBe("unknown");
});

test("R77: errors of the language itself are told by their names", () => {
  for (const error of [new SyntaxError("x"), new TypeError("x"), new ReferenceError("x")]) {
    expect(classifyText(error)).toBe("permanent");
  }
});

test("R78: what an error carries besides words counts for more than its words", () => {
  const errors = [{ status: 404 }, { code: "ENOENT" }, { code: "E_OWN" }, { exitCode: 3 }];
  for (const fields of errors) {
    const error = Object.assign(new Error("timeout"), fields);
    expect(classifyText(error)).toBeUndefined();
    expect(classifyError(error, classifyText)).toEqual(classifyError(error));
  }
  expect(classifyText(new PermanentError("timeout"))).toBeUndefined();
  const inner = Object.assign(new Error("x"), { code: "ECONNRESET" });
  expect(classifyText(new Error("invalid", { cause: inner }))).toBeUndefined();
});

test.each([
  "boom",
  "paper_5031.pdf",
  "line 429",
  "timeout.log was empty",
  "wrote /var/run/timeout",
  "C:\\connection refused\\x is full",
  "see https://example.com/rate-limit",
  'the table "timeout" has no rows',
  "paper-timeout-2 is short",
  "paper_timeout is short",
  "untimeouted",
  "parsec units differ",
  "",
])('R81: parts of names, paths and files say nothing to classifyText: "%s"', (text) => {
  expect(classifyText(new Error(text))).toBeUndefined();
});

test("the words of a cause count, and a fault in the code before what may pass", () => {
  expect(classifyText(new Error("no answer", { cause: new Error("rate limit") }))).toBe(
    "throttled",
  );
  expect(classifyText("TypeError: the option timeout is a text")).toBe("permanent");
  expect(classifyText("invalid answer: connection reset")).toBe("broken");
});

test("classifyText never throws, whatever it is given, and is quick with long text", () => {
  fc.assert(
    fc.property(fc.anything(), (thrown) => {
      classifyText(thrown);
    }),
  );
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const thrown of [proxy, null, undefined, 7, Symbol("timeout")]) {
    expect(classifyText(thrown)).toBeUndefined();
  }
  for (const part of ["/a", "a.", "timeout-", "'a", "connection ", "pars"]) {
    expect(classifyText(part.repeat(200_000))).toBeUndefined();
  }
});
