import fc from "fast-check";
import { expect, test } from "vitest";
import { ERROR_CHARS_MAX } from "../model/limits.ts";
import { classifyError } from "./classify/classify.ts";
import {
  fingerprintOf,
  makeFailure,
  messageOf,
  sentenceOf,
  type FailureOptions,
} from "./failure.ts";

function failureOf(
  error: unknown,
  rest: Partial<FailureOptions> = {},
): ReturnType<typeof makeFailure> {
  return makeFailure({ error, classified: classifyError(error), attempts: 1, ...rest });
}

test("a failure keeps class, code, message, counts and place", () => {
  const error = Object.assign(new Error("bad gateway"), { status: 502 });
  const failure = failureOf(error, {
    attempts: 3,
    first: { message: "refused" },
    distinct: 2,
    stage: "fetch",
    item: { key: "a", index: 4 },
  });
  expect(failure).toEqual({
    class: "server",
    code: "HTTP 502",
    message: "bad gateway",
    attempts: 3,
    firstMessage: "refused",
    distinct: 2,
    stage: "fetch",
    item: { key: "a", index: 4 },
    fingerprint: fingerprintOf("server", "HTTP 502", "bad gateway"),
    error: { name: "Error", message: "bad gateway", status: 502, stack: error.stack },
  });
});

test("what is told instead of an error takes its place, with the error as its cause", () => {
  const error = new Error("boom");
  const classified = Reflect.apply(classifyError, undefined, [error, () => "sever"]);
  const failure = makeFailure({ error, classified, attempts: 1, first: { message: "boom" } });
  expect(failure).toMatchObject({
    class: "permanent",
    code: "OPTION_INVALID",
    firstMessage: "boom",
    error: { name: "MillraceError", cause: { message: "boom" } },
  });
  expect(sentenceOf(failure, 'Stage "a"')).toContain('"classify" answered "sever"');
  expect(sentenceOf(failure, 'Stage "a"')).toContain("First error: boom.");
});

test("what is absent or says nothing new is left out", () => {
  const failure = failureOf(new Error("boom"), { first: { message: "boom" } });
  expect(Object.keys(failure)).toEqual(["class", "message", "attempts", "fingerprint", "error"]);
});

test.each([
  ["text", 'threw "text"'],
  ["", 'threw ""'],
  [undefined, "threw undefined"],
  [null, "threw null"],
  [42, "threw 42"],
  [Symbol("x"), "threw Symbol(x)"],
  [() => 1, "threw a function"],
  [{ a: 1 }, 'threw {"a":1}'],
  [{ message: "lost" }, "lost"],
  [new Error(""), "Error without a message"],
  [{ message: "" }, "Error without a message"],
  [new TypeError("", { cause: new Error("inner") }), "TypeError: inner"],
  [new AggregateError([new Error("one"), new Error("two")]), "AggregateError: one"],
])("the message of what was thrown is never empty (case %#)", (thrown, message) => {
  expect(messageOf(thrown)).toBe(message);
});

test("every text is bounded, and says how much is gone", () => {
  const long = "x".repeat(100_000);
  const failure = failureOf(Object.assign(new Error(long), { code: long }), {
    first: { message: `${long}y` },
  });
  expect(failure.message.length).toBeLessThanOrEqual(ERROR_CHARS_MAX);
  expect(failure.message.length).toBeGreaterThan(ERROR_CHARS_MAX - 10);
  expect(failure.message).toMatch(/\(\+\d+ characters\)$/);
  expect(failure.firstMessage?.length).toBeLessThanOrEqual(ERROR_CHARS_MAX);
  expect(failure.code?.length).toBeLessThanOrEqual(200);
});

test("the error itself is kept as far as 16 KiB of text hold it: details go first, causes last", () => {
  const big = "d".repeat(10_000);
  const small = failureOf(Object.assign(new Error("x", { cause: new Error("why") }), { big }));
  expect(small.error).toMatchObject({ details: { big }, cause: { message: "why" } });

  const details = failureOf(
    Object.assign(new Error("x", { cause: new Error("why") }), { big, more: big }),
  );
  expect(details.error).not.toHaveProperty("details");
  expect(details.error).toMatchObject({ cause: { message: "why" }, stack: expect.any(String) });

  const withStack = (message: string, stack: string, cause?: unknown): Error =>
    Object.assign(new Error(message, { cause }), { stack });
  const inner = failureOf(withStack("x", "at x", withStack("why", big + big)));
  expect(inner.error).toMatchObject({ stack: "at x", cause: { name: "Error", message: "why" } });
  expect(inner.error?.cause).not.toHaveProperty("stack");

  const outer = failureOf(withStack("x", big + big, withStack("why", "at y")));
  expect(outer.error).not.toHaveProperty("stack");
  expect(outer.error?.cause).toEqual({ name: "Error", message: "why" });

  const alone = failureOf(withStack("x", "at x", withStack(big + big, "at y")));
  expect(alone.error).toEqual({ name: "Error", message: "x", stack: "at x" });

  const gathered = failureOf(
    new AggregateError([withStack("one", big), withStack("two", big)], "both"),
  );
  expect(gathered.error?.errors).toEqual([
    { name: "Error", message: "one" },
    { name: "Error", message: "two" },
  ]);
});

