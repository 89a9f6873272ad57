import assert from "node:assert/strict";
import { test } from "vitest";
import { isMillraceError } from "../model/errors.ts";
import { systemMachine } from "../std/machine.ts";
import { makeVirtualClock } from "../std/virtual-clock.ts";
import { openStore, type OpenStoreOptions } from "./open-store.ts";

const options: OpenStoreOptions = {
  clock: makeVirtualClock(),
  machine: systemMachine,
  mode: "write",
};

test("memory: is a store that ends with its process", async () => {
  const store = await openStore("memory:", options);
  assert.equal(store.url, "memory:");
  assert.deepEqual(store.capabilities, { durable: false, shared: false });
  await store.close();
});

test("sqlite: is a store in the file that is named, or in memory", async () => {
  const store = await openStore("sqlite::memory:", options);
  assert.equal(store.url, "sqlite::memory:");
  assert.deepEqual(await store.listRuns({ limit: 1 }), []);
  await store.close();
});

test("postgres: is refused with what to do instead", async () => {
  for (const url of ["postgres://localhost/db", "postgresql://user@host/db"]) {
    await assert.rejects(openStore(url, options), (error) => {
      assert.ok(isMillraceError(error) && error.code === "STORE_UNSUPPORTED");
      return /sqlite:PATH/.test(error.hint ?? "") && error.message.includes(url);
    });
  }
});

test.each([
  ["store.db", `Did you mean "sqlite:store.db"?`],
  ["/var/lib/store.db", `Did you mean "sqlite:/var/lib/store.db"?`],
  ["sqlite3:store.db", `Did you mean`],
  ["file:store.db", `Did you mean "sqlite:store.db"?`],
  ["sqlite://store.db", `Did you mean "sqlite:store.db"?`],
  ["mysql://host/db", ""],
  ["sqlite:", ""],
  ["sqlite", ""],
  ["", ""],
  ["memory", ""],
  ["memory:x", ""],
  ["sqlite:a\0b", ""],
])("%j is no URL of a store, and the refusal shows what is", async (url, suggestion) => {
  await assert.rejects(openStore(url, options), (error) => {
    assert.ok(isMillraceError(error), String(error));
    assert.equal(error.code, "STORE_INVALID");
    assert.ok(error.message.includes(url));
    assert.match(error.hint ?? "", /sqlite:\.millrace\/store\.db.*memory:/);
    return (error.hint ?? "").includes(suggestion);
  });
});
