// Material of others that examples bring: each file is the one whose origin and licence its page tells.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const EXAMPLES = ["01-design-tokens", "02-market-data"];

test.each(EXAMPLES)("%s: its page names every file by size and hash, 2 MB at most", (name) => {
  const folder = join(import.meta.dirname, name, "fixtures");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "SOURCES.md")
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  const rows = files.map((path) => {
    const bytes = readFileSync(path);
    const hash = createHash("sha256").update(bytes).digest("hex");
    return {
      row: `| \`${path.slice(folder.length + 1)}\` | ${bytes.length} | \`${hash}\` |`,
      bytes,
    };
  });
  const listed = readFileSync(join(folder, "SOURCES.md"), "utf8").split("\n");
  expect(listed.filter((line) => line.startsWith("| `"))).toEqual(rows.map(({ row }) => row));
  expect(rows.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(2 * 1024 * 1024);
});
