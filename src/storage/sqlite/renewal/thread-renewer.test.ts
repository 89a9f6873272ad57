import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../std/clock.ts";
import { systemMachine } from "../../../std/machine.ts";
import { makeVirtualClock } from "../../../std/virtual-clock.ts";
import { applyRun, createRun, makeOwner } from "../../../testing/store-suite/fixture.ts";
import type { LeasedRun, RenewalListener, RenewalTerms } from "../../lease-renewer.ts";
import { MemoryStore } from "../../memory/memory-store.ts";
import type { Store } from "../../store.ts";
import { openSqliteStore } from "../open.ts";
import type { SqliteStore } from "../sqlite-store.ts";
import { ThreadRenewer } from "./thread-renewer.ts";

const TERMS: RenewalTerms = {
  owner: makeOwner("worker-1"),
  leaseMs: 60_000,
  heartbeatMs: 20,
  presenceMs: 5,
  callMs: 1_000,
  loopSilenceMs: 60_000,
};

class Heard implements RenewalListener {
  readonly lostRuns: LeasedRun[] = [];
  readonly faults: unknown[] = [];
  #hear: () => void = () => {};

  lost(runs: readonly LeasedRun[]): void {
    this.lostRuns.push(...runs);
    this.#hear();
  }

  failed(error: unknown): void {
    this.faults.push(error);
    this.#hear();
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#hear = resolve;
    });
  }
}

async function openStore(clock = systemClock): Promise<SqliteStore> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-renewal-"));
  const path = join(folder, "store.db");
  const store = await openSqliteStore({
    url: `sqlite:${path}`,
    path,
    clock,
    machine: systemMachine,
    mode: "write",
  });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return store;
}

function openThread(store: Store, listener: RenewalListener) {
  const renewer = store.openRenewer?.(TERMS, listener);
  if (renewer === undefined || renewer === null) throw new Error("The store has no thread.");
  onTestFinished(() => renewer.close());
  return renewer;
}

async function leaseEnd(store: Store, id: string): Promise<number> {
  return (await store.findRun(id))?.lease?.expiresAtMs ?? 0;
}

describe("the thread of a store in a file", () => {
  test("renews the lease of a run that is kept, and says when", async () => {
    const store = await openStore();
    const run = await applyRun(store, createRun());
    const before = await leaseEnd(store, run.id);
    const renewer = openThread(store, new Heard());
    expect(renewer.renewedAgoMs()).toBe(Number.POSITIVE_INFINITY);
    renewer.keep({ id: run.id, epoch: 1 }, null);
    while (renewer.renewedAgoMs() === Number.POSITIVE_INFINITY) await systemClock.sleep(5);
    expect(renewer.renewedAgoMs()).toBeGreaterThanOrEqual(0);
    const after = await leaseEnd(store, run.id);
    expect(after).toBeGreaterThan(before);
    expect(after).toBeLessThanOrEqual(store.nowMs() + TERMS.leaseMs);
  });

  test("tells of a run whose epoch is another one", async () => {
    const store = await openStore();
    const run = await applyRun(store, createRun());
    const heard = new Heard();
    const renewer = openThread(store, heard);
    const told = heard.next();
    renewer.keep({ id: run.id, epoch: 7 }, null);
    await told;
    expect(heard.lostRuns).toEqual([{ id: run.id, epoch: 7 }]);
    expect(heard.faults).toEqual([]);
  });

  test("is gone once it is closed, and tells nothing any more", async () => {
    const store = await openStore();
    const run = await applyRun(store, createRun());
    const heard = new Heard();
    const renewer = openThread(store, heard);
    renewer.keep({ id: run.id, epoch: 1 }, null);
    await renewer.close();
    await renewer.close();
    renewer.keep({ id: run.id, epoch: 1 }, null);
    renewer.release(run.id);
    expect(heard.faults).toEqual([]);
    expect(process.getActiveResourcesInfo()).not.toContain("Worker");
  });

  test("tells once that it failed, whatever ended it", async () => {
    const heard = new Heard();
    const failed = heard.next();
    const renewer = new ThreadRenewer({
      url: "sqlite:nowhere",
      path: "/nowhere/store.db",
      machine: systemMachine,
      terms: TERMS,
      listener: heard,
    });
    await failed;
    await renewer.close();
    expect(heard.faults.map(String)).toEqual([expect.stringContaining("unable to open database")]);
  });
});

test("there is no thread for clocks that are not the system's, nor for a store in memory", async () => {
  const store = await openStore(makeVirtualClock());
  expect(store.openRenewer(TERMS, new Heard())).toBe(null);
  const memory: Store = new MemoryStore({ clock: systemClock });
  expect(memory.openRenewer?.(TERMS, new Heard())).toBe(undefined);
});
