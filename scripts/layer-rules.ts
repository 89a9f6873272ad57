// The rules about imports, one function each: a file goes in, sentences come out.
// Rings need all files at once and stand in `import-rings.ts`; words that a room may not say, in
// `word-rules.ts`.

import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { PACKAGES, PURE_BUILTINS, ROOMS, STORES, TEST_PACKAGES } from "./layer-table.ts";
import type { Finding } from "./repository.ts";
import type { ImportMention, SourceText } from "./source-text.ts";

/** One TypeScript file with what it imports. */
export interface SourceFile {
  readonly path: string;
  readonly source: SourceText;
  readonly imports: readonly ImportMention[];
  readonly isTest: boolean;
}

/** The whole that single files are judged against. */
export interface House {
  /** Specifiers under which outsiders reach us: "millrace", "millrace/testing". */
  readonly doors: readonly string[];
}

/** A rule about one file. */
export type FileRule = (file: SourceFile, house: House) => Finding[];

/** Where a relative import leads, from the root; undefined for packages. */
export function targetOf(file: SourceFile, mention: ImportMention): string | undefined {
  if (!mention.specifier.startsWith(".")) return undefined;
  return posix.join(posix.dirname(file.path), mention.specifier);
}

/** The room of a path: "engine" for "src/engine/worker.ts"; undefined outside `src/`. */
export function roomOf(path: string): string | undefined {
  return path.startsWith("src/") ? path.split("/")[1] : undefined;
}

/** Rooms import downwards only, and not through the doors that the table closes. */
const importsGoDown: FileRule = (file) => {
  const from = roomOf(file.path);
  if (from === undefined) return [];
  const room = ROOMS[from];
  if (room === undefined || !file.path.includes("/", 4)) {
    const message = `"${from}" is no room of the house; put the file into one of ${Object.keys(ROOMS).join(", ")}.`;
    return [{ file: file.path, rule: "known-room", message }];
  }
  return file.imports.flatMap((mention) => {
    const target = targetOf(file, mention);
    if (target === undefined) return [];
    const message = faultOfEdge(file, target, from);
    if (message === undefined) return [];
    return [{ file: file.path, line: mention.line, rule: "imports-go-down", message }];
  });
};

function faultOfEdge(file: SourceFile, target: string, from: string): string | undefined {
  const to = roomOf(target);
  const room = ROOMS[from];
  if (to === undefined)
    return `This imports "${target}", outside src/; what ships stands on src/ alone.`;
  const other = ROOMS[to];
  if (room === undefined || other === undefined || from === to) return undefined;
  if (file.isTest && (to === "testing" || room.closed?.some((part) => isWithin(target, part)))) {
    return undefined;
  }
  if (room.only !== undefined && !room.only.some((part) => isWithin(target, part))) {
    return `"${from}" may import ${room.only.join(" and ")}, not "${target}": ${room.why}.`;
  }
  if (room.only === undefined && other.rank >= room.rank) {
    return (
      `"${from}" (rank ${room.rank}) imports "${target}" (rank ${other.rank}), and imports go down. ` +
      `State a port here and let ${to} pass it in, or move the shared part down.`
    );
  }
  if (room.closed?.some((part) => isWithin(target, part))) {
    return `"${from}" imports "${target}": ${room.why}.`;
  }
  return undefined;
}

/** A store knows the port and never another store. */
const storesStayApart: FileRule = (file) => {
  const own = STORES.find((store) => isWithin(file.path, store));
  if (own === undefined || file.isTest) return [];
  return file.imports.flatMap((mention) => {
    const target = targetOf(file, mention) ?? "";
    const other = STORES.find((store) => store !== own && isWithin(target, store));
    if (other === undefined) return [];
    const message = `"${own}" imports from "${other}"; move what both need up to storage/.`;
    return [{ file: file.path, line: mention.line, rule: "stores-stay-apart", message }];
  });
};

/** The browser's compiler meets types of the contract and no code of ours. */
const dashboardSeesTypes: FileRule = (file) => {
  if (roomOf(file.path) !== "dashboard") return [];
  return file.imports.flatMap((mention) => {
    const target = targetOf(file, mention);
    if (target === undefined || roomOf(target) === "dashboard" || mention.kind === "type")
      return [];
    const message = `The dashboard imports "${target}" as code; write \`import type\`.`;
    return [{ file: file.path, line: mention.line, rule: "dashboard-sees-types", message }];
  });
};

