import { expect, test } from "vitest";
import { err, ok } from "./result.ts";

test("an answer carries either a value or the reason why there is none", () => {
  expect(ok(1)).toEqual({ ok: true, value: 1 });
  expect(err("no")).toEqual({ ok: false, error: "no" });
});
