// Deletes what retention allows: ended runs with all they have, old events, cache entries that are no longer valid,
// keys of resources that are at rest, and then the blobs that nothing needs any more. In steps so short that others hardly wait; stopped in between, it
// has done a part, and the next call does the rest.

import {
  BLOB_YOUNG_MS_MAX,
  DELETE_ROWS_MAX,
  DELETE_RUNS_MAX,
  RESOURCE_IDLE_MS_MAX,
} from "../../model/limits.ts";
import type { RunState } from "../../model/run.ts";
import { assert } from "../../std/error/assert.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import { systemMachine } from "../../std/machine.ts";
import { openStore } from "../../storage/open-store.ts";
import { openUpkeep } from "../../storage/open-upkeep.ts";
import type { Store } from "../../storage/store.ts";
import type { ExpiredCounts, Expiry, StoreUpkeep, SweptBlobs } from "../../storage/upkeep.ts";
import { RunFolders, type FolderCount } from "../selection/run-folders.ts";
import { StepSize } from "./step-size.ts";

/** How long what has ended is kept, ms. */
export interface Retention {
  /** Runs that succeeded, were skipped or cancelled. */
  readonly runsMs: number;
  readonly eventsMs: number;
  /** Runs that failed. */
  readonly failedMs: number;
}

