import assert from "node:assert/strict";
import { createContext, runInContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeValue, encodeValue, type ValueFault } from "./value.ts";

function textOf(value: unknown): string {
  const encoded = encodeValue(value);
  if (!encoded.ok) throw new Error(`${encoded.error.path}: ${encoded.error.found}`);
  return encoded.value;
}

function comeBack(value: unknown): unknown {
  return decodeValue(textOf(value));
}

function faultOf(value: unknown): ValueFault {
  const encoded = encodeValue(value);
  return encoded.ok ? expect.unreachable(`${encoded.value} was stored`) : encoded.error;
}

function makeOwn(key: string, value: unknown): object {
  return Object.defineProperty({}, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

const KEYS = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("__proto__", "constructor", "toJSON", "$:date", "$:", "$:object", "$", "0", ""),
);

const BYTES = fc.oneof(
  fc.uint8Array(),
  fc.uint8ClampedArray(),
  fc.uint16Array(),
  fc.uint32Array(),
  fc.int8Array(),
  fc.int16Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
  fc.uint8Array().map((bytes) => bytes.slice().buffer),
);

const { value: ANY_VALUE } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    tie("leaf"),
    tie("list"),
    tie("fields"),
    tie("map"),
    tie("set"),
    tie("error"),
  ),
  leaf: fc.oneof(
    fc.double(),
    fc.integer(),
    fc.string({ unit: "binary" }),
    fc.constantFrom(null, undefined, true, false, -0, "\u2028", "\ud800", "$:date", '"$:', "{}"),
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    BYTES,
  ),
  list: fc.array(tie("value"), { maxLength: 6 }),
  fields: fc
    .array(fc.tuple(KEYS, tie("value")), { maxLength: 6 })
    .map((entries) => Object.fromEntries(entries)),
  map: fc
    .array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 })
    .map((entries) => new Map(entries)),
  set: fc.array(tie("value"), { maxLength: 4 }).map((members) => new Set(members)),
  error: fc
    .tuple(fc.string(), tie("value"), tie("value"))
    .map(([message, cause, code]) => Object.assign(new RangeError(message, { cause }), { code })),
}));

test("every storable value comes back as it was", () => {
  fc.assert(
    fc.property(ANY_VALUE, (value) => {
      // Maps and sets compare by content, -0 apart from 0, prototypes included.
      assert.deepStrictEqual(comeBack(value), value);
    }),
    { numRuns: 1000 },
  );
});

test("equal values give equal text, and encoding twice changes nothing", () => {
  fc.assert(
    fc.property(ANY_VALUE, (value) => {
      const text = textOf(value);
      expect(textOf(value)).toBe(text);
      expect(textOf(decodeValue(text))).toBe(text);
    }),
  );
});

test("a value that is plain JSON is its own JSON text", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      fc.pre(!Object.is(value, -0) && !JSON.stringify(value).includes('"$:'));
      const copy: unknown = JSON.parse(JSON.stringify(value));
      expect(textOf(copy)).toBe(JSON.stringify(copy));
    }),
  );
});

test.each([
  ["undefined", undefined, '{"$:undefined":true}'],
  [
    "undefined as a field and in a list",
    { a: undefined, b: [undefined] },
    '{"a":{"$:undefined":true},"b":[{"$:undefined":true}]}',
  ],
  ["NaN", NaN, '{"$:number":"NaN"}'],
  ["minus infinity", -Infinity, '{"$:number":"-Infinity"}'],
  ["minus zero", [-0], '[{"$:number":"-0"}]'],
  ["a bigint", -12n, '{"$:bigint":"-12"}'],
  ["a Date", new Date(0), '{"$:date":"1970-01-01T00:00:00.000Z"}'],
  ["the last Date there is", new Date(8.64e15), '{"$:date":"+275760-09-13T00:00:00.000Z"}'],
  ["a Map", new Map([["a", 1]]), '{"$:map":[["a",1]]}'],
  ["a Set", new Set([1n]), '{"$:set":[{"$:bigint":"1"}]}'],
  ["bytes", new Uint8Array([1, 2, 3]), '{"$:bytes":["Uint8Array","AQID"]}'],
  ["wider numbers", new Uint16Array([1]), '{"$:bytes":["Uint16Array","AQA="]}'],
  ["half floats", new Float16Array([1]), '{"$:bytes":["Float16Array","ADw="]}'],
  ["an ArrayBuffer", new ArrayBuffer(1), '{"$:bytes":["ArrayBuffer","AA=="]}'],
  [
    "a user's own tag key",
    { "$:date": 1, b: { "$:x": 2 } },
    '{"$:object":{"$:date":1,"b":{"$:object":{"$:x":2}}}}',
  ],
])("the stored form of %s is fixed", (_, value, text) => {
  expect(textOf(value)).toBe(text);
  assert.deepStrictEqual(decodeValue(text), value);
});

