// The help of every verb against a golden file: a changed word is a change people see. `npx vitest run
// test/surface/help.test.ts -u` writes them anew.

import { join } from "node:path";
import { expect, test } from "vitest";
import { parseCall } from "../../src/cli/parse-call.ts";
import { renderHelp } from "../../src/cli/program.ts";
import { VERBS } from "../../src/cli/verb/verbs.ts";

const GOLDEN = join(import.meta.dirname, "../golden/help");

const shown = VERBS.filter((verb) => verb.hidden !== true).map((verb) => verb.name);

test.each(shown)("the help of %s is the golden one, and fits 80 columns", async (name) => {
  const text = renderHelp(VERBS.find((verb) => verb.name === name));

  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  await expect(text).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
});

test("the overview is the golden one, and lists every verb that is shown and no hidden one", async () => {
  for (const verb of VERBS) {
    expect(new RegExp(`^ {2}${verb.name} {2}`, "m").test(renderHelp())).toBe(verb.hidden !== true);
  }
  await expect(renderHelp()).toMatchFileSnapshot(join(GOLDEN, "overview.txt"));
});

test("the first word of verbs that have two lists them, asked in either way", async () => {
  for (const words of [
    ["queue", "--help"],
    ["help", "queue"],
  ]) {
    const call = parseCall(words);
    expect(call).toEqual({ kind: "help", family: "queue" });
  }
  await expect(renderHelp(undefined, "queue")).toMatchFileSnapshot(join(GOLDEN, "queue.txt"));
});

test("every flag a help names is one that the verb takes, and every example is accepted", () => {
  for (const verb of VERBS.filter((each) => each.hidden !== true)) {
    for (const example of verb.examples) {
      const words = [...example.matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, quoted, plain]) => quoted ?? plain ?? "",
      );
      expect(words.slice(0, 2)).toEqual(["npx", "millrace"]);
      expect(parseCall(words.slice(2)).kind).toBe("verb");
    }
  }
});
