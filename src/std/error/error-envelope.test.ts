import fc from "fast-check";
import { expect, test } from "vitest";
import { type ErrorEnvelope, fromErrorEnvelope, toErrorEnvelope } from "./error-envelope.ts";
import type { Json } from "../json.ts";

test("an error becomes plain data with all its parts", () => {
  const root = Object.assign(new TypeError("reset"), { code: "ECONNRESET" });
  const error = Object.assign(new Error("call failed", { cause: root }), {
    status: 503,
    headers: { "retry-after": "5" },
    at: new Date(0),
    size: 5n,
    ratio: NaN,
    retry: () => 1,
  });
  const envelope = toErrorEnvelope(error);
  expect(envelope).toEqual({
    name: "Error",
    message: "call failed",
    stack: error.stack,
    status: 503,
    cause: { name: "TypeError", message: "reset", stack: root.stack, code: "ECONNRESET" },
    details: {
      headers: { "retry-after": "5" },
      at: "1970-01-01T00:00:00.000Z",
      size: "5",
      ratio: "NaN",
    },
  });
  expect(JSON.parse(JSON.stringify(envelope))).toEqual(envelope);
});

test("the status may be called statusCode, and a code may be a number", () => {
  const error = Object.assign(new Error("x"), { statusCode: 429, code: 7 });
  expect(toErrorEnvelope(error)).toMatchObject({ status: 429, code: 7 });
  const odd = Object.assign(new Error("x"), { status: "late", code: { a: 1 } });
  expect(Object.keys(toErrorEnvelope(odd))).toEqual(["name", "message", "stack"]);
});

test.each([
  ["text", "boom", { name: "Thrown", message: "boom" }],
  ["undefined", undefined, { name: "Thrown", message: "undefined" }],
  ["null", null, { name: "Thrown", message: "null" }],
  ["a symbol", Symbol("x"), { name: "Thrown", message: "Symbol(x)" }],
  ["a message", { message: "lost", code: 1 }, { name: "Thrown", message: "lost", code: 1 }],
  ["fields", { a: 1 }, { name: "Thrown", message: '{"a":1}', details: { a: 1 } }],
  ["an empty object", Object.create(null), { name: "Thrown", message: "{}" }],
])("thrown %s becomes an envelope too", (_, thrown, envelope) => {
  expect(toErrorEnvelope(thrown)).toEqual(envelope);
});

test("a negative zero, which JSON has not, is zero", () => {
  const envelope = toErrorEnvelope(Object.assign(new Error("x"), { code: -0, status: -0, at: -0 }));
  expect(JSON.parse(JSON.stringify(envelope))).toEqual(envelope);
  expect(envelope).toMatchObject({ code: 0, status: 0, details: { at: 0 } });
});

test("an AggregateError keeps what it gathers", () => {
  const error = new AggregateError([new TypeError("one"), "two"], "both");
  expect(toErrorEnvelope(error).errors).toMatchObject([
    { name: "TypeError", message: "one" },
    { name: "Thrown", message: "two" },
  ]);
});

test("an error that is its own cause ends where it begins", () => {
  const error = new Error("round");
  const outer = new AggregateError([error], "outer", { cause: error });
  error.cause = outer;
  const envelope = toErrorEnvelope(outer);
  expect(envelope.cause).toEqual({ name: "Error", message: "round", stack: error.stack });
  expect(envelope.errors).toEqual([envelope.cause]);
});

test("causes are followed eight deep, and errors to fifty in all", () => {
  let chain = new Error("deepest");
  for (let depth = 0; depth < 20; depth++) chain = new Error(`${depth}`, { cause: chain });
  let depth = 0;
  for (let at: ErrorEnvelope | undefined = toErrorEnvelope(chain); at; at = at.cause) depth += 1;
  expect(depth).toBe(8);

  const many = Array.from({ length: 1000 }, (_, index) => new Error(`${index}`));
  expect(toErrorEnvelope(new AggregateError(many, "many")).errors).toHaveLength(49);
});

