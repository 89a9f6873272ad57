// What a start of the command loads without asking: its entry in `dist` and all that is imported from there when it is
// loaded. A package in it costs every start, whether or not it is used: one careless import once tripled the time.

import { posix } from "node:path";
import type { Finding } from "./repository.ts";

/** Where a run on SQLite begins: the command, and the store that it opens. */
const BEGINNINGS: readonly RegExp[] = [
  /^dist\/cli\/main\.js$/,
  /^dist\/chunks\/sqlite-[\w-]{8}\.js$/,
];

const IMPORT =
  /(?:^|[;}\n])\s*(?:import\b[^"'();=]*|export\b[^"'();=]*\bfrom\s*|export\s*[*{][^"'();=]*from\s*)"(?<id>[^"]+)"/g;

/** Packages that every start would load, as findings. `paths`: what `dist` holds. */
export function judgeStart(paths: readonly string[], read: (path: string) => string): Finding[] {
  const beginnings = BEGINNINGS.map((beginning) => paths.find((path) => beginning.test(path)));
  const missing = beginnings.flatMap((path, index) => {
    if (path !== undefined) return [];
    const message = `nothing in dist looks like ${String(BEGINNINGS[index])}; run \`npm run build\` first.`;
    return [{ file: "dist", rule: "start-is-known", message }];
  });
  const seen = new Set<string>();
  const found: Finding[] = [];
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { groups } of read(path).matchAll(IMPORT)) {
      const id = groups?.["id"] ?? "";
      if (id.startsWith(".")) visit(posix.join(posix.dirname(path), id));
      else if (!id.startsWith("node:")) found.push(toFinding(path, id));
    }
  };
  for (const path of beginnings) if (path !== undefined) visit(path);
  return [...missing, ...found];
}

function toFinding(file: string, id: string): Finding {
  const message = `"${id}" would be loaded by every start; import it where it is needed, or mend the groups in scripts/build.ts.`;
  return { file, rule: "start-loads-no-package", message };
}
