// How long a durable write takes in a folder: makes a small store there, writes once, and takes it away again.

import fs from "node:fs";
import { join } from "node:path";
import { openStore } from "../../storage/open-store.ts";
import { systemClock } from "../../std/clock.ts";
import { systemMachine } from "../../std/machine.ts";

/** Writes that are timed; the quickest counts, since the others may have waited for somebody else. */
const WRITES = 3;

/** Milliseconds of one write and sync. Rejects with what opening or writing a store says. */
export async function probeStore(folder: string): Promise<number> {
  const place = await fs.promises.mkdtemp(join(folder, ".millrace-probe-"));
  try {
    return await timeWrites(`sqlite:${join(place, "store.db")}`);
  } finally {
    await fs.promises.rm(place, { recursive: true, force: true });
  }
}

async function timeWrites(url: string): Promise<number> {
  const store = await openStore(url, {
    clock: systemClock,
    machine: systemMachine,
    mode: "write",
  });
  try {
    const { host, pid, bootId, processStart } = systemMachine;
    const owner = { worker: "probe", host, pid, bootId, processStart };
    let bestMs = Infinity;
    for (let write = 0; write < WRITES; write++) {
      const startMs = systemClock.monotonicMs();
      await store.beat(owner, []);
      bestMs = Math.min(bestMs, systemClock.monotonicMs() - startMs);
    }
    return bestMs;
  } finally {
    await store.close();
  }
}
