// The one way to write to SQLite. A transaction takes the write lock at its start, so that it never fails
// half way for want of it, and it is synchronous: one held across an `await` would block the process itself.

import type { DatabaseSync } from "node:sqlite";

/**
 * Runs `work` in one transaction: all of it is durable when this returns, none of it if it throws. Others that
 * write are waited for as long as the connection's busy timeout.
 */
export function transact<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk or a failed write may have ended the transaction already.
    if (database.isOpen && database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Runs `work`, which only reads, on one snapshot: others may go on writing meanwhile. */
export function readTogether<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN");
  try {
    return work();
  } finally {
    if (database.isTransaction) database.exec("COMMIT");
  }
}
