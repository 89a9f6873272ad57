// Which outputs of a run say where its results are: text that is the path of a file or folder which is there,
// as the output itself or as a field of it.

import { isRecord } from "../../../std/record.ts";

/** Fields of one output that are looked at. */
const FIELDS_MAX = 50;
/** Longest text that is taken for a path. */
const PATH_CHARS_MAX = 1_024;

/** Answers whether there is a file or folder at a path. */
export type PathExists = (path: string) => boolean;

/** The paths that an output names, in order, each once. */
export function findResultPaths(output: unknown, exists: PathExists): readonly string[] {
  const candidates = isRecord(output) ? Object.values(output).slice(0, FIELDS_MAX) : [output];
  const paths = candidates.filter((value) => isPath(value)).filter(exists);
  return [...new Set(paths)];
}

/** Text that looks like a path: a word alone may be the name of a folder by accident. */
function isPath(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length <= PATH_CHARS_MAX &&
    /[/\\.]/.test(value) &&
    !/[\0\n\r]/.test(value)
  );
}
