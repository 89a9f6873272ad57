import { expect, test } from "vitest";
import { compareTokens } from "./difference.ts";

const color = (hex: string): unknown => ({ $type: "color", $value: { colorSpace: "srgb", hex } });
const px = (value: number): unknown => ({ $type: "dimension", $value: { value, unit: "px" } });

test("R300: two sets differ in what was added, removed and changed", () => {
  const before = { color: { red: color("#ff0000"), blue: color("#0000ff") }, space: { 1: px(8) } };
  const after = { color: { red: color("#e53935"), teal: color("#177e89") }, space: { 1: px(8) } };
  expect(compareTokens(before, after)).toEqual({
    added: [{ path: "color.teal", after: "#177e89" }],
    removed: [{ path: "color.blue", before: "#0000ff" }],
    changed: [{ path: "color.red", before: "#ff0000", after: "#e53935" }],
  });
});

test("order, descriptions and extensions are no difference", () => {
  const one = { a: { $description: "x", b: px(1), c: px(2) } };
  const other = { a: { c: px(2), b: { $value: { value: 1, unit: "px" }, $extensions: { x: 1 } } } };
  expect(compareTokens(one, other)).toEqual({ added: [], removed: [], changed: [] });
});

test("values as text, as older tools write them, compare with values as objects", () => {
  const older = { color: { red: { $value: "#e53935" } }, space: { 1: { $value: "8px" } } };
  const newer = { color: { red: color("#e53935") }, space: { 1: px(8) } };
  expect(compareTokens(older, newer)).toEqual({ added: [], removed: [], changed: [] });
});

test("what is no set at all has no tokens", () => {
  expect(compareTokens(null, [1, 2])).toEqual({ added: [], removed: [], changed: [] });
});
