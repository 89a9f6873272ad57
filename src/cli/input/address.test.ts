import { expect, test } from "vitest";
import { parseAddress } from "./address.ts";

test.each([
  ["7f3k", { run: "7f3k" }],
  ["last/score", { run: "last", stage: "score" }],
  ["last/score/row-7", { run: "last", stage: "score", key: "row-7" }],
  ["last/score/a/b//c", { run: "last", stage: "score", key: "a/b//c" }],
])("%s is read", (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test.each(["", "/", "last/", "/score", "last//key", "last/score/"])("%j is refused", (text) => {
  expect(() => parseAddress(text)).toThrow(/is no address: a part of it is empty/);
});