test("a Buffer and a view of a larger buffer come back as the bytes they show", () => {
  assert.deepStrictEqual(comeBack(Buffer.from("hi")), new Uint8Array([104, 105]));
  const view = new Float32Array(new Float32Array([0, 1.5, 2.5, 0]).buffer, 4, 2);
  const back = comeBack({ view });
  assert.deepStrictEqual(back, { view: new Float32Array([1.5, 2.5]) });
});

test("bytes that come back own their memory", () => {
  const back = comeBack(new Uint8Array([1, 2, 3]));
  assert(back instanceof Uint8Array);
  expect([back.byteOffset, back.buffer.byteLength]).toEqual([0, 3]);
});

test("a field called __proto__ is a field and touches no prototype", () => {
  for (const inner of [{ polluted: true }, { at: new Date(0) }, undefined]) {
    const value = makeOwn("__proto__", inner);
    const back = comeBack(value);
    assert.deepStrictEqual(back, value);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(Object.hasOwn(Object(back), "__proto__")).toBe(true);
  }
  expect("polluted" in {}).toBe(false);
});

test("an object without prototype comes back as a plain one", () => {
  const bare: unknown = Object.assign(Object.create(null), { a: 1, at: new Date(0) });
  assert.deepStrictEqual(comeBack(bare), { a: 1, at: new Date(0) });
  assert.deepStrictEqual(comeBack(Object.assign(Object.create(null), { a: 1 })), { a: 1 });
});

test("values of another realm are stored like our own", () => {
  const foreign: unknown = runInContext(
    "({ list: [1, new Date(0)], map: new Map([[1, { a: undefined }]]), bytes: new Uint8Array([7]), error: new TypeError('far') })",
    createContext(),
  );
  const back = comeBack(foreign);
  expect(back).toMatchObject({
    list: [1, new Date(0)],
    map: new Map([[1, { a: undefined }]]),
    bytes: new Uint8Array([7]),
  });
  expect(back).toHaveProperty("error.message", "far");
});

test("an error keeps name, message, stack, cause, gathered errors, code and storable fields", () => {
  const error = Object.assign(
    new AggregateError([new TypeError("one"), "two"], "both", { cause: new Error("root") }),
    { code: "E_BOTH", at: new Date(0), retry: () => 1, client: new (class Client {})() },
  );
  const back = comeBack({ error });
  assert(typeof back === "object" && back !== null && "error" in back);
  const restored = back.error;
  assert(restored instanceof AggregateError);
  expect(restored.message).toBe("both");
  expect(restored.stack).toBe(error.stack);
  expect(restored.cause).toEqual(new Error("root"));
  expect(restored.errors).toEqual([new TypeError("one"), "two"]);
  expect(restored.errors[0]).toBeInstanceOf(TypeError);
  expect(Object.entries(restored)).toEqual([
    ["code", "E_BOTH"],
    ["at", new Date(0)],
  ]);
});

test("an error of a user's own class comes back as an Error with its name", () => {
  class QuotaError extends Error {
    override readonly name = "QuotaError";
    readonly left = 0;
  }
  const back = comeBack(new QuotaError("spent"));
  assert(back instanceof Error);
  expect([back.name, back.message, back.stack?.startsWith("QuotaError: spent")]).toEqual([
    "QuotaError",
    "spent",
    true,
  ]);
  expect(Object.entries(back)).toEqual([["left", 0]]);
});

test("an aborted signal's reason keeps its name and code", () => {
  const back = comeBack(AbortSignal.abort().reason);
  expect(back).toMatchObject({ name: "AbortError", code: 20 });
});

test("an error that holds itself, or a field that cannot be read, is stored without that part", () => {
  const error: Error & { self?: unknown } = new Error("round");
  error.self = error;
  error.cause = { error };
  Object.defineProperty(error, "secret", {
    enumerable: true,
    get: () => {
      throw new Error("sealed");
    },
  });
  const back = comeBack([error, { after: new Date(0) }]);
  assert.deepStrictEqual(back, [Object.assign(new Error("round"), {}), { after: new Date(0) }]);
  assert(Array.isArray(back) && back[0] instanceof Error);
  expect(Object.keys(back[0])).toEqual([]);
  expect("cause" in back[0]).toBe(false);
});

