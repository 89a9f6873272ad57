// Checks that a stage really did what it says. Files must exist, hold something, and have changed since the
// stage was first tried here: what an earlier run left behind proves nothing.

import type { VerifyFiles, VerifyFunction } from "../../model/stage/stage-options.ts";
import type { Attempt } from "./attempt.ts";
import type { FileStamp, Files } from "../ports.ts";

/** Checks of one run. */
export class Verification {
  readonly #files: Files;
  /** How the files looked before the first attempt, by stage and item. */
  readonly #before: Map<string, ReadonlyMap<string, FileStamp | null>> = new Map();

  constructor(files: Files) {
    this.#files = files;
  }

  /** Remembers how the files look before the first attempt. */
  async note(attempt: Attempt, verify: VerifyFiles): Promise<void> {
    const name = nameOf(attempt);
    if (this.#before.has(name)) return;
    const stamps = new Map<string, FileStamp | null>();
    for (const path of verify.files) stamps.set(path, await this.#files.stamp(path));
    this.#before.set(name, stamps);
  }

  /** Throws where the work is not really done. */
  async check(
    attempt: Attempt,
    verify: VerifyFunction | VerifyFiles,
    output: unknown,
  ): Promise<void> {
    if (typeof verify === "function") {
      await verify(output, attempt);
      return;
    }
    const before = this.#before.get(nameOf(attempt));
    for (const path of verify.files) {
      const fault = findFault(await this.#files.stamp(path), before?.get(path) ?? null);
      if (fault !== undefined) throw new Error(`verify: file "${path}" ${fault}`);
    }
  }
}

function nameOf(attempt: Attempt): string {
  return JSON.stringify([attempt.stage, attempt.item?.key ?? null]);
}

function findFault(now: FileStamp | null, before: FileStamp | null): string | undefined {
  if (now === null) return "does not exist";
  if (now.bytes === 0) return "is empty";
  const same =
    before !== null &&
    before.changedAtNs === now.changedAtNs &&
    before.inode === now.inode &&
    before.bytes === now.bytes;
  return same ? "was not written by this run: it is what an earlier one left" : undefined;
}
