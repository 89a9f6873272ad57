// The pages about figures and traces say what there is.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FIGURE_PAIRS_MAX, FIGURE_PIPELINES_MAX } from "../../src/model/limits.ts";
import { FIGURES } from "../../src/service/listeners/figure.ts";

test("the page of figures lists every one with its kind, its labels and what it says", () => {
  const page = readFileSync("docs/operating/metrics.md", "utf8");
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("| `millrace_"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  expect(rows).toEqual(
    FIGURES.map(({ name, kind, labels, help }) => [
      `\`${name}\``,
      kind,
      labels.map((label) => `\`${label}\``).join(", "),
      help.replace(/\.$/, ""),
    ]),
  );
  const named = [...page.matchAll(/\b(millrace_\w+)/g)].map(([, name]) => name);
  const known = new Set<string>(FIGURES.map(({ name }) => name));
  expect(named.filter((name) => !known.has(name ?? ""))).toEqual([]);
  expect(page).toContain(`first ${FIGURE_PIPELINES_MAX} pipelines`);
  expect(page).toContain(`first ${FIGURE_PAIRS_MAX} stages`);
});

test("the page of traces names every attribute that a span is given, and no other", () => {
  const page = readFileSync("docs/operating/tracing.md", "utf8");
  const source = readFileSync("src/service/listeners/traces.ts", "utf8");
  const given = new Set(
    [...source.matchAll(/"(millrace\.[a-z.]+|error\.type)"/g)].map(([, name]) => name),
  );
  // How many runs an enqueue makes, and that a condition was asked, need no line of their own.
  for (const name of ["millrace.runs", "millrace.purpose"]) given.delete(name);
  const told = new Set([...page.matchAll(/`(millrace\.[a-z.]+|error\.type)`/g)].map(([, n]) => n));
  expect(told).toEqual(given);
});
