// The input of a run from the command line: `--input` as JSON, as `@file` or from stdin (`-`), then each
// `--set a.b=3` on top. Only text becomes a value here; the pipeline's schema judges it later.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { MillraceError } from "../../model/errors.ts";
import { VALUE_BYTES_MAX } from "../../model/limits.ts";
import type { CliContext, InStream, ParsedOptions } from "../cli-context.ts";
import { FlagReader, usageInvalid } from "./flag-reader.ts";

/** What the command line says of the input. `isGiven` false: neither flag was there, `value` is undefined. */
export interface RunInput {
  readonly isGiven: boolean;
  readonly value: unknown;
  /** The flags again, to print a command that starts the same. */
  readonly words: readonly string[];
}

/** Reads `--input` and `--set`. USAGE_INVALID for what is no JSON, FILE_UNREADABLE for a missing file. */
export async function readRunInput(
  context: Pick<CliContext, "cwd" | "stdin">,
  options: ParsedOptions,
): Promise<RunInput> {
  const reader = new FlagReader(options);
  const given = reader.text("input");
  const changes = reader.texts("set");
  const base = given === undefined ? undefined : await readInput(context, given);
  return {
    isGiven: given !== undefined || changes.length > 0,
    value: changes.reduce<unknown>(applyChange, base),
    words: [
      ...(given === undefined ? [] : ["--input", given]),
      ...changes.flatMap((change) => ["--set", change]),
    ],
  };
}

/** One `--set`: a path, and JSON or else text. Gives a new value; the old one is left as it was. */
export function applyChange(value: unknown, change: string): unknown {
  const cut = change.indexOf("=");
  const path = cut === -1 ? [] : change.slice(0, cut).split(".");
  if (path.length === 0 || path.some((part) => part === "" || part === "__proto__")) {
    throw usageInvalid([{ flag: "--set", message: `expected path=value; got "${change}"` }]);
  }
  return setAt(value, { path, next: parseLoose(change.slice(cut + 1)), change });
}

interface Change {
  readonly path: readonly string[];
  readonly next: unknown;
  /** As written, for the message. */
  readonly change: string;
}

function setAt(value: unknown, { path, next, change }: Change): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return next;
  if (Array.isArray(value)) return setInList(value, { path, next, change });
  if (value !== undefined && !isPlainRecord(value)) {
    throw usageInvalid([
      { flag: "--set", message: `"${change}" goes into "${first}", but there is no record there` },
    ]);
  }
  return { ...value, [first]: setAt(value?.[first], { path: rest, next, change }) };
}

function setInList(list: readonly unknown[], { path, next, change }: Change): unknown {
  const [first = "", ...rest] = path;
  const index = /^\d{1,9}$/.test(first) ? Number(first) : Number.NaN;
  if (!(index <= list.length)) {
    throw usageInvalid([
      {
        flag: "--set",
        message: `"${change}" names place "${first}" in a list of ${list.length}; expected 0 to ${list.length}`,
      },
    ]);
  }
  return list.toSpliced(index, 1, setAt(list[index], { path: rest, next, change }));
}

function parseLoose(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function readInput(
  context: Pick<CliContext, "cwd" | "stdin">,
  given: string,
): Promise<unknown> {
  if (given === "-") return parseStrict(await readAll(context.stdin()), "stdin");
  if (!given.startsWith("@")) return parseStrict(given, "--input");
  const path = given.slice(1);
  try {
    return parseStrict(readFileSync(resolve(context.cwd, path), "utf8"), path);
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError(
      "FILE_UNREADABLE",
      `The input file "${path}" cannot be read: ${reason}.`,
      {
        hint: "a path after @ counts from the working folder",
        cause,
      },
    );
  }
}

function parseStrict(text: string, from: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const start = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    throw new MillraceError("USAGE_INVALID", `The input from ${from} is no JSON: ${reason}.`, {
      hint: `it begins with ${JSON.stringify(start)}; text needs quotes inside the quotes of the shell, as in --input '"text"'`,
      cause,
    });
  }
}

async function readAll(stream: InStream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const piece = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    bytes += piece.length;
    if (bytes > VALUE_BYTES_MAX) {
      throw usageInvalid([
        { flag: "--input", message: `stdin is larger than ${VALUE_BYTES_MAX} bytes` },
      ]);
    }
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString("utf8");
}
