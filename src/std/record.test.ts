import { expect, test } from "vitest";
import { isRecord } from "./record.ts";

test("fields can be read of objects and lists, and of nothing else", () => {
  expect([{}, [], Object.create(null), new Date(0)].every(isRecord)).toBe(true);
  expect([null, undefined, 0, "", Symbol("x"), () => 1].some(isRecord)).toBe(false);
});
