// What is remembered of failures: first and last sight, in bounds, and nothing is written while nothing fails.

import { expect, test } from "vitest";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import { MemoryStore } from "../../storage/memory/memory-store.ts";
import type { Store } from "../../storage/store.ts";
import type { Write } from "../../storage/write.ts";
import { readKnownFailures, rememberFailures } from "./known-failures.ts";

type Mill = Parameters<typeof rememberFailures>[0];

interface World {
  readonly mill: Mill;
  readonly store: Store;
  readonly clock: VirtualClock;
  /** Writes of the memory so far. */
  readonly written: Write[];
  readonly fail: (...fingerprints: readonly string[]) => Promise<void>;
}

function makeWorld(): World {
  const clock = makeVirtualClock();
  const store = new MemoryStore({ clock });
  const written: Write[] = [];
  const committer: Mill["committer"] = {
    write: async (write) => {
      written.push(write);
      const [result] = await store.apply([write]);
      if (result === undefined) throw new Error("a write has a result");
      return result;
    },
  };
  const fail = async (...fingerprints: readonly string[]): Promise<void> => {
    const events = fingerprints.map(
      (fingerprint) => ({ type: "item.failed", data: { fingerprint } }) as const,
    );
    await store.apply([{ kind: "put-records", puts: [], events }]);
  };
  return { mill: { store, committer }, store, clock, written, fail };
}

test("a kind keeps the time when it was seen first, however often it is seen again", async () => {
  const { mill, store, clock, fail } = makeWorld();
  await fail("a", "b");
  const firstAtMs = store.nowMs();
  await rememberFailures(mill);
  await clock.advance(100_000_000);
  await fail("a");
  await rememberFailures(mill);

  const known = await readKnownFailures(store);
  expect(known.get("a")).toEqual({ firstAtMs, lastAtMs: store.nowMs() });
  expect(known.get("b")).toEqual({ firstAtMs, lastAtMs: firstAtMs });
});

test("nothing is written while nothing fails", async () => {
  const { mill, store, written, fail } = makeWorld();
  await rememberFailures(mill);
  expect(written).toEqual([]);
  await fail("a");
  await rememberFailures(mill);
  await rememberFailures(mill);
  await store.apply([{ kind: "put-records", puts: [], events: [{ type: "health.changed" }] }]);
  await rememberFailures(mill);
  expect(written).toHaveLength(1);
});

test("of very many kinds those that were seen last are remembered", async () => {
  const { mill, store, fail } = makeWorld();
  const names = Array.from({ length: 1_200 }, (_, index) => `f${index}`);
  await fail(...names.slice(0, 600));
  await fail(...names.slice(600), "f0");
  await rememberFailures(mill);

  const known = [...(await readKnownFailures(store)).keys()];
  expect(known).toEqual([...names.slice(201), "f0"]);
});

test("what fails in masses is looked at in pieces, one each time", async () => {
  const { mill, store, fail } = makeWorld();
  for (let count = 0; count < 5; count++) await fail(...Array.from({ length: 500 }, () => "a"));
  await fail("b");
  await rememberFailures(mill);
  expect([...(await readKnownFailures(store)).keys()]).toEqual(["a"]);
  await rememberFailures(mill);
  expect([...(await readKnownFailures(store)).keys()]).toEqual(["a", "b"]);
});

test("of two that remember at once one writes, and a memory that cannot be read is made anew", async () => {
  const { mill, store, fail } = makeWorld();
  await fail("a");
  await Promise.all([rememberFailures(mill), rememberFailures(mill)]);
  expect([...(await readKnownFailures(store)).keys()]).toEqual(["a"]);

  const value = { seq: "?", kinds: [] };
  const put = { collection: "failures", key: "known", expected: null, value } as const;
  await store.apply([{ kind: "put-records", puts: [put], events: [] }]);
  expect((await readKnownFailures(store)).size).toBe(0);
  await rememberFailures(mill);
  expect([...(await readKnownFailures(store)).keys()]).toEqual(["a"]);
});
