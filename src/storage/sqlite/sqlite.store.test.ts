import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import type { StoreBench } from "../../testing/store-suite/suite.ts";
import { storeSuite } from "../../testing/store-suite/store-suite.ts";
import type { StoreCapabilities } from "../capabilities.ts";
import type { Store } from "../store.ts";
import { openSqliteStore } from "./open.ts";
import type { StoreMachine } from "./store-clock.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A machine whose shared clock is the virtual one. */
function machineOn(clock: VirtualClock): StoreMachine {
  return {
    bootId: "boot-1",
    sharedMonotonicMs: () => clock.monotonicMs(),
    isGone: () => undefined,
  };
}

async function openAt(path: string, clock: VirtualClock): Promise<Store> {
  const url = `sqlite:${path}`;
  const machine = machineOn(clock);
  const store = await openSqliteStore({ url, path, clock, machine, mode: "write" });
  cleanups.push(() => store.close());
  return store;
}

// An empty store, of which each case gets a copy: to open that takes an eighth of the time it takes to make one.
const emptyFolder = mkdtempSync(join(tmpdir(), "millrace-empty-"));
const empty = join(emptyFolder, "store.db");
beforeAll(async () => {
  const store = await openAt(empty, makeVirtualClock());
  await store.close();
});
afterAll(() => rmSync(emptyFolder, { recursive: true }));

async function makeInFile(): Promise<StoreBench> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-store-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const clock = makeVirtualClock();
  const path = join(folder, "store.db");
  copyFileSync(empty, path);
  const open = (): Promise<Store> => openAt(path, clock);
  return { store: await open(), open, advance: (ms) => clock.advance(ms) };
}

async function makeInMemory(): Promise<StoreBench> {
  const clock = makeVirtualClock();
  const open = (): Promise<Store> => openAt(":memory:", clock);
  return { store: await open(), open, advance: (ms) => clock.advance(ms) };
}

const kinds: readonly [name: string, make: () => Promise<StoreBench>, StoreCapabilities][] = [
  ["file", makeInFile, { durable: true, shared: true }],
  ["memory", makeInMemory, { durable: false, shared: false }],
];

for (const [kind, make, capabilities] of kinds) {
  for (const { name, cases } of storeSuite) {
    describe(`SQLite store in ${kind}: ${name}`, () => {
      for (const one of cases) {
        test.skipIf(one.needs?.(capabilities) === false)(one.name, () => one.run(make));
      }
    });
  }
}
