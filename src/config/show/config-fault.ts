// Faults of settings as data: which source, which key, what was given and what was expected. Made of the errors that the
// layers throw, so that a fault reads the same wherever it is told.

import type { DefinitionFault } from "../../model/definition.ts";
import { isMillraceError } from "../../model/errors.ts";
import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { isSecretPath, MASK } from "./mask.ts";

/** One fault. */
export interface ConfigFault {
  /** "environment", or the file as shown. */
  readonly source: string;
  /** `worker.lease`, or the variable; empty: the source as a whole. */
  readonly key: string;
  /** What was given, as it is told; null: nothing, or not told. */
  readonly value: string | null;
  /** Null: it cannot be said in a word. */
  readonly expected: string | null;
  readonly hint: string | null;
  /** A sentence for people. */
  readonly message: string;
}

/** Faults that are kept of one check. */
const FAULTS_MAX = 100;

/** A fault that a parser found. */
export function toConfigFault(source: string, fault: DefinitionFault): ConfigFault {
  const { path, message, hint } = fault;
  const [, expected, value] = /^expected (.+?)(?:; got (.+))?$/s.exec(message) ?? [];
  return {
    source,
    key: path,
    value: value === undefined ? null : isSecretPath(path) ? MASK : value,
    expected: expected ?? null,
    hint: hint ?? null,
    message: isSecretPath(path) && expected !== undefined ? `expected ${expected}` : message,
  };
}

/** Whatever was thrown, as faults: each that it lists, or itself. */
export function toConfigFaults(source: string, error: unknown): readonly ConfigFault[] {
  if (!isMillraceError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return [toConfigFault(source, { path: "", message })];
  }
  const listed = readFaults(error.details?.["faults"]);
  if (listed.length > 0)
    return listed.slice(0, FAULTS_MAX).map((fault) => toConfigFault(source, fault));
  const [head = "", ...lines] = error.message.split("\n");
  const found = lines.flatMap((line) => {
    const [, path, message] = /^ {2}([\w.-]+): (.+)$/.exec(line) ?? [];
    return path === undefined || message === undefined ? [] : [{ path, message }];
  });
  const { hint } = error;
  const more = hint === undefined ? {} : { hint };
  if (found.length === 0) return [toConfigFault(source, { path: "", message: head, ...more })];
  return found.map((fault) => toConfigFault(source, { ...fault, ...more }));
}

function readFaults(raw: unknown): readonly DefinitionFault[] {
  if (!Array.isArray(raw)) return [];
  return raw.flatMap((one: unknown) => {
    if (!isPlainRecord(one)) return [];
    const { path, message, hint } = one;
    if (typeof path !== "string" || typeof message !== "string") return [];
    return [{ path, message, ...(typeof hint === "string" ? { hint } : {}) }];
  });
}

/** `source  key: message (hint)`, for people. */
export function describeFault({ source, key, message, hint }: ConfigFault): string {
  const at = key === "" ? "" : `${key}: `;
  return `${source}  ${at}${message}${hint === null ? "" : ` (${hint})`}`;
}
