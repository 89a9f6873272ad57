import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { findParityFaults, readRows, renderPage } from "./parity.ts";
import { plant } from "./planted-tree.ts";
import type { PlantedTree } from "./planted-tree.ts";

const ROOT = join(import.meta.dirname, "..");
const PAGE = "docs/internals/parity.md";

// Ids are put together here, so that the planted tests are not taken for tests of this repository.
const cite = (ids: string): string => `test("${ids}${":"} something happens", () => {});\n`;

function setup(files: Readonly<Record<string, string>>): PlantedTree {
  const rows = { foundation: { R2: "Second", R10: "Tenth" }, later: { R3: "Third" } };
  const tree = plant({ "docs/internals/parity-rows.json": JSON.stringify(rows), ...files });
  writeFileSync(join(tree.root, PAGE), renderPage(readRows(tree.root)));
  return tree;
}

function faults(tree: PlantedTree): string[] {
  return findParityFaults(tree.root).map(({ file, rule }) => `${file} ${rule}`);
}

test("the checklist holds the 307 rows, each once, in packages of the agreed sizes", () => {
  const rows = readRows(ROOT);

  assert.deepEqual(
    rows.map((row) => row.id),
    Array.from({ length: 307 }, (_, index) => `R${index + 1}`),
  );
  const packages = [...Map.groupBy(rows, (row) => row.package)];
  assert.deepEqual(Object.fromEntries(packages.map(([name, own]) => [name, own.length])), {
    foundation: 118,
    queue: 59,
    resources: 62,
    service: 59,
    dashboard: 3,
    postgres: 1,
    "examples/docs": 3,
    later: 2,
  });
  for (const { id, title } of rows) assert.ok(title.length <= 90, `${id} has a title of one line`);
});

test("every test that begins with a row's id is listed, in sources, suites, tests and examples", () => {
  using tree = setup({
    "src/policy/retry.test.ts": cite("R2 R10"),
    "src/testing/store-suite/runs.ts": "export const cases = [{ name: `R10: a case` }];\n",
    "test/e2e/run.test.ts": cite("R2"),
    "src/policy/retry.ts": `const text = "R2${":"} not a test";\n`,
    "test/support/R3.ts": cite("R3"),
  });

  const rows = readRows(tree.root).map(({ id, tests }) => [id, ...tests]);

  assert.deepEqual(rows, [
    ["R2", "src/policy/retry.test.ts", "test/e2e/run.test.ts"],
    ["R3"],
    ["R10", "src/policy/retry.test.ts", "src/testing/store-suite/runs.ts"],
  ]);
});

test("the page shows state, package and links for each row, and counts", () => {
  using tree = setup({ "src/policy/retry.test.ts": cite("R2") });

  const page = renderPage(readRows(tree.root));

  assert.match(page, /^1 of 3 rows are proven\.$/m);
  assert.match(page, /^\| foundation \| 2 \| 1 \|$/m);
  assert.match(
    page,
    /^\| R2 \| Second \| foundation \| proven \| \[retry\.test\.ts\]\(\.\.\/\.\.\/src\/policy\/retry\.test\.ts\) \|$/m,
  );
  assert.match(page, /^\| R3 \| Third \| later \| postponed \| {2}\|$/m);
  assert.match(page, /^\| R10 \| Tenth \| foundation \| owed \| {2}\|$/m);
});

test("the check fails for an owed row without a test, and never for a postponed one", () => {
  using tree = setup({ "src/policy/retry.test.ts": cite("R2") });

  assert.deepEqual(faults(tree), ["docs/internals/parity-rows.json owed-row"]);
});

test("the check fails when the page is older than the tests", () => {
  using tree = setup({ "src/policy/retry.test.ts": cite("R2 R10") });
  assert.deepEqual(faults(tree), []);

  writeFileSync(join(tree.root, "src/policy/again.test.ts"), cite("R2"));

  assert.deepEqual(faults(tree), [`${PAGE} fresh-page`]);
});

test("the check fails for a test that names a row nobody knows", () => {
  using tree = setup({ "src/policy/retry.test.ts": cite("R2 R10 R999") });

  assert.deepEqual(faults(tree), ["src/policy/retry.test.ts unknown-row"]);
});