/** An outside package is imported by the one file or room that the table names. */
const packagesHaveOnePlace: FileRule = (file) => {
  const room = roomOf(file.path);
  if (room === undefined || room === "dashboard") return [];
  return file.imports.flatMap((mention) => {
    if (mention.specifier.startsWith(".")) return [];
    const message = faultOfPackage(file, fullName(mention.specifier), room);
    if (message === undefined) return [];
    return [{ file: file.path, line: mention.line, rule: "packages-have-one-place", message }];
  });
};

function faultOfPackage(file: SourceFile, name: string, room: string): string | undefined {
  if (file.isTest) return undefined;
  if (TEST_PACKAGES.some((known) => isPackage(name, known))) {
    return `"${name}" belongs to tests; this file ships. Use node:assert or move the code into a test.`;
  }
  const isPure = room === "model" || room === "policy";
  if (isPure && name.startsWith("node:") && !PURE_BUILTINS.some((known) => name === known)) {
    return `"${room}" only computes, so it has no use for "${name}"; let the caller pass in what it needs.`;
  }
  const places = Object.entries(PACKAGES).find(([known]) => isPackage(name, known))?.[1];
  if (places === undefined) {
    if (name.startsWith("node:")) return undefined;
    return `"${name}" has no place in scripts/layer-table.ts; a new package needs a decision record and one file that imports it.`;
  }
  if (places.some((place) => isWithin(file.path, place))) return undefined;
  return `"${name}" is imported by ${places.join(" and ")} alone; call that file instead.`;
}

/** Folders of `examples/` that are no example, as they have no number: what examples share. */
const SHARED_BY_EXAMPLES = /^examples\/[^/\d][^/]*\//;

/** An example shows what a user can write: doors of the package, files of its own folder and of shared ones. */
const examplesUseDoors: FileRule = (file, house) => {
  const own = /^examples\/[^/]+\//.exec(file.path)?.[0];
  if (own === undefined) return [];
  return file.imports.flatMap((mention) => {
    const target = targetOf(file, mention);
    const isOurs = /^millrace(?:\/|$)/.test(mention.specifier);
    const isSupport = file.isTest && target?.startsWith("test/support/") === true;
    const reaches =
      target === undefined
        ? isOurs && !house.doors.includes(mention.specifier)
        : !target.startsWith(own) && !SHARED_BY_EXAMPLES.test(target);
    if (!reaches || isSupport) return [];
    const message = `An example imports "${mention.specifier}", past a door; it may use ${house.doors.join(", ")}, its own folder and those without a number.`;
    return [{ file: file.path, line: mention.line, rule: "examples-use-doors", message }];
  });
};

/** The doors hold names and no logic, each name written out. */
const doorsHoldNames: FileRule = (file) => {
  if (roomOf(file.path) !== "exports" || file.isTest) return [];
  const rest = file.source.bare.replaceAll(
    /\bexport\s+(?:type\s+)?\{[^}]*\}\s*from\s*["'] *["'];/g,
    (found) => found.replaceAll(/[^\n]/g, " "),
  );
  const at = rest.search(/\S/);
  if (at === -1) return [];
  const line = rest.slice(0, at).split("\n").length;
  const message =
    'A door only says `export { name } from "..."`, never `export *`, and holds no code; move the logic into its room.';
  return [{ file: file.path, line, rule: "doors-hold-names", message }];
};

/** All rules about the imports of one file. */
export const IMPORT_RULES: readonly FileRule[] = [
  importsGoDown,
  storesStayApart,
  dashboardSeesTypes,
  packagesHaveOnePlace,
  examplesUseDoors,
  doorsHoldNames,
];

/** Whether a path lies in a place of `src/`: a folder, or the very file. */
function isWithin(path: string, place: string): boolean {
  const full = `src/${place}`;
  return path === full || path.startsWith(full.endsWith("/") ? full : `${full}/`);
}

function isPackage(name: string, known: string): boolean {
  return name === known || name.startsWith(known.endsWith("/") ? known : `${known}/`);
}

function fullName(specifier: string): string {
  return isBuiltin(specifier) && !specifier.startsWith("node:") ? `node:${specifier}` : specifier;
}