test("what an error leaves out spoils nothing that comes after it", () => {
  const locked = {
    get size(): number {
      throw new Error("sealed");
    },
  };
  const error = Object.assign(new Error("x"), { retry: () => 1, locked: [locked] });
  expect(comeBack([error, error])).toHaveLength(2);
  expect(faultOf([error, Symbol("x")]).path).toBe("$[1]");
});

test("an error built the old way is an error", () => {
  const old: unknown = Object.assign(Object.create(TypeError.prototype), { message: "old" });
  expect(comeBack(old)).toBeInstanceOf(TypeError);
  expect(comeBack(old)).toHaveProperty("message", "old");
});

class Money {
  readonly cents = 5;
}

const sparse = Object.assign([1], { length: 3 });
const endless = Object.assign([], { length: 4_000_000_000 });
const oddKeys = new Map<unknown, unknown>([
  ["a", 1],
  [{}, Symbol("x")],
]);

test.each([
  ["a function", { rows: [1, { when: () => 1 }] }, '$.rows[1].when: a function "when"'],
  ["a method", { toJSON() {} }, '$.toJSON: a function "toJSON"'],
  ["a nameless function", () => 1, "$: a function"],
  ["a symbol", [Symbol("x")], "$[0]: a symbol: Symbol(x)"],
  ["a class instance", { price: new Money() }, '$.price: an instance of the class "Money"'],
  ["a nameless class", new (class {})(), "$: an object with a prototype of its own"],
  ["an object made from another", Object.create({ a: 1 }), '$: an instance of the class "Object"'],
  ["a subclass of Map", new (class Index extends Map {})(), '$: an instance of the class "Index"'],
  ["a subclass of Set", new (class Bag extends Set {})(), '$: an instance of the class "Bag"'],
  [
    "a subclass of Array",
    new (class Rows extends Array {})(),
    '$: an instance of the class "Rows"',
  ],
  ["a subclass of Date", new (class Day extends Date {})(), '$: an instance of the class "Day"'],
  [
    "a subclass of bytes",
    new (class Key extends Int8Array {})(),
    '$: an instance of the class "Key"',
  ],
  ["a boxed text", Object("x"), '$: an instance of the class "String"'],
  ["a DataView", new DataView(new ArrayBuffer(1)), '$: an instance of the class "DataView"'],
  ["a regular expression", { filter: /x/g }, "$.filter: a regular expression: /x/g"],
  ["a WeakMap", new WeakMap(), "$: a weak collection"],
  ["a WeakSet", [new WeakSet()], "$[0]: a weak collection"],
  ["an invalid Date", { "odd key": [new Date(NaN)] }, '$["odd key"][0]: an invalid Date'],
  ["a hole", { list: sparse }, "$.list[1]: a hole in a list"],
  ["a huge empty list", endless, "$[0]: a hole in a list"],
  ["a value in a Map", new Map([["eur", Symbol("x")]]), '$.get("eur"): a symbol: Symbol(x)'],
  ["a value under an odd key", oddKeys, "$.get(key 1): a symbol: Symbol(x)"],
  ["a key of a Map", new Map([[Symbol("x"), 1]]), "$.keys()[0]: a symbol: Symbol(x)"],
  [
    "a member of a Set",
    { all: new Set([1, Symbol("x")]) },
    "$.all.values()[1]: a symbol: Symbol(x)",
  ],
])("%s is refused with its place and a hint", (_, value, placeAndFound) => {
  const { path, found, hint } = faultOf(value);
  expect(`${path}: ${found}`).toBe(placeAndFound);
  expect(hint).toMatch(/\.$/);
});

test("a promise is refused with the likely reason", () => {
  expect(faultOf({ page: Promise.resolve() })).toEqual({
    path: "$.page",
    found: "a Promise",
    hint: "Did you forget await?",
  });
});

test("a cycle is refused with both of its ends, whatever it runs through", () => {
  const node: Record<string, unknown> = {};
  node["list"] = [new Map([["back", node]])];
  expect(faultOf({ node })).toMatchObject({
    path: '$.node.list[0].get("back")',
    found: "a cycle: the same object as $.node",
  });
});

