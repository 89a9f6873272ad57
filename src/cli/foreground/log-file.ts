// The file that `--log-file` names: the lines form is appended to it, line by line, so that what was told is
// there when the process dies.

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { MillraceError } from "../../model/errors.ts";
import { refuseForeignLink } from "../../std/files/named-file.ts";
import type { CliContext } from "../cli-context.ts";

/** A log file that is open. */
export interface LogFile {
  /** Appends at once. Ignored after `close`. */
  write(text: string): void;
  /** Safe to repeat. */
  close(): void;
}

/** Opens it, its folder made where need be; null: none. FILE_UNWRITABLE. */
export function openLogFile(
  context: Pick<CliContext, "cwd">,
  given: string | null,
): LogFile | undefined {
  if (given === null) return undefined;
  const path = resolve(context.cwd, given);
  try {
    mkdirSync(dirname(path), { recursive: true });
    refuseForeignLink(path);
    return toLogFile(openSync(path, "a", 0o600));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError(
      "FILE_UNWRITABLE",
      `The log file "${given}" cannot be written: ${reason}.`,
      {
        hint: "name another --log-file, or leave it out; nothing was started",
        details: { given, path },
        cause,
      },
    );
  }
}

function toLogFile(handle: number): LogFile {
  let isOpen = true;
  return {
    write(text) {
      if (isOpen) writeSync(handle, text);
    },
    close() {
      if (isOpen) closeSync(handle);
      isOpen = false;
    },
  };
}
