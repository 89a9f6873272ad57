// `--report FILE` as it is read: what cannot be written is refused before anything starts. Loads nothing that only
// writing needs.

import { accessSync, constants } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { MillraceError } from "../../model/errors.ts";
import type { CliContext } from "../cli-context.ts";
import type { FlagReader } from "../input/flag-reader.ts";

/** Endings of report files. */
export const REPORT_ENDINGS = [".html", ".md", ".json"] as const;

/** Ending of a report file, which says what it is. */
export type ReportEnding = (typeof REPORT_ENDINGS)[number];

/** A report that is asked for. */
export interface ReportWish {
  /** As it was given. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  readonly ending: ReportEnding;
}

/** Reads the flag; undefined: it was not given, or is a fault of the reader. FILE_UNWRITABLE. */
export function readReportFlag(
  reader: FlagReader,
  { cwd }: Pick<CliContext, "cwd">,
): ReportWish | undefined {
  const file = reader.text("report");
  if (file === undefined) return undefined;
  const ending = REPORT_ENDINGS.find((each) => each === extname(file).toLowerCase());
  if (ending === undefined) {
    return reader.fault(
      "report",
      `expected a file that ends in ${REPORT_ENDINGS.join(", ")}; got "${file}"`,
    );
  }
  const path = resolve(cwd, file);
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (cause) {
    throw reportUnwritable(file, cause);
  }
  return { file, path, ending };
}

/** The error for a report that cannot be written. */
export function reportUnwritable(file: string, cause: unknown): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError(
    "FILE_UNWRITABLE",
    `The report "${file}" cannot be written: ${reason}.`,
    {
      hint: "name a file in a folder that exists and is yours",
      cause,
    },
  );
}
