import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "vitest";
import { isMillraceError } from "../../model/errors.ts";
import { InvariantError } from "../../std/error/assert.ts";
import { isBusy, isDoubtful, toStoreError } from "./faults.ts";
import { readTogether, transact } from "./transaction.ts";

let database: DatabaseSync;

beforeEach(() => {
  database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE rows (a TEXT NOT NULL UNIQUE) STRICT");
});

afterEach(() => database.close());

const count = (): unknown => database.prepare("SELECT count(*) AS n FROM rows").get()?.["n"];

function faultOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

test("a transaction is done when it returns, and answers what its work answered", () => {
  const answer = transact(database, () => {
    database.exec("INSERT INTO rows VALUES ('a')");
    return database.isTransaction;
  });
  assert.equal(answer, true);
  assert.equal(database.isTransaction, false);
  assert.equal(count(), 1);
});

test("a transaction whose work throws leaves nothing, and throws what was thrown", () => {
  const fault = new Error("no");
  const thrown = faultOf(() =>
    transact(database, () => {
      database.exec("INSERT INTO rows VALUES ('a')");
      throw fault;
    }),
  );
  assert.equal(thrown, fault);
  assert.equal(database.isTransaction, false);
  assert.equal(count(), 0);
});

test("transactions do not nest: the inner one is refused, and the outer one undone", () => {
  const nest = (): void => transact(database, () => transact(database, () => undefined));
  assert.throws(nest, /within a transaction/);
  assert.equal(database.isTransaction, false);
});

test("a full file is STORE_FULL, worth another try, and leaves nothing of its transaction", () => {
  database.exec("PRAGMA max_page_count = 20");
  const error = toStoreError(
    faultOf(() =>
      transact(database, () => {
        const insert = database.prepare("INSERT INTO rows VALUES (?)");
        for (let row = 0; ; row++) insert.run(`${row}${"x".repeat(1_000)}`);
      }),
    ),
    "sqlite:a.db",
  );
  assert.ok(isMillraceError(error));
  assert.equal(error.code, "STORE_FULL");
  assert.equal(error.retryable, true);
  assert.match(error.message, /"sqlite:a.db" has no room: the disk is full/);
  assert.match(error.hint ?? "", /Free space/);
  assert.equal(database.isTransaction, false);
  assert.equal(count(), 0);
});

test("a broken constraint is a fault of the program", () => {
  const fault = faultOf(() =>
    transact(database, () => {
      database.exec("INSERT INTO rows VALUES ('a'), ('a')");
    }),
  );
  const error = toStoreError(fault, "sqlite:a.db");
  assert.ok(error instanceof InvariantError);
  assert.match(error.message, /UNIQUE constraint failed: rows.a/);
});

test("writing to what was opened to be read is STORE_READ_ONLY", () => {
  database.exec("PRAGMA query_only = 1");
  const fault = faultOf(() => database.exec("INSERT INTO rows VALUES ('a')"));
  const error = toStoreError(fault, "sqlite:a.db");
  assert.ok(isMillraceError(error) && error.code === "STORE_READ_ONLY", String(error));
});

test.each([
  [5, "STORE_BUSY", true],
  [261, "STORE_BUSY", true], // BUSY_RECOVERY
  [6, "STORE_BUSY", true],
  [8, "STORE_READ_ONLY", false],
  [10, "STORE_FAILED", false],
  [2570, "STORE_FAILED", false], // IOERR_SHMMAP ... whatever comes after the first byte
  [11, "STORE_DAMAGED", false],
  [13, "STORE_FULL", true],
  [14, "STORE_INVALID", false],
  [26, "STORE_INVALID", false],
  [99, "STORE_FAILED", false],
] as const)("result code %i is %s", (errcode, code, retryable) => {
  const fault = Object.assign(new Error("words of SQLite"), { code: "ERR_SQLITE_ERROR", errcode });
  const error = toStoreError(fault, "sqlite:a.db");
  assert.ok(isMillraceError(error));
  assert.deepEqual([error.code, error.retryable, error.cause], [code, retryable, fault]);
  assert.match(error.message, /"sqlite:a.db".*words of SQLite/);
  assert.equal(isDoubtful(fault), [10, 11, 26].includes(errcode & 0xff));
  assert.equal(isBusy(fault), (errcode & 0xff) === 5);
});

test("an error of another kind passes as it is", () => {
  const error = new TypeError("no");
  assert.equal(toStoreError(error, "u"), error);
  assert.equal(toStoreError("text", "u"), "text");
});

test("reads that belong together leave no transaction open, whatever happens", () => {
  assert.equal(readTogether(database, count), 0);
  assert.throws(() =>
    readTogether(database, () => {
      throw new Error("no");
    }),
  );
  assert.equal(database.isTransaction, false);
});
