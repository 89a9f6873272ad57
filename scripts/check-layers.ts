// Checks that imports go down, that nothing runs in a ring, and that no room says a word that belongs
// to another one. The table is in `layer-table.ts`, the rules in `layer-rules.ts` and `word-rules.ts`.
//
//   node scripts/check-layers.ts            this repository; exit 1 when anything is found

import { join } from "node:path";
import { findRings } from "./import-rings.ts";
import { IMPORT_RULES } from "./layer-rules.ts";
import type { SourceFile } from "./layer-rules.ts";
import { isTest, listFiles, readText, report } from "./repository.ts";
import type { Finding } from "./repository.ts";
import { importsOf, readSource } from "./source-text.ts";
import { saysNoBannedWord } from "./word-rules.ts";

/** All departures of the tree below a root, sorted by file and line. */
export function checkLayers(root: string): Finding[] {
  const files = readSources(root);
  const house = { doors: readDoors(root) };
  const rules = [...IMPORT_RULES, saysNoBannedWord];
  const found = files.flatMap((file) => rules.flatMap((rule) => rule(file, house)));
  const shipped = files.filter((file) => file.path.startsWith("src/"));
  return [...found, ...findRings(shipped)].toSorted(
    (left, right) => left.file.localeCompare(right.file) || (left.line ?? 0) - (right.line ?? 0),
  );
}

function readSources(root: string): SourceFile[] {
  return listFiles(root)
    .filter((path) => /^(?:src|examples)\/.*\.tsx?$/.test(path) && !path.includes("/fixtures/"))
    .map((path) => {
      const source = readSource(readText(root, path));
      return { path, source, imports: importsOf(source), isTest: isTest(path) };
    });
}

/** The specifiers that `exports` of package.json opens. */
function readDoors(root: string): string[] {
  const manifest: unknown = JSON.parse(readText(root, "package.json"));
  if (typeof manifest !== "object" || manifest === null || !("exports" in manifest))
    return ["millrace"];
  return Object.keys(manifest.exports ?? {}).map((door) => join("millrace", door));
}

if (import.meta.main) {
  const root = process.argv[2] ?? join(import.meta.dirname, "..");
  report("check-layers", checkLayers(root), "imports go down, and every room minds its own words");
}
