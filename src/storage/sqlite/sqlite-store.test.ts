import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "vitest";
import { isMillraceError } from "../../model/errors.ts";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import { applyRun, createRun } from "../../testing/store-suite/fixture.ts";
import { MemoryBlobs } from "../blobs/memory-blobs.ts";
import { MIGRATIONS } from "./schema.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { StoreClock } from "./store-clock.ts";
import { Writer } from "./writes/writer.ts";

/** A disk whose next transactions fail with these result codes. */
class FailingWriter extends Writer {
  readonly codes: number[] = [];
  closed = 0;

  override apply(writes: Parameters<Writer["apply"]>[0]): ReturnType<Writer["apply"]> {
    const errcode = this.codes.shift();
    if (errcode !== undefined) throw Object.assign(new Error("disk I/O error"), { errcode });
    return super.apply(writes);
  }

  override close(): void {
    this.closed += 1;
  }
}

function setup(): { store: SqliteStore; writer: FailingWriter; reopened: () => number } {
  const database = new DatabaseSync(":memory:");
  for (const migration of MIGRATIONS) database.exec(migration.sql);
  const machine = { bootId: "b", sharedMonotonicMs: () => 0, isGone: () => undefined };
  const clock = new StoreClock({ clock: makeVirtualClock(), machine });
  const writer = new FailingWriter(database, clock);
  writer.setClock();
  let reopened = 0;
  const store = new SqliteStore({
    url: "sqlite:a.db",
    capabilities: { durable: true, shared: true },
    blobs: new MemoryBlobs(),
    clock,
    writer,
    reopenWriter: () => {
      reopened += 1;
      return new Writer(database, clock);
    },
    openReader: () => database,
  });
  return { store, writer, reopened: () => reopened };
}

test("after an input or output error the connection is opened anew before anything is written", async () => {
  const { store, writer, reopened } = setup();
  writer.codes.push(10 + 3 * 256); // IOERR_WRITE
  await assert.rejects(store.apply([createRun()]), (error) => {
    assert.ok(isMillraceError(error) && error.code === "STORE_FAILED", String(error));
    return error.retryable === false;
  });
  assert.deepEqual([writer.closed, reopened()], [1, 0]);

  assert.equal((await applyRun(store, createRun())).number, 1);
  assert.equal((await applyRun(store, createRun())).number, 2);
  assert.equal(reopened(), 1);
  await store.close();
});

test.each([11, 26])(
  "after damage (%d) the file is opened anew: it may be restored by then",
  async (errcode) => {
    const { store, writer, reopened } = setup();
    writer.codes.push(errcode);
    await assert.rejects(store.apply([createRun()]), isMillraceError);
    assert.equal((await applyRun(store, createRun())).number, 1);
    assert.deepEqual([writer.closed, reopened()], [1, 1]);
    await store.close();
  },
);

test("after any other fault the connection is kept", async () => {
  const { store, writer, reopened } = setup();
  for (const errcode of [5, 13, 8]) {
    writer.codes.push(errcode);
    await assert.rejects(store.apply([createRun()]), isMillraceError);
  }
  assert.equal((await applyRun(store, createRun())).number, 1);
  assert.deepEqual([writer.closed, reopened()], [0, 0]);
  await store.close();
});