/** What is to be collected, and where. */
export interface GarbageOptions {
  readonly store: string;
  readonly retention: Retention;
  readonly busyTimeoutMs: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** What was deleted, or would be. */
export interface Garbage {
  readonly deleted: {
    readonly runs: number;
    /** Those of deleted runs included. */
    readonly events: number;
    readonly cache: number;
    /** Of resources: those that nobody has used for a day, and that are at rest. */
    readonly keys: number;
    readonly blobs: number;
    /** Of runs that are gone: what they had in `ctx.dir`, and what was damaged. */
    readonly folders: number;
  };
  /** Of the blobs and the folders. The file of the store keeps its size and uses the room again. */
  readonly bytes: number;
  /** Other stores beside this one that could not be asked which blobs they need: then all blobs stay. */
  readonly unread: readonly string[];
}

/** Counts what would go. Nothing is written. STORE_NOT_FOUND, STORE_UNSUPPORTED in memory. */
export async function foreseeGarbage(options: GarbageOptions): Promise<Garbage> {
  const { store: url, busyTimeoutMs, clock = systemClock } = options;
  const upkeep = await openUpkeep(url, { purpose: "collect", busyTimeoutMs });
  try {
    const store = await openStore(url, {
      clock,
      machine: systemMachine,
      mode: "read",
      busyTimeoutMs,
    });
    const nowMs = store.nowMs();
    await store.close();
    const foresee = toExpiry(options.retention, nowMs);
    const swept = await sweep(upkeep, { clock, nowMs, foresee });
    using folders = await RunFolders.list(url);
    const runIds = folders.isEmpty ? [] : upkeep.listExpiredRuns(foresee, ALL_RUNS);
    await folders.foresee(runIds);
    return toGarbage(upkeep.countExpired(foresee), swept, folders.count);
  } finally {
    upkeep.close();
  }
}

/** Deletes it. Safe to repeat, and to do in several processes at once. As `foreseeGarbage`. */
export async function collectGarbage(options: GarbageOptions): Promise<Garbage> {
  const { store: url, busyTimeoutMs, clock = systemClock } = options;
  // First, since it makes no store.
  const upkeep = await openUpkeep(url, { purpose: "collect", busyTimeoutMs });
  try {
    const store = await openStore(url, {
      clock,
      machine: systemMachine,
      mode: "write",
      busyTimeoutMs,
    });
    try {
      using folders = await RunFolders.list(url);
      return await collect({ store, upkeep, clock, folders }, options.retention);
    } finally {
      await store.close();
    }
  } finally {
    upkeep.close();
  }
}

interface Tools {
  readonly store: Store;
  readonly upkeep: StoreUpkeep;
  readonly clock: Clock;
  readonly folders: RunFolders;
}

async function collect(tools: Tools, retention: Retention): Promise<Garbage> {
  const { store, upkeep, clock } = tools;
  const expiry = toExpiry(retention, store.nowMs());
  const gone = { runs: 0, events: 0, cache: 0, keys: 0 };
  for (const rule of expiry.runs) {
    const ofRuns = await deleteRuns(tools, { ...expiry, runs: [rule] });
    gone.runs += ofRuns.runs;
    gone.events += ofRuns.events;
  }
  gone.events += await repeat(clock, (limit) => upkeep.deleteEvents(expiry, limit));
  gone.cache += await repeat(clock, (limit) => upkeep.deleteCache(expiry, limit));
  gone.keys += await repeat(clock, (limit) => upkeep.deleteKeys(expiry, limit));
  const swept = await sweep(upkeep, { clock, nowMs: store.nowMs() });
  return toGarbage(gone, swept, tools.folders.count);
}

/** More than a store holds. */
const ALL_RUNS = Number.MAX_SAFE_INTEGER;

const ENDED_WELL: readonly RunState[] = ["succeeded", "skipped", "cancelled"];

function toExpiry({ runsMs, eventsMs, failedMs }: Retention, nowMs: number): Expiry {
  return {
    runs: [
      { states: ENDED_WELL, endedBeforeMs: nowMs - runsMs },
      { states: ["failed"], endedBeforeMs: nowMs - failedMs },
    ],
    eventsBeforeMs: nowMs - eventsMs,
    // A run that found an entry just before it ended may not have stored yet what it took from it.
    cacheBeforeMs: nowMs - BLOB_YOUNG_MS_MAX,
    keysBeforeMs: nowMs - RESOURCE_IDLE_MS_MAX,
    nowMs,
  };
}

async function deleteRuns(
  { store, upkeep, clock, folders }: Tools,
  expiry: Expiry,
): Promise<{ readonly runs: number; readonly events: number }> {
  const [rule] = expiry.runs;
  assert(rule !== undefined, "Runs are deleted by one rule at a time.");
  const size = new StepSize(clock);
  let runs = 0;
  let events = 0;
  for (;;) {
    const runIds = upkeep.listExpiredRuns(expiry, Math.min(DELETE_RUNS_MAX, size.rows));
    if (runIds.length === 0) return { runs, events };
    const rowsMax = Math.min(DELETE_ROWS_MAX, size.rows);
    const [result] = await size.step(() =>
      store.apply([{ kind: "delete-runs", runIds, states: rule.states, rowsMax }]),
    );
    assert(result?.kind === "deleted", "The store did not answer what it deleted.");
    await folders.remove(result.deleted);
    runs += result.deleted.length;
    events += result.events;
  }
}

/** Deletes step by step until a step finds nothing; answers how many rows went. */
async function repeat(clock: Clock, deleteSome: (limit: number) => number): Promise<number> {
  const size = new StepSize(clock);
  let total = 0;
  for (;;) {
    const count = await size.step(async () => deleteSome(size.rows));
    if (count === 0) return total;
    total += count;
  }
}

interface SweepTerms {
  readonly clock: Clock;
  readonly nowMs: number;
  readonly foresee?: Expiry;
}

/** Files have the wall clock's times, rows the store's: what these are apart is put on the safe side. */
function sweep(upkeep: StoreUpkeep, { clock, nowMs, foresee }: SweepTerms): Promise<SweptBlobs> {
  const wallMs = clock.wallMs();
  return upkeep.sweepBlobs({
    changedBeforeMs: wallMs - BLOB_YOUNG_MS_MAX,
    marginMs: BLOB_YOUNG_MS_MAX + Math.max(0, nowMs - wallMs),
    foresee,
  });
}

function toGarbage(
  gone: ExpiredCounts,
  { blobs, bytes, unread }: SweptBlobs,
  ofRuns: FolderCount,
): Garbage {
  const { runs, events, cache, keys } = gone;
  const { folders } = ofRuns;
  return {
    deleted: { runs, events, cache, keys, blobs, folders },
    bytes: bytes + ofRuns.bytes,
    unread,
  };
}
