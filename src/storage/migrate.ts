// Numbered, checksummed migrations, for every database: which of those we know have yet to be applied to a
// store, and which stores we must not touch. Locks and transactions are the database's own.

import { MillraceError } from "../model/errors.ts";
import { sha256Hex } from "../std/json.ts";

/** One step of the schema. Never edited after its release. */
export interface Migration {
  /** 1, 2, 3 ... without gaps; the same in every database. */
  readonly id: number;
  readonly name: string;
  readonly sql: string;
  /** `checksumOf` of the text, written out: a store is opened far more often than a migration changes. */
  readonly checksum: string;
}

/** What a store says of a migration it has. */
export interface AppliedMigration {
  readonly id: number;
  readonly name: string;
  readonly checksum: string;
}

/** Hash by which a store finds out that a migration is not the one it was made with. */
export function checksumOf(sql: string): string {
  return sha256Hex(sql);
}

/**
 * The migrations that this store lacks, in order. STORE_TOO_NEW if it has more than we know, STORE_INVALID if
 * one of its own is not ours.
 */
export function planMigrations(
  url: string,
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  if (applied.length > known.length) throw tooNew(url, known.length, applied.length);
  for (const [index, migration] of applied.entries()) {
    const ours = known[index];
    if (ours === undefined || ours.id !== migration.id || ours.checksum !== migration.checksum) {
      throw new MillraceError(
        "STORE_INVALID",
        `The store "${url}" was made with another migration ${migration.id} ("${migration.name}") than ours ` +
          `("${ours?.name ?? "none"}").`,
        { hint: "It comes from a build that was never released; use that build, or a new store." },
      );
    }
  }
  return known.slice(applied.length);
}

/** The refusal of a store that a newer millrace has migrated. */
export function tooNew(url: string, known: number, found: number): MillraceError {
  return new MillraceError(
    "STORE_TOO_NEW",
    `The store "${url}" has schema ${found}; this millrace knows schemas up to ${known}.`,
    {
      hint: "A newer millrace has used this store. Update this one; it changes nothing in the store.",
      next: "npm install millrace@latest",
      details: { known, found },
    },
  );
}
