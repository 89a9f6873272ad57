import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import type { CommonFlags } from "./cli-context.ts";
import { guessCommonFlags } from "./verb/common-flags.ts";
import { nextCommand, quoteWord, withCommonFlags } from "./next-command.ts";

function withFlags(flags: Partial<CommonFlags>): { flags: CommonFlags } {
  return { flags: { ...guessCommonFlags([]), ...flags } };
}

test("a command asks the store and configuration that it is printed for", () => {
  const context = withFlags({ store: "sqlite:a b.db", config: "c.config.ts" });

  expect(nextCommand(context, ["show", "last"])).toBe(
    "npx millrace show last --store 'sqlite:a b.db' --config c.config.ts",
  );
  expect(nextCommand(withFlags({}), ["show", "last"])).toBe("npx millrace show last");
});

test("a flag that stands there is not repeated, and other text is left alone", () => {
  const context = withFlags({ store: "memory:" });

  expect(withCommonFlags(context, "npx millrace runs --store sqlite:x")).toBe(
    "npx millrace runs --store sqlite:x",
  );
  expect(withCommonFlags(context, "npm install zod")).toBe("npm install zod");
  expect(withCommonFlags(context, "says more: npx millrace why 1")).toBe(
    "says more: npx millrace why 1 --store memory:",
  );
});

test.each([
  "plain",
  "a b",
  "it's",
  '"double"',
  "$HOME",
  "`id`",
  "a\\b",
  "#",
  "a.ts#b",
  "*",
  "ü",
  "",
])("a shell reads %j back as it was", (word) => {
  const echoed = execFileSync("sh", ["-c", `printf %s ${quoteWord(word)}`]).toString();

  expect(echoed).toBe(word);
});
