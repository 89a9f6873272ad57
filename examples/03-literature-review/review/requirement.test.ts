import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listRequirements, parseRequirements } from "./requirement.ts";

const TEXT = readFileSync(join(import.meta.dirname, "..", "requirements.json"), "utf8");

test("the bundled tree has three pillars, and every requirement its own id", () => {
  const tree = parseRequirements(TEXT);
  expect(tree.pillars.map(({ id }) => id)).toEqual(["T", "C", "N"]);
  const ids = listRequirements(tree).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("a misspelt field, a missing one and an id used twice are named", () => {
  const change = (from: string, to: string): string => TEXT.replace(from, to);
  expect(() => parseRequirements(change('"asOf"', '"asof"'))).toThrow("asof");
  expect(() => parseRequirements(change('"text"', '"txt"'))).toThrow("pillars[0].requirements[0]");
  expect(() => parseRequirements(change('"id": "T2"', '"id": "T1"'))).toThrow("must differ");
  expect(() => parseRequirements("{")).toThrow(SyntaxError);
});
