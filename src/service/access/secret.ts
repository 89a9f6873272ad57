// Secrets of 256 bits as text, and the one way to compare them: by their hashes, in a time that tells nothing.

import { timingSafeEqual } from "node:crypto";
import { sha256Hex } from "../../std/json.ts";
import type { Random } from "../../std/random.ts";

/** Bytes of chance in a secret. */
const SECRET_BYTES = 32;

/** A fresh secret: 43 characters that need no escape in an address, a header or a file. */
export function makeSecret(random: Random): string {
  return Buffer.from(random.bytes(SECRET_BYTES)).toString("base64url");
}

/** What is kept of a secret that only has to be recognised. */
export function hashSecret(secret: string): string {
  return sha256Hex(secret);
}

/** Whether a secret has this hash. Takes the same time for every secret of one length. */
export function hasHash(secret: string, hash: string): boolean {
  const given = Buffer.from(hashSecret(secret), "hex");
  const wanted = Buffer.from(hash, "hex");
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