test("texts and details are bounded", () => {
  const error = Object.assign(new Error("m".repeat(100_000)), {
    body: "b".repeat(10_000),
    more: "c".repeat(10_000),
    list: Array.from({ length: 10_000 }, (_, index) => index),
  });
  error.stack = "s".repeat(100_000);
  const envelope = toErrorEnvelope(error);
  expect(envelope.message.length).toBeLessThanOrEqual(16_384);
  expect(envelope.message.length).toBeGreaterThan(16_000);
  expect(envelope.message).toMatch(/… \(\+\d+ characters\)$/);
  expect(envelope.stack).toMatch(/s… \(\+\d+ characters\)$/);
  expect(JSON.stringify(envelope.details).length).toBeLessThan(18_000);
  expect(envelope.details).toHaveProperty("list.length", 197);

  const wide = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index]),
  );
  const details = toErrorEnvelope(Object.assign(new Error("wide"), wide)).details;
  expect(Object.keys(Object(details))).toHaveLength(200);
});

test("details are followed four deep", () => {
  const error = Object.assign(new Error("x"), { a: { b: { c: { d: { e: 1, f: {} } } } } });
  expect(toErrorEnvelope(error).details).toEqual({ a: { b: { c: { d: { e: 1 } } } } });
});

test("a field called __proto__ stays out of the details", () => {
  const thrown: unknown = JSON.parse('{"message":"x","__proto__":{"polluted":1},"fine":1}');
  const { details } = toErrorEnvelope(thrown);
  expect(details).toEqual({ fine: 1 });
  expect("polluted" in Object(details)).toBe(false);
});

test("getters that throw and proxies that are revoked are survived", () => {
  const error = new Error("still here");
  for (const key of ["stack", "code", "status", "cause", "errors", "extra"]) {
    Object.defineProperty(error, key, {
      enumerable: true,
      get: () => {
        throw new Error("sealed");
      },
    });
  }
  expect(toErrorEnvelope(error)).toEqual({ name: "Error", message: "still here" });

  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect(toErrorEnvelope(proxy)).toEqual({
    name: "Thrown",
    message: "an object that cannot be read",
  });
});

test("whatever is thrown gives an envelope that JSON holds unchanged", () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSparseArray: true,
  });
  fc.assert(
    fc.property(anything, anything, (thrown, field) => {
      for (const value of [thrown, Object.assign(new Error("x", { cause: thrown }), { field })]) {
        const envelope = toErrorEnvelope(value);
        expect(JSON.parse(JSON.stringify(envelope))).toEqual(envelope);
      }
    }),
  );
});

test("an envelope becomes an error again, and the same envelope after that", () => {
  const root = Object.assign(new RangeError("far"), { code: "E_FAR", limit: 5 });
  const error = Object.assign(new AggregateError([root, "two"], "both", { cause: root }), {
    status: 500,
    body: { a: [1] },
  });
  const envelope = toErrorEnvelope(error);
  const again = fromErrorEnvelope(envelope);
  expect(again).toBeInstanceOf(AggregateError);
  expect(again.cause).toBeInstanceOf(RangeError);
  expect(again).toMatchObject({ status: 500, body: { a: [1] }, stack: error.stack });
  expect(toErrorEnvelope(again)).toMatchObject({ ...envelope, errors: expect.any(Array) });
});

test("details from outside overwrite neither the error's own parts nor any prototype", () => {
  const details: Json = JSON.parse(
    '{"message":"forged","stack":"forged","cause":1,"__proto__":{"polluted":true},"fine":1}',
  );
  const error = fromErrorEnvelope({ name: "Error", message: "true", details });
  expect([error.message, error.stack, error.cause]).toEqual(["true", "Error: true", undefined]);
  expect(Object.entries(error)).toEqual([["fine", 1]]);
  expect("polluted" in error).toBe(false);
});