test("the same object in two places is no cycle, and comes back as two", () => {
  const shared = { at: new Date(0) };
  const back = comeBack([shared, shared]);
  assert.deepStrictEqual(back, [shared, shared]);
  assert(Array.isArray(back));
  expect(back[0]).not.toBe(back[1]);
});

test("a getter that throws is refused with its place", () => {
  const value = {
    rows: [
      {
        get size(): number {
          throw new Error("sealed");
        },
      },
    ],
  };
  expect(faultOf(value)).toMatchObject({
    path: "$.rows[0].size",
    found: "something that throws when it is read: Error: sealed",
  });
});

test.each([
  ["lists", (inner: unknown) => [inner]],
  ["objects", (inner: unknown) => ({ inner })],
  ["maps", (inner: unknown) => new Map([[1, inner]])],
  ["sets", (inner: unknown) => new Set([inner])],
])("a thousand %s inside each other are stored, one more is refused", (_, wrap) => {
  let value: unknown = 1;
  for (let depth = 0; depth < 1000; depth++) value = wrap(value);
  const text = textOf(value);
  expect(textOf(decodeValue(text))).toBe(text);
  expect(faultOf(wrap(value)).found).toBe("a value nested over 1000 deep");
});

test.each([
  ["", "it is no JSON"],
  ['{"a":', 'begins with "{\\"a\\":"'],
  ['{"$:dat":1}', 'the unknown tag "$:dat"'],
  ['{"a":{"$:date":"1970-01-01","b":1}}', 'something stands beside the tag "$:date"'],
  ['{"b":1,"$:date":"1970-01-01"}', 'something stands beside the tag "$:date"'],
  ['{"$:date":5}', 'the tag "$:date" cannot hold 5'],
  ['{"$:date":"soon"}', 'the tag "$:date" cannot hold "soon"'],
  ['{"$:undefined":false}', 'the tag "$:undefined" cannot hold false'],
  ['{"$:number":"1"}', 'the tag "$:number" cannot hold "1"'],
  ['{"$:bigint":"1.5"}', 'the tag "$:bigint" cannot hold "1.5"'],
  ['{"$:bigint":5}', 'the tag "$:bigint" cannot hold 5'],
  ['{"$:map":[["a"]]}', 'the tag "$:map" cannot hold [["a"]]'],
  ['{"$:map":{}}', 'the tag "$:map" cannot hold {}'],
  ['{"$:set":1}', 'the tag "$:set" cannot hold 1'],
  ['{"$:object":[]}', 'the tag "$:object" cannot hold []'],
  ['{"$:object":null}', 'the tag "$:object" cannot hold null'],
  ['{"$:bytes":["Float64Array","AQID"]}', 'the tag "$:bytes" cannot hold ["Float64Array","AQID"]'],
  ['{"$:bytes":["Int9Array","AQID"]}', 'the tag "$:bytes" cannot hold'],
  ['{"$:bytes":["Uint8Array",5]}', 'the tag "$:bytes" cannot hold'],
  ['{"$:bytes":["Uint8Array","A*ID"]}', 'the tag "$:bytes" cannot hold'],
  ['{"$:error":{"name":"Error"}}', 'the tag "$:error" cannot hold {"name":"Error"}'],
  ['{"$:error":null}', 'the tag "$:error" cannot hold null'],
])("damage is named: %s", (text, message) => {
  expect(() => decodeValue(text)).toThrow("A stored value is damaged: ");
  expect(() => decodeValue(text)).toThrow(message);
});

test("text that is nested too deep is damage, and endangers no stack", () => {
  for (const [open, close] of [
    ['{"$:object":{"a":', "}}"],
    ['{"$:map":[[1,', "]]}"],
    ["[", "]"],
  ] as const) {
    const text = `${open.repeat(9000)}{"$:undefined":true}${close.repeat(9000)}`;
    expect(() => decodeValue(text)).toThrow("it is nested over 1000 deep");
  }
});

test("damaged text never gives anything but a value or an Error that says so", () => {
  fc.assert(
    fc.property(
      ANY_VALUE,
      fc.nat(),
      fc.constantFrom("", "$", ":", "1", '"', "{", "null"),
      (value, seed, patch) => {
        const text = textOf(value);
        const at = seed % text.length;
        const damaged = text.slice(0, at) + patch + text.slice(at + 1);
        try {
          decodeValue(damaged);
        } catch (error) {
          expect(String(error)).toMatch(/^Error: A stored value is damaged: /);
        }
      },
    ),
    { numRuns: 500 },
  );
});
