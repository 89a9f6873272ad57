// What a start of the command loads without asking: its entry in `dist` and all that is imported from there when it is
// loaded. A package in it costs every start, whether or not it is used: one careless import once tripled the time. So
// does a module of Node that brings others, and every byte a little.

import { posix } from "node:path";
import type { Finding } from "./repository.ts";

/** Where a run on SQLite begins: the command, its verb, the door of the pipeline file, and the store that it opens. */
const BEGINNINGS: readonly RegExp[] = [
  /^dist\/cli\/main\.js$/,
  /^dist\/chunks\/run-[\w-]{8}\.js$/,
  /^dist\/exports\/index\.js$/,
  /^dist\/chunks\/sqlite-[\w-]{8}\.js$/,
];

/** Bytes of all these files. With engine, policies and the forms of output it is 825 KiB. */
const START_BYTES_MAX = 900 * 1024;

/** Modules of Node that bring others or much: each costs a start 1 to 10 ms, so they are taken when they are used. */
const HEAVY =
  /\}\s*=\s*process\.getBuiltinModule\([`"](?<id>node:(?:child_process|cluster|crypto|fs\/promises|http|https|http2|inspector|net|perf_hooks|readline|readline\/promises|repl|tls|v8|worker_threads|zlib))[`"]\)/g;

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
  let bytes = 0;
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const code = read(path);
    bytes += Buffer.byteLength(code);
    for (const { groups } of code.matchAll(HEAVY)) found.push(toHeavy(path, groups?.["id"] ?? ""));
    for (const { groups } of code.matchAll(IMPORT)) {
      const id = groups?.["id"] ?? "";
      if (id.startsWith(".")) visit(posix.join(posix.dirname(path), id));
      else if (!id.startsWith("node:")) found.push(toFinding(path, id));
    }
  };
  for (const path of beginnings) if (path !== undefined) visit(path);
  return [...missing, ...found, ...judgeBytes(bytes)];
}

function judgeBytes(bytes: number): Finding[] {
  if (bytes <= START_BYTES_MAX) return [];
  const message = `a start loads ${bytes} bytes, the budget is ${START_BYTES_MAX}; import late what few runs need.`;
  return [{ file: "dist", rule: "start-is-light", message }];
}

function toHeavy(file: string, id: string): Finding {
  const message = `"${id}" would be loaded by every start; take it where it is used, or import its user late.`;
  return { file, rule: "start-loads-no-heavy-builtin", message };
}

function toFinding(file: string, id: string): Finding {
  const message = `"${id}" would be loaded by every start; import it where it is needed, or mend the groups in scripts/bundle/chunks.ts.`;
  return { file, rule: "start-loads-no-package", message };
}
