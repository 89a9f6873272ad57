import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { makeVirtualClock } from "../../../std/virtual-clock.ts";
import { applyRun, createRun, makeOwner } from "../../../testing/store-suite/fixture.ts";
import {
  BREAKER,
  called,
  give,
  limitOf,
  makeTerms,
  makeUse,
  order,
  perSecond,
  refused,
  release,
  releaseOf,
  returned,
  take,
  takeOf,
  takeOne,
} from "../../../testing/store-suite/permits/permit-fixture.ts";
import type { Store } from "../../store.ts";
import type { Expiry } from "../../upkeep.ts";
import { openSqliteStore } from "../open.ts";
import { SqliteUpkeep } from "./sqlite-upkeep.ts";

const DAY_MS = 86_400_000;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Bench {
  readonly path: string;
  readonly store: Store;
  readonly upkeep: SqliteUpkeep;
  readonly advance: (ms: number) => Promise<void>;
}

async function makeBench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-keys-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const clock = makeVirtualClock();
  const path = join(folder, "store.db");
  const url = `sqlite:${path}`;
  const machine = {
    bootId: "boot-1",
    sharedMonotonicMs: () => clock.monotonicMs(),
    isGone: () => undefined,
  };
  const store = await openSqliteStore({ url, path, clock, machine, mode: "write" });
  cleanups.push(() => store.close());
  const upkeep = SqliteUpkeep.open({ url, path });
  cleanups.push(() => upkeep.close());
  return { path, store, upkeep, advance: (ms) => clock.advance(ms) };
}

function expiryOf(store: Store): Expiry {
  const nowMs = store.nowMs();
  const none = { runs: [], eventsBeforeMs: 0, cacheBeforeMs: 0 };
  return { ...none, keysBeforeMs: nowMs - DAY_MS, nowMs };
}

function linesOf(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare("SELECT worker FROM resource_lines ORDER BY worker").all();
  database.close();
  return rows.map(({ worker }) => worker);
}

async function keysOf(store: Store): Promise<readonly string[]> {
  return (await store.listResources({ limit: 50 })).map(({ key }) => key);
}

const KEYED = makeTerms({ keyed: true, limit: 5 });

test("keys that nobody has used for a day go, the least recently used first, and no others", async () => {
  const { store, upkeep, advance } = await makeBench();
  const run = await applyRun(store, createRun());
  for (const key of ["b", "a", "c"]) {
    await take(store, takeOf(run, key, makeUse(KEYED, { key })));
    await release(store, releaseOf(run, key, returned({ key })));
    await advance(10);
  }
  await take(store, takeOf(run, "whole", makeUse(makeTerms())));
  await release(store, releaseOf(run, "whole", returned()));
  await advance(DAY_MS - 20);

  // The third was used less than a day ago.
  expect(upkeep.countExpired(expiryOf(store)).keys).toBe(1);
  await advance(10);
  expect(upkeep.countExpired(expiryOf(store)).keys).toBe(2);
  expect(upkeep.deleteKeys(expiryOf(store), 1)).toBe(1);
  expect(await keysOf(store)).toEqual(["", "a", "c"]);
  await advance(20);
  expect(upkeep.deleteKeys(expiryOf(store), 10)).toBe(2);
  expect(upkeep.deleteKeys(expiryOf(store), 10)).toBe(0);
  expect(await keysOf(store)).toEqual([""]);
  // One that is gone is as one that was never used.
  const again = await take(store, takeOf(run, "b", makeUse(KEYED, { key: "b" })));
  expect(again.room).toBe(4);
});

test("what is held, waited for, set, paused, open or in debt stays, however long ago it was used", async () => {
  const { store, upkeep, advance } = await makeBench();
  const run = await applyRun(store, createRun());
  const monthly = makeTerms({ keyed: true, quotas: [perSecond(1, { perMs: 30 * DAY_MS })] });
  const breaking = makeTerms({ keyed: true, breaker: BREAKER });
  const takeKey = (key: string, terms = KEYED) =>
    takeOne(store, takeOf(run, key, makeUse(terms, { key })));
  const back = (key: string, pauseMs: number | null = null) =>
    release(store, releaseOf(run, key, returned({ key, pauseMs })));

  await takeKey("held");
  await takeKey("paused");
  await back("paused", 3 * DAY_MS);
  await takeKey("owing", monthly);
  await back("owing");
  const permit = await takeKey("open", breaking);
  await release(store, releaseOf(run, "open", { ...called("failure", permit), key: "open" }));
  await give(store, order(limitOf(2), { key: "set" }));
  await give(store, order(limitOf(2, 3 * DAY_MS), { key: "set for long" }));
  await give(store, order(limitOf(2, DAY_MS), { key: "lapsed" }));
  await give(store, order({ kind: "trip", forMs: 1_000 }, { key: "tripped" }));
  await takeKey("waited for");
  await back("waited for");
  await advance(2 * DAY_MS);
  await give(store, order(limitOf(0)));
  await refused(store, takeOf(run, "x", makeUse(KEYED, { key: "waited for" })));
  await give(store, order({ kind: "reset" }));
  await store.renewLeases(makeOwner("worker-1"), [run], DAY_MS);

  expect(upkeep.countExpired(expiryOf(store)).keys).toBe(1);
  expect(upkeep.deleteKeys(expiryOf(store), 50)).toBe(1);
  const kept = [
    "",
    "held",
    "open",
    "owing",
    "paused",
    "set",
    "set for long",
    "tripped",
    "waited for",
  ];
  expect(await keysOf(store)).toEqual(kept);

  await advance(2 * DAY_MS);
  expect(upkeep.deleteKeys(expiryOf(store), 50)).toBe(3);
  expect(await keysOf(store)).toEqual(["", "held", "open", "owing", "set", "tripped"]);
  await advance(27 * DAY_MS);
  expect(upkeep.deleteKeys(expiryOf(store), 50)).toBe(1);
  expect(await keysOf(store)).not.toContain("owing");
});

test("a process that ended while somebody waited in it is forgotten by who asks a minute later", async () => {
  const { path, store, advance } = await makeBench();
  const run = await applyRun(store, createRun());
  const use = makeUse(makeTerms({ limit: 1 }));
  await take(store, takeOf(run, "a", use));
  for (const worker of ["one", "two"])
    await refused(store, { ...takeOf(run, worker, use), worker });
  await advance(59_999);
  await store.renewLeases(makeOwner("worker-1"), [run], DAY_MS);
  await refused(store, { ...takeOf(run, "two", use), worker: "two" });
  expect(linesOf(path)).toEqual(["one", "two"]);
  await advance(1);
  await refused(store, { ...takeOf(run, "three", use), worker: "three" });
  expect(linesOf(path)).toEqual(["three", "two"]);
});
