// An export as a file: new, whole, and never in the place of another one.

import { MillraceError } from "../../model/errors.ts";
import { writeNewFile } from "../../storage/blobs/new-file.ts";

/**
 * Writes text as it comes and answers how many bytes it was. FILE_EXISTS, FILE_UNWRITABLE.
 * @param path Absolute.
 * @param shown As it was given, for messages.
 */
export async function writeExportFile(
  path: string,
  shown: string,
  text: AsyncIterable<string>,
): Promise<number> {
  const written = await writeNewFile(path, text).catch((cause: unknown) => {
    throw toFileError(shown, cause);
  });
  if (written !== undefined) return written.bytes;
  throw new MillraceError("FILE_EXISTS", `"${shown}" is there already; nothing was written.`, {
    hint: "name another file, or move that one away",
    details: { file: shown },
  });
}

/** What a file system said, as a fault of this file; any other error as it is. FILE_UNWRITABLE. */
export function toFileError(shown: string, cause: unknown): unknown {
  // Faults of the store come this way as well, and say what they are.
  if (!(cause instanceof Error) || !("syscall" in cause)) return cause;
  return new MillraceError("FILE_UNWRITABLE", `"${shown}" cannot be written: ${cause.message}.`, {
    hint: "check that its folder is there and yours, and that the disk has room",
    cause,
    details: { file: shown },
  });
}
