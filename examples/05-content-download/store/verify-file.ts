// Whether a file is the document it is taken for. Reads what is on the disk, not what was sent.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PermanentError } from "millrace";

/** What the file must be. */
export interface Expected {
  readonly type: string;
  readonly bytes: number;
  readonly sha256?: string | undefined;
}

/** What the file is. */
export interface Verified {
  readonly sha256: string;
  readonly bytes: number;
}

const PDF_MARK = "%PDF-";

/** Gives the digest of the file. Throws a PermanentError when size, mark or digest are not as expected. */
export async function verifyFile(path: string, expected: Expected): Promise<Verified> {
  const content = await readFile(path);
  if (content.length !== expected.bytes) {
    throw new PermanentError(`the file has ${content.length} bytes, expected ${expected.bytes}.`);
  }
  const mark = content.subarray(0, PDF_MARK.length).toString("latin1");
  if (expected.type === "application/pdf" && mark !== PDF_MARK) {
    throw new PermanentError(
      `the file begins with ${JSON.stringify(mark)}, expected "${PDF_MARK}".`,
    );
  }
  const sha256 = createHash("sha256").update(content).digest("hex");
  if (expected.sha256 !== undefined && expected.sha256 !== sha256) {
    throw new PermanentError(`the file's SHA-256 is ${sha256}, expected ${expected.sha256}.`);
  }
  return { sha256, bytes: content.length };
}
