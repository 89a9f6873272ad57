// What an author's `classify` answers about an error, checked: a class, nothing, or a fault. A hook that throws
// must not hide the failure it was asked about; one that names no class of ours must not pass unseen either,
// for a misspelt class would silently change what is retried. What follows is decided in `classify.ts`.

import { describeValue } from "../../model/compile/option-reader.ts";
import { MillraceError } from "../../model/errors.ts";
import { ERROR_CLASSES, type ErrorClass } from "../../model/outcome.ts";
import { boundedText } from "../../std/json.ts";
import { findNearest } from "../../std/nearest.ts";
import { redact } from "../../std/redact.ts";
import { isErrorClass } from "./error-table.ts";
import { readText, tryRead } from "./evidence.ts";

/** A hook of the author: names a class, or undefined for the table. */
export type ClassifyHook = (error: unknown) => ErrorClass | undefined;

/** What a hook said. */
export type HookAnswer =
  | { readonly kind: "silent" }
  | { readonly kind: "named"; readonly class: ErrorClass }
  | { readonly kind: "threw"; readonly message: string }
  /** It named something that is no class; `error` says what, and has the failure itself as its cause. */
  | { readonly kind: "invalid"; readonly error: MillraceError };

const SILENT: HookAnswer = { kind: "silent" };
const SAID_CHARS_MAX = 200;

/** Asks the hook, if there is one. `undefined` and `null` are silence. */
export function askHook(error: unknown, hook: ClassifyHook | null | undefined): HookAnswer {
  if (hook === undefined || hook === null) return SILENT;
  try {
    return readAnswer(hook(error), error);
  } catch (fault) {
    return { kind: "threw", message: boundedText(redact(describeFault(fault)), SAID_CHARS_MAX) };
  }
}

function describeFault(fault: unknown): string {
  return readText(fault, "message") ?? tryRead(() => String(fault)) ?? "an unreadable value";
}

function readAnswer(said: unknown, cause: unknown): HookAnswer {
  if (said === undefined || said === null) return SILENT;
  if (isErrorClass(said)) return { kind: "named", class: said };
  // A hook declared async may reject as well; that must not end the process.
  if (said instanceof Promise) said.catch(() => {});
  const message = `"classify" answered ${describeSaid(said)}; expected the name of an error class, or undefined.`;
  const hint = `known: ${ERROR_CLASSES.join(", ")}`;
  return { kind: "invalid", error: new MillraceError("OPTION_INVALID", message, { hint, cause }) };
}

function describeSaid(said: unknown): string {
  if (said instanceof Promise) return "a promise: it cannot be async";
  const shown = describeValue(said);
  if (typeof said !== "string") return shown;
  // In the message, since of a failure only that is shown.
  const near = findNearest(said, ERROR_CLASSES);
  return `${shown}, which is no class${near === undefined ? "" : ` (did you mean "${near}"?)`}`;
}
