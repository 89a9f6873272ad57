import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import type { CacheComponents } from "../model/cache.ts";
import { compileOrThrow } from "../model/compile/compile.ts";
import type { StageDefinition } from "../model/definition.ts";
import {
  explainDifference,
  isKeyed,
  listVariables,
  makeCacheKey,
  toCacheBase,
  toCacheComponents,
} from "./cache-key.ts";

const text = fc.string({ maxLength: 8 }).filter((value) => value.isWellFormed());
const record = fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true });
const components = fc
  .record({
    pipeline: fc.constantFrom("p", "q"),
    stage: fc.constantFrom("a", "b"),
    version: fc.option(fc.constantFrom("1", "2")),
    cacheVersion: fc.option(fc.constantFrom("1", "2")),
    code: fc.constantFrom("x", "y"),
    key: fc.option(text, { freq: 2 }),
    needs: record,
    item: fc.option(text),
    environment: record,
  })
  .map(({ key, needs, item, environment, code, ...base }): CacheComponents => {
    const isDeclared = base.version !== null || base.cacheVersion !== null;
    const of = { format: 1 as const, ...base, code: isDeclared ? null : code };
    return toCacheComponents(of, { key, needs, item, environment });
  });

/** The same with the keys of its records in the opposite order. */
function turned(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, entry]) => [name, turned(entry)] as const);
  return Object.fromEntries(entries.toReversed());
}

test.prop([components])("a key does not depend on the order of writing", (one) => {
  expect(makeCacheKey(turned(one) as CacheComponents)).toBe(makeCacheKey(one));
  expect(makeCacheKey(one)).toMatch(/^[0-9a-f]{64}$/);
});

test.prop([components, components], { numRuns: 500 })(
  "two keys are equal exactly if no part of them differs, and then nothing is explained",
  (one, other) => {
    const differences = explainDifference(one, other);
    expect(differences.length === 0).toBe(makeCacheKey(one) === makeCacheKey(other));
  },
);

test.prop([components, fc.constantFrom("page", "list"), fc.tuple(text, text)])(
  "a changed need is named, and nothing else",
  (some, name, [was, is]) => {
    const base = { ...some, key: null };
    const before = { ...base, needs: { ...base.needs, [name]: was } };
    const now = { ...base, needs: { ...base.needs, [name]: is } };
    const expected =
      was === is ? [] : [{ component: `needs.${name}`, text: `its need "${name}" changed` }];
    expect(explainDifference(before, now)).toEqual(expected);
  },
);

function compileOne(options: object): StageDefinition {
  const whole = { stages: [{ id: "a", cache: true, ...options }] };
  const [first] = compileOrThrow({ name: "p", options: whole, byId: true }).stages;
  if (first === undefined) throw new Error("no stage");
  return first;
}

function define(options: object, run: unknown = () => 1): StageDefinition {
  return compileOne({ run, ...options });
}

test("without a version the code counts, with one only the version does", () => {
  const [one, two] = [define({}, () => 1), define({}, () => 2)];
  expect(toCacheBase("p", one)).not.toEqual(toCacheBase("p", two));
  expect(toCacheBase("p", one)).toEqual(
    toCacheBase(
      "p",
      define({}, () => 1),
    ),
  );
  const versioned = { version: "3" };
  expect(
    toCacheBase(
      "p",
      define(versioned, () => 1),
    ),
  ).toEqual(
    toCacheBase(
      "p",
      define(versioned, () => 2),
    ),
  );
  expect(toCacheBase("p", define({ cache: { version: "3" } }))).toMatchObject({
    version: null,
    cacheVersion: "3",
    code: null,
  });
});

test("options that do not touch the result leave the key alone", () => {
  const run = (): number => 1;
  const plain = toCacheBase("p", define({}, run));
  expect(toCacheBase("p", define({ retry: 3, timeout: "1s", description: "x" }, run))).toEqual(
    plain,
  );
});

test("code that does not show its text needs a version, or there is no key", () => {
  const bound = { run: () => 1 };
  expect(isKeyed(toCacheBase("p", define({}, bound)))).toBe(false);
  expect(isKeyed(toCacheBase("p", define({ version: "1" }, bound)))).toBe(true);
});

test("of a command what it is called with counts, and the variables it declares", () => {
  const make = (options: object): StageDefinition => compileOne({ argv: ["ls"], ...options });
  const plain = toCacheBase("p", make({}));
  expect(toCacheBase("p", make({ argv: ["ls", "-l"] }))).not.toEqual(plain);
  expect(toCacheBase("p", make({ silence: "1s", env: { A: "1" } }))).toEqual(plain);
  const shape = make({ passEnv: ["HOME", "NONE"], env: { A: "1" } }).command;
  expect(listVariables(shape, { HOME: "/h", OTHER: "x" })).toEqual({ HOME: "/h", A: "1" });
  const inputs = { key: null, needs: {}, item: null, environment: { A: "secret" } };
  expect(JSON.stringify(toCacheComponents(plain, inputs))).not.toContain("secret");
});

test("an author's key stands for needs, item and variables, and for nothing else", () => {
  const base = toCacheBase("p", define({}));
  const made = toCacheComponents(base, {
    key: "k",
    needs: { a: "=1" },
    item: "=2",
    environment: { A: "1" },
  });
  expect(made).toEqual({ ...base, key: "k", needs: {}, item: null, environment: {} });
});

type Part = Partial<CacheComponents>;

test.each<readonly [string, readonly [before: Part, now: Part]]>([
  ['its need "b" is new', [{ needs: {} }, { needs: { b: "=1" } }]],
  ['its need "b" is gone', [{ needs: { b: "=1" } }, { needs: {} }]],
  ['its version changed from "1" to none', [{ version: "1", code: null }, {}]],
  ['the version of its cache changed from none to "2"', [{}, { cacheVersion: "2" }]],
  ["its item changed", [{ item: "=1" }, { item: "=2" }]],
  ['the variable "L" changed', [{ environment: { L: "1" } }, { environment: { L: "2" } }]],
  ["its cache key changed", [{ key: "1" }, { key: "2" }]],
])("a difference is said in words: %s", (words, [before, now]) => {
  const plain = toCacheComponents(
    { format: 1, pipeline: "p", stage: "a", version: null, cacheVersion: null, code: "x" },
    { key: null, needs: {}, item: null, environment: {} },
  );
  const texts = explainDifference({ ...plain, ...before }, { ...plain, ...now });
  expect(texts.map(({ text: said }) => said)).toEqual([words]);
});
