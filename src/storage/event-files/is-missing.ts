// Told apart from every other trouble with a file: it is not there.

/** Whether a call failed because there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
