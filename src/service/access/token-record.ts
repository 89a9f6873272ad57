// A token as it is stored, in the collection "tokens" by its name: {"id": UUID, "hash": SHA-256 of its secret in
// hexadecimal, "role": "read" | "operate" | "admin", "createdAtMs": UTC ms, "createdBy": text, "expiresAtMs": UTC ms or
// null, "revokedAtMs": UTC ms or null}.

import { isRecord } from "../../std/record.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import { isRole, type Role } from "./identity.ts";

/** A token that is known. */
export interface TokenRecord {
  /** New with each token, also where a name comes back. */
  readonly id: string;
  readonly name: string;
  /** SHA-256 of its secret, in hexadecimal. */
  readonly hash: string;
  readonly role: Role;
  readonly createdAtMs: number;
  readonly createdBy: string;
  /** Null: never. */
  readonly expiresAtMs: number | null;
  /** Null: it was not. */
  readonly revokedAtMs: number | null;
}

/** Reads a token; undefined for a record that is damaged, which lets nobody in. */
export function parseToken({ key, value }: StoreRecord): TokenRecord | undefined {
  if (!isRecord(value)) return undefined;
  const { id, hash, role, createdAtMs, createdBy, expiresAtMs, revokedAtMs } = value;
  if (typeof id !== "string" || typeof hash !== "string" || !isRole(role)) return undefined;
  if (typeof createdAtMs !== "number" || typeof createdBy !== "string") return undefined;
  if (!isTime(expiresAtMs) || !isTime(revokedAtMs)) return undefined;
  return { id, name: key, hash, role, createdAtMs, createdBy, expiresAtMs, revokedAtMs };
}

function isTime(value: unknown): value is number | null {
  return value === null || typeof value === "number";
}
