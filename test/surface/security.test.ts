// The page on security keeps its word: its table lists every control once, with the very tests that name it, and what is
// open is said. And the file that says how to report has what a reporter needs.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isTest, listFiles, readText } from "../../scripts/repository.ts";

const CONTROLS = 46;
const PAGE = "docs/operating/security.md";

// As titles begin: ids of controls, perhaps behind those of rows or guarantees, up to the last colon.
const TITLE = /["'`]((?:[GRS]\d+:? )*[GRS]\d+): /g;

/** Test files by the control that the title of a test in them begins with. */
function readCitations(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of listFiles(".").filter((each) => isTest(each))) {
    for (const [, ids = ""] of readText(".", file).matchAll(TITLE)) {
      for (const [id] of ids.matchAll(/S\d+/g))
        found.set(id, (found.get(id) ?? new Set()).add(file));
    }
  }
  return found;
}

interface Row {
  readonly id: string;
  readonly files: readonly string[];
  readonly open: string;
}

function readRows(): readonly Row[] {
  const lines = readFileSync(PAGE, "utf8").matchAll(/^\| (S\d+) +\|([^|]+)\|([^|]*)\|([^|]*)\|$/gm);
  return [...lines].map(([, id = "", , links = "", open = ""]) => ({
    id,
    files: [...links.matchAll(/\]\(\.\.\/\.\.\/([^)]+)\)/g)].map(([, file = ""]) => file),
    open: open.trim(),
  }));
}

test("every control is in the table, with all the tests that name it and no other", () => {
  const cited = readCitations();
  const rows = readRows();
  expect(rows.map(({ id }) => id)).toEqual(
    Array.from({ length: CONTROLS }, (_, index) => `S${index + 1}`),
  );
  for (const { id, files } of rows) {
    expect([id, ...files.toSorted()]).toEqual([id, ...[...(cited.get(id) ?? [])].toSorted()]);
  }
  const known = new Set(rows.map(({ id }) => id));
  expect([...cited.keys()].filter((id) => !known.has(id))).toEqual([]);
});

test("a control without a test says why", () => {
  for (const { id, files, open } of readRows()) {
    if (files.length === 0)
      expect([id, open]).toEqual([id, expect.stringMatching(/^waits: .{10}/)]);
  }
});

test("S46: the way to report is private, says how long an answer takes, what is in scope and what follows", () => {
  const text = readFileSync("SECURITY.md", "utf8").replaceAll("\n", " ");
  for (const part of [
    "Report a vulnerability",
    "within five days",
    "CVE",
    "not in a public issue",
  ]) {
    expect(text).toContain(part);
  }
  expect(text).toContain(`(${PAGE})`);
  // An address that nobody reads is worse than none.
  expect(text).not.toMatch(/[\w.]+@[\w.]+\.\w+/);
});