test("where even the head is too long it is cut", () => {
  const long = "\u0001".repeat(20_000);
  const error = Object.assign(new Error(long), {
    name: long,
    code: long,
    status: 500,
    stack: undefined,
  });
  const { error: envelope } = failureOf(error);
  expect(envelope).toMatchObject({ status: 500 });
  expect(envelope?.message.length).toBe(2_000);
  expect(String(envelope?.code).length).toBe(100);
  const numbered = Object.assign(new Error(long), { code: 7, stack: undefined });
  expect(failureOf(numbered).error).toMatchObject({ name: "Error", code: 7 });
  const bare = Object.assign(new Error(long), { stack: undefined });
  expect(Object.keys(failureOf(bare).error ?? {})).toEqual(["name", "message"]);
});

test("whatever was thrown becomes a bounded failure", () => {
  fc.assert(
    fc.property(
      fc.anything({ maxDepth: 4, withNullPrototype: true, withBigInt: true }),
      (thrown) => {
        const failure = failureOf(thrown);
        expect(failure.message.length).toBeGreaterThan(0);
        expect(failure.message.length).toBeLessThanOrEqual(ERROR_CHARS_MAX);
        expect(JSON.stringify(failure.error).length).toBeLessThanOrEqual(ERROR_CHARS_MAX);
        expect(failure.fingerprint).toMatch(/^[0-9a-f]{12}$/);
      },
    ),
    { numRuns: 500 },
  );
});

test.each([
  ["page 3 of 12 is empty", "page 40 of 1,200 is empty"],
  ['no file "a.pdf"', 'no file "another file.pdf"'],
  ["no file 'a.pdf' here", "no file 'b.pdf' here"],
  ["no file `a.pdf`", "no file `b.pdf`"],
  [
    "run 0190c3a2-7c1e-7b44-9d2a-0123456789ab lost",
    "run 0190C3A2-FFFF-7b44-9d2a-ba9876543210 lost",
  ],
  ["commit 1f3870be274f is gone", "commit c4ca4238a0b923820dcc509a6f75849b is gone"],
  ["at 0x7ffe01", "at 0xdead"],
  ["waited 1.5s, then 30ms", "waited 22s, then 4.75ms"],
  ["connect ECONNREFUSED 127.0.0.1:80", "connect ECONNREFUSED 10.0.0.7:8080"],
])("equal failures of different items have one fingerprint: %s", (one, other) => {
  expect(fingerprintOf("server", undefined, one)).toBe(fingerprintOf("server", undefined, other));
});

test("different failures have different fingerprints", () => {
  const prints = [
    fingerprintOf("server", undefined, "refused"),
    fingerprintOf("broken", undefined, "refused"),
    fingerprintOf("server", "HTTP 500", "refused"),
    fingerprintOf("server", "HTTP 502", "refused"),
    fingerprintOf("server", undefined, "reset"),
    fingerprintOf("server", undefined, "beset"),
    fingerprintOf("server", undefined, "the readers' list can't be decided on"),
    fingerprintOf("server", undefined, "the readers' table can't be decided on"),
  ];
  expect(new Set(prints).size).toBe(prints.length);
});

test("R84: the sentence names the stage, the attempts made, the last error and the first", () => {
  const failure = failureOf(new Error("HTTP 502."), { attempts: 3, first: { message: "refused" } });
  expect(sentenceOf(failure, 'Stage "fetch"')).toBe(
    'Stage "fetch" failed after 3 attempts. Last error: HTTP 502. First error: refused.',
  );
});

test("the sentence says one error once, and counts none, one and many", () => {
  expect(sentenceOf(failureOf(new Error("boom")), 'Stage "a"')).toBe(
    'Stage "a" failed after 1 attempt. Error: boom.',
  );
  expect(sentenceOf(failureOf(new Error("boom"), { attempts: 0 }), 'Stage "a"')).toBe(
    'Stage "a" failed before it started. Error: boom.',
  );
  expect(sentenceOf(failureOf(new Error("gone!"), { attempts: 2 }), 'Item "k"')).toBe(
    'Item "k" failed after 2 attempts. Error: gone!',
  );
});

test("the sentence adds the innermost cause where the message does not say it", () => {
  const refused = new Error("connect ECONNREFUSED 127.0.0.1:1");
  const failed = new TypeError("fetch failed", { cause: new Error("", { cause: refused }) });
  expect(sentenceOf(failureOf(failed), 'Stage "a"')).toBe(
    'Stage "a" failed after 1 attempt. Error: fetch failed (cause: connect ECONNREFUSED 127.0.0.1:1).',
  );
  const said = new Error("read x: gone", { cause: new Error("gone") });
  expect(sentenceOf(failureOf(said), "It")).toBe("It failed after 1 attempt. Error: read x: gone.");
  const { error: _error, ...stored } = failureOf(said);
  expect(sentenceOf(stored, "It")).toBe("It failed after 1 attempt. Error: read x: gone.");
});
