import { expect, test } from "vitest";
import { exitCodeOf, findFirst, listCauses, listCodes, listSources } from "./evidence.ts";

function chainOf(length: number, key: "cause" | "errors"): object {
  let error: object = { depth: length };
  for (let depth = length - 1; depth > 0; depth--) {
    error = { depth, [key]: key === "cause" ? error : [error] };
  }
  return error;
}

test("causes and gathered errors are followed eight deep, each", () => {
  for (const key of ["cause", "errors"] as const) {
    expect(listSources(chainOf(8, key))).toHaveLength(8);
    expect(listSources(chainOf(9, key))).toHaveLength(8);
  }
  expect(listCauses(chainOf(8, "cause"))).toHaveLength(8);
  expect(listCauses(chainOf(9, "cause"))).toHaveLength(8);
  expect(listCauses(chainOf(9, "errors"))).toHaveLength(1);
});

test("an error comes before its causes, and causes before what it gathers", () => {
  const error = {
    name: "a",
    cause: { name: "b", cause: { name: "c" } },
    errors: [{ name: "d" }, 1, null],
  };
  expect(listSources(error).map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
});

test("at most two hundred errors are looked at, however they are nested, and each once", () => {
  const leaf = { name: "leaf" };
  expect(listSources({ errors: [leaf, leaf], cause: leaf })).toHaveLength(2);
  const makeMany = (): object => ({ errors: Array.from({ length: 150 }, () => ({})) });
  expect(listSources({ errors: [makeMany(), { errors: [makeMany()] }, {}] })).toHaveLength(200);
});

test("whatever is no object has no sources", () => {
  for (const thrown of ["text", 1, null, undefined]) {
    expect([...listSources(thrown), ...listCauses(thrown)]).toEqual([]);
  }
});

test("codes are listed outermost first, numbers as text", () => {
  expect(listCodes({ code: 7, cause: { code: "E_X", cause: { code: {} } } })).toEqual(["7", "E_X"]);
});

test("an exit code is found in a cause; 0 is none", () => {
  expect(exitCodeOf({ exitCode: 0, cause: { cmd: "x", code: 3 } })).toBe(3);
  expect(exitCodeOf({ code: 3 })).toBeUndefined();
  expect(exitCodeOf({ exitCode: 1.5 })).toBeUndefined();
});

test("the first answer counts, also when it is 0 or empty", () => {
  expect(findFirst([{ at: 1 }, { at: 2 }], ({ at }) => (at === 1 ? 0 : 5))).toBe(0);
  expect(findFirst([], () => 1)).toBeUndefined();
});
