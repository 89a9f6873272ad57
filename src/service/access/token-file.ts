// The token file: one line beside the store, made at the first start, that only its owner can read. Whoever can read
// it may do everything, so a file that others can read is refused instead of being mended: it may have been read.

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
  type Stats,
} from "node:fs";
import { dirname, join } from "node:path";
import { isMillraceError, MillraceError } from "../../model/errors.ts";
import { unlinkedFlags } from "../../std/files/unlinked-file.ts";
import { systemRandom, type Random } from "../../std/random.ts";
import { findStorePath, isMemoryUrl } from "../../storage/open-store.ts";
import { makeSecret } from "./secret.ts";
import { TOKEN_PREFIX } from "./tokens.ts";

/** Characters of a token that somebody chose: as many as a secret of ours has, or more. */
const TOKEN_CHARS_MIN = 32;

/** Where the token of a store lies; undefined for a store in memory. */
export function findTokenFile(storeUrl: string): string | undefined {
  return isMemoryUrl(storeUrl) ? undefined : join(dirname(findStorePath(storeUrl)), "token");
}

/** Reads the token, and makes the file where there is none. TOKEN_FILE_UNSAFE, FILE_UNWRITABLE, FILE_UNREADABLE. */
export function readTokenFile(path: string, random: Random = systemRandom): string {
  const found = findFile(path);
  if (found === undefined) makeFile(path, `${TOKEN_PREFIX}${makeSecret(random)}`);
  return readSafely(path);
}

/** A token for a store that has no file, good until the process ends. */
export function makePassingToken(random: Random = systemRandom): string {
  return `${TOKEN_PREFIX}${makeSecret(random)}`;
}

/** A token that somebody chose. OPTION_INVALID where it is too short, or no bearer token. */
export function checkToken(token: string): string {
  if (token.length >= TOKEN_CHARS_MIN && token.length <= 512 && /^[\w.~+/-]+=*$/.test(token)) {
    return token;
  }
  throw new MillraceError("OPTION_INVALID", "The token that was given cannot be used.", {
    hint: `${TOKEN_CHARS_MIN} to 512 letters, digits and - . _ ~ + /; better: leave it out, and one is made`,
  });
}

function findFile(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function readSafely(path: string): string {
  refuseUnsafe(path, findFile(path));
  try {
    // Looked at again once it is open: another may have taken its place.
    const file = openSync(path, constants.O_RDONLY | unlinkedFlags());
    try {
      refuseUnsafe(path, fstatSync(file));
      return checkToken(readFileSync(file, "utf8").trim());
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (isMillraceError(cause) && cause.code === "TOKEN_FILE_UNSAFE") throw cause;
    if (codeOf(cause) === "ELOOP") throw unsafe(path, NOT_OWN);
    throw new MillraceError("FILE_UNREADABLE", `The token file "${path}" holds no token.`, {
      hint: "delete it, and the next start makes one",
      cause,
    });
  }
}

const NOT_OWN = "it is no file of its own";

function refuseUnsafe(path: string, found: Stats | undefined): void {
  if (found === undefined || !found.isFile()) throw unsafe(path, NOT_OWN);
  // Windows has no such bits: there its folder has to keep others out.
  const isOpen = process.platform !== "win32" && (found.mode & 0o077) !== 0;
  if (isOpen) throw unsafe(path, "others than its owner can read or change it");
  const user = process.getuid?.();
  if (user !== undefined && found.uid !== user && user !== 0) {
    throw unsafe(path, "it belongs to another user");
  }
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && "code" in cause ? cause.code : undefined;
}

/** Written apart and linked into place, so that nobody ever reads half a token, and of two that make one the first
 *  wins. */
function makeFile(path: string, token: string): void {
  const part = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(part, { force: true });
    const file = openSync(part, "wx", 0o600);
    try {
      writeSync(file, `${token}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    linkSync(part, path);
  } catch (cause) {
    if (codeOf(cause) === "EEXIST" && findFile(path) !== undefined) return;
    throw new MillraceError("FILE_UNWRITABLE", `The token file "${path}" cannot be made.`, {
      cause,
    });
  } finally {
    rmSync(part, { force: true });
  }
}

function unsafe(path: string, why: string): MillraceError {
  return new MillraceError("TOKEN_FILE_UNSAFE", `The token file "${path}" is not safe: ${why}.`, {
    hint: "it may have been read: delete it, and the next start makes a new token",
    details: { path },
  });
}
