// Imports one file of the user's, and turns whatever goes wrong into one paragraph: where it happened, what
// Node said, what to write instead. Faults of our own kind, such as an invalid definition, pass as they are.

import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beginAddressedImport } from "../model/addressed-import.ts";
import { isMillraceError, MillraceError, type ErrorCode } from "../model/errors.ts";
import { isRecord } from "../std/record.ts";

/** How a fault of the file is told. */
export interface ImportTerms {
  readonly code: Extract<ErrorCode, "CONFIG_INVALID" | "PIPELINE_FILE_INVALID">;
  /** "pipeline file", "configuration". */
  readonly what: string;
  /** Paths are shown relative to this folder. */
  readonly cwd: string;
}

/** What the file exports, by name. Throws a MillraceError with the code of the terms. */
export async function importModule(
  path: string,
  terms: ImportTerms,
): Promise<Readonly<Record<string, unknown>>> {
  const end = beginAddressedImport();
  try {
    const loaded: unknown = await import(pathToFileURL(path).href);
    return isRecord(loaded) ? loaded : {};
  } catch (cause) {
    if (isMillraceError(cause)) throw cause;
    throw explainImport(cause, path, terms);
  } finally {
    end();
  }
}

/** The fault as one of ours. */
function explainImport(cause: unknown, path: string, terms: ImportTerms): MillraceError {
  const shown = showPath(terms.cwd, path);
  const error = cause instanceof Error ? cause : undefined;
  const place = findPlace(error) ?? path;
  const at = showPlace(terms.cwd, place);
  const { message, hint } = describe(cause, shown);
  return new MillraceError(
    terms.code,
    `The ${terms.what} "${shown}" cannot be loaded: ${at === shown ? "" : `${at}: `}${message}.`,
    { ...(hint === undefined ? {} : { hint }), details: { file: path, at }, cause },
  );
}

interface Description {
  readonly message: string;
  readonly hint?: string;
}

function describe(cause: unknown, shown: string): Description {
  if (!(cause instanceof Error)) return { message: `it threw ${String(cause)}` };
  const message = cause.message.trim().replace(/(?<![.\s])[.\s]+$/, "");
  const code = "code" in cause ? cause.code : undefined;
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") return describeSyntax(message);
  if (code === "ERR_MODULE_NOT_FOUND") return describeMissing(message, shown);
  if (cause instanceof SyntaxError) {
    return { message: `syntax error: ${message}`, hint: "mend the line; no stage was started" };
  }
  return {
    message: `it threw ${cause.name}: ${message}`,
    hint: "a file of pipelines is imported to be read: work belongs into stages, not beside them",
  };
}

/** TypeScript that is more than types: Node only strips types, it does not compile. */
function describeSyntax(message: string): Description {
  const what = /^TypeScript (.+?) (?:is|are) not supported/.exec(message)?.[1] ?? "syntax";
  return { message: `TypeScript ${what} cannot be run without compiling`, hint: insteadOf(what) };
}

function insteadOf(what: string): string {
  if (what === "enum") return "write a const object or a union of literals instead";
  if (what.startsWith("parameter prop"))
    return "declare the field and assign it in the constructor";
  if (what.startsWith("namespace")) return "write a module, or a const object, instead";
  return "write it in plain JavaScript with types; only types are stripped";
}

function describeMissing(message: string, shown: string): Description {
  const name = /^Cannot find package '([^']+)'/.exec(message)?.[1];
  if (name !== undefined) {
    return {
      message: `it imports the package "${name}", which is not installed`,
      hint: `npm install ${name}`,
    };
  }
  const file = /^Cannot find module '([^']+)'/.exec(message)?.[1];
  return {
    message: `it imports "${file ?? "a file"}", which does not exist`,
    hint: `relative imports carry their ending, as in "./${shown.endsWith(".ts") ? "parse.ts" : "parse.js"}"`,
  };
}

/** `path:line` where the fault is: the head of a syntax error's text, or the first frame outside Node. */
function findPlace(error: Error | undefined): string | undefined {
  const stack = error?.stack ?? "";
  const head = /^((?:file:\/\/)?\/[^\n]*?|file:\/\/\/[^\n]*?|[A-Za-z]:\\[^\n]*?):(\d+)\n/.exec(
    stack,
  );
  if (head !== null) return `${toPath(head[1] ?? "")}:${head[2]}`;
  const importer = / imported from ([^\n]+)/.exec(error?.message ?? "")?.[1];
  if (importer !== undefined) return toPath(importer);
  const frame = /^[ \t]+at (?:[^\n(]*\()?(file:\/\/[^\n)]*?):(\d+):\d+\)?$/m.exec(stack);
  return frame === null ? undefined : `${toPath(frame[1] ?? "")}:${frame[2]}`;
}

function toPath(text: string): string {
  return text.startsWith("file://") ? fileURLToPath(text) : text;
}

function showPlace(cwd: string, place: string): string {
  const [, path = place, line = ""] = /^(.*?)(:\d+)?$/.exec(place) ?? [];
  return showPath(cwd, path) + line;
}

/** A path as people write it: relative where it lies below the folder. */
export function showPath(cwd: string, path: string): string {
  const inside = relative(cwd, path);
  return inside === "" || inside.startsWith("..") ? path : inside;
}
