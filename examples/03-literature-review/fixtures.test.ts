import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

function listFixtures(name: string): { readonly row: string; readonly bytes: number }[] {
  const folder = join(import.meta.dirname, name);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "SOURCES.md")
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => {
      const content = readFileSync(path);
      const hash = createHash("sha256").update(content).digest("hex");
      const file = path.slice(folder.length + 1);
      return { row: `| \`${file}\` | ${content.length} | \`${hash}\` |`, bytes: content.length };
    });
}

test.each(["papers-gpl", "faulty"])("%s/SOURCES.md names every file with size and hash", (name) => {
  const text = readFileSync(join(import.meta.dirname, name, "SOURCES.md"), "utf8");
  const lines = text.split("\n").map((line) => line.replace(/ +/g, " "));
  const listed = lines.filter((line) => line.startsWith("| `"));
  expect(listed).toEqual(listFixtures(name).map(({ row }) => row));
});

test("all papers together are under 2 MB, and the licence of those under the GPL lies beside them", () => {
  const all = [...listFixtures("papers-gpl"), ...listFixtures("faulty")];
  expect(all.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(2 * 1024 * 1024);
  const licence = readFileSync(join(import.meta.dirname, "papers-gpl", "COPYING"), "utf8");
  expect(licence).toMatch(/GNU GENERAL PUBLIC LICENSE\s+Version 2, June 1991/);
});
