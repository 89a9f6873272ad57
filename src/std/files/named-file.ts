// Opens a file that a person named. A link is followed there, as /dev/stdout and many a folder of output are links, but
// none that another user made: in a folder that many can write, such a link waits for somebody to write through it.

import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";

/** Writes the text in place of what the file holds; one that is made is for its owner alone. Rejects as the file
 *  system does; ELOOP: a link of another user is in its place. */
export async function writeNamedFile(path: string, text: string): Promise<void> {
  refuseForeignLink(path);
  const { O_WRONLY, O_CREAT } = fs.constants;
  const file = await fs.promises.open(path, O_WRONLY | O_CREAT, 0o600);
  try {
    await refuseSwapped(path, file);
    // Only now: what was opened by mistake keeps what it holds. Pipes and terminals have nothing to cut off.
    if ((await file.stat()).isFile()) await file.truncate();
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

/** Throws ELOOP where the path is a link that neither this user nor the system's made. */
export function refuseForeignLink(path: string, user: number = userId()): void {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSymbolicLink() !== true || found.uid === user || found.uid === 0) return;
  throw foreign(path);
}

/** The path leads to what is open, and still by no link of somebody else. */
async function refuseSwapped(path: string, file: FileHandle): Promise<void> {
  refuseForeignLink(path);
  const [opened, named] = await Promise.all([
    file.stat({ bigint: true }),
    fs.promises.stat(path, { bigint: true }),
  ]);
  if (opened.ino !== named.ino || opened.dev !== named.dev) throw foreign(path);
}

/** Windows knows no such ids: there every link is as good as our own. */
function userId(): number {
  return process.geteuid?.() ?? 0;
}

function foreign(path: string): Error {
  const error = new Error(`ELOOP: "${path}" is a link that another user made`);
  return Object.assign(error, { code: "ELOOP", syscall: "open", path });
}
