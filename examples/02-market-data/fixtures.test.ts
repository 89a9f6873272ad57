import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const FIXTURES = join(import.meta.dirname, "fixtures");

test("SOURCES.md names every fixture with its size and hash, under 2 MB together", () => {
  const files = readdirSync(FIXTURES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "SOURCES.md")
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  const rows = files.map((path) => {
    const bytes = readFileSync(path);
    const hash = createHash("sha256").update(bytes).digest("hex");
    return {
      row: `| \`${path.slice(FIXTURES.length + 1)}\` | ${bytes.length} | \`${hash}\` |`,
      bytes,
    };
  });
  const listed = readFileSync(join(FIXTURES, "SOURCES.md"), "utf8").split("\n");
  expect(listed.filter((line) => line.startsWith("| `"))).toEqual(rows.map(({ row }) => row));
  expect(rows.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(2 * 1024 * 1024);
});
