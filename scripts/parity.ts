// Writes docs/internals/parity.md: every row of the parity checklist with the tests that prove it.
// A test proves a row by beginning its name with the row's id, as in "R72 R74: waits double ...".
// The titles stand in docs/internals/parity-rows.json, by package of work.
//
//   node scripts/parity.ts                  writes the page
//   node scripts/parity.ts --check          writes nothing; exit 1 when the page is stale, a row that
//                                           is owed has no test, or a test names an unknown row

import { writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { listFiles, readText, report } from "./repository.ts";
import type { Finding } from "./repository.ts";

/** One behaviour that the systems before millrace had. */
export interface ParityRow {
  /** "R72". Never renumbered. */
  readonly id: string;
  readonly title: string;
  /** The package of work that owes the test. */
  readonly package: string;
  /** Files with a test that names the row, sorted. */
  readonly tests: readonly string[];
}

const ROWS_FILE = "docs/internals/parity-rows.json";
const PAGE_FILE = "docs/internals/parity.md";
/** Packages whose every row must have a test. One more with each package that is finished. */
const OWED_PACKAGES = ["foundation"];
const POSTPONED_PACKAGE = "later";

/** A string that begins with ids and a colon: the name of a test or of a case in a suite. */
const CITATION = /(["'`])((?:R\d+[ ,]+)*R\d+): /g;

/** All rows in order of their numbers, with the tests below the root that name them. */
export function readRows(root: string): ParityRow[] {
  const titles: Record<string, Record<string, string>> = JSON.parse(readText(root, ROWS_FILE));
  const citations = readCitations(root);
  return Object.entries(titles)
    .flatMap(([owner, rows]) =>
      Object.entries(rows).map(([id, title]) => ({
        id,
        title,
        package: owner,
        tests: [...(citations.get(id) ?? [])].toSorted(),
      })),
    )
    .toSorted((left, right) => numberOf(left.id) - numberOf(right.id));
}

/** The page as Markdown. */
export function renderPage(rows: readonly ParityRow[]): string {
  const proven = rows.filter((row) => row.tests.length > 0).length;
  const table = rows.map((row) => {
    const links = row.tests.map((file) => `[${posix.basename(file)}](${linkTo(file)})`);
    return `| ${row.id} | ${row.title} | ${row.package} | ${stateOf(row)} | ${links.join(", ")} |`;
  });
  return [
    "<!-- Written by scripts/parity.ts from parity-rows.json and the names of the tests. -->",
    "",
    "# Parity",
    "",
    "What the five systems before millrace could do, and the tests that show that it can do so too. A row",
    "is *proven* when a test names it, *owed* until then, and *postponed* when it is not part of the plan.",
    "",
    `${proven} of ${rows.length} rows are proven.`,
    "",
    ...summaryOf(rows),
    "",
    "| row | behaviour | package | state | tests |",
    "| --- | --- | --- | --- | --- |",
    ...table,
    "",
  ].join("\n");
}

/** Why the checklist is not kept: a stale page, an owed row without a test, an unknown row. */
export function findParityFaults(root: string): Finding[] {
  const rows = readRows(root);
  const known = new Set(rows.map((row) => row.id));
  const stale = readPage(root) === renderPage(rows) ? [] : [staleFinding()];
  const owed = rows
    .filter((row) => OWED_PACKAGES.includes(row.package) && row.tests.length === 0)
    .map((row) => ({
      file: ROWS_FILE,
      rule: "owed-row",
      message: `${row.id} has no test: ${row.title}. Name it at the start of the test that proves it.`,
    }));
  const unknown = [...readCitations(root)]
    .filter(([id]) => !known.has(id))
    .flatMap(([id, files]) =>
      [...files].map((file) => ({
        file,
        rule: "unknown-row",
        message: `A test names ${id}, and the checklist has no such row.`,
      })),
    );
  return [...stale, ...owed, ...unknown];
}

function staleFinding(): Finding {
  const message = "The page differs from the tests; run `node scripts/parity.ts` and commit it.";
  return { file: PAGE_FILE, rule: "fresh-page", message };
}

/** Files by the row that a test in them names. */
function readCitations(root: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const files = listFiles(root).filter((file) => holdsTests(file));
  for (const file of files) {
    for (const [, , ids = ""] of readText(root, file).matchAll(CITATION)) {
      for (const id of ids.split(/[ ,]+/)) {
        found.set(id, (found.get(id) ?? new Set()).add(file));
      }
    }
  }
  return found;
}

function holdsTests(file: string): boolean {
  if (!/^(?:src|test|examples|scripts)\/.*\.ts$/.test(file)) return false;
  return file.endsWith(".test.ts") || file.includes("/store-suite/");
}

function readPage(root: string): string {
  return listFiles(root).includes(PAGE_FILE) ? readText(root, PAGE_FILE) : "";
}

function stateOf(row: ParityRow): string {
  if (row.tests.length > 0) return "proven";
  return row.package === POSTPONED_PACKAGE ? "postponed" : "owed";
}

function summaryOf(rows: readonly ParityRow[]): string[] {
  const packages = [...new Set(rows.map((row) => row.package))];
  const lines = packages.map((name) => {
    const own = rows.filter((row) => row.package === name);
    const proven = own.filter((row) => row.tests.length > 0);
    return `| ${name} | ${own.length} | ${proven.length} |`;
  });
  return ["| package | rows | proven |", "| --- | --- | --- |", ...lines];
}

function linkTo(file: string): string {
  return posix.relative(posix.dirname(PAGE_FILE), file);
}

function numberOf(id: string): number {
  return Number(id.slice(1));
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  if (process.argv.includes("--check")) {
    report("parity", findParityFaults(root), "the page is fresh, and every owed row has a test");
  } else {
    writeFileSync(join(root, PAGE_FILE), renderPage(readRows(root)));
  }
}
