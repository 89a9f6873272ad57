// The outside world as the engine sees it: everything it cannot decide or hold by itself is passed in, so that
// tests and simulations can own it.

import type { EventDraft } from "../model/event.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { Clock } from "../std/clock.ts";
import type { Random } from "../std/random.ts";
import type { Threads } from "./executors/isolated/far-side.ts";
import type { Limits } from "./limits/limits.ts";
import type { SlotPool } from "./slots.ts";

/** What a file looked like; null: there is none. */
export interface FileStamp {
  readonly bytes: number;
  readonly changedAtNs: bigint;
  readonly inode: bigint;
}

/** Questions about files that a stage says it makes. */
export interface Files {
  /** Stamp of a file; null if it is not there. */
  stamp(path: string): Promise<FileStamp | null>;
  /** Folder of a run, made if need be. */
  runFolder(runId: string): string;
}

/** Everything a driver lives in. */
export interface EngineWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly slots: SlotPool;
  /** Resources and their permits. */
  readonly limits: Limits;
  readonly files: Files;
  readonly blobs: BlobStore;
  /** Variables that command stages may be given from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** For stages with `runIn: "thread"`. Default: none, and such a stage fails. */
  readonly threads?: Threads;
  /** Modules that a process or thread for one attempt imports first. Default: none. */
  readonly childImports?: readonly string[];
  /** Time an aborted attempt has before it counts as stuck, ms. */
  readonly graceMs: number;
  /** Time a stuck attempt keeps its slot, ms. */
  readonly stuckMs: number;
  /** Counts attempts that did not stop when told to. Default: nobody counts. */
  readonly stuck?: { count: number };
}

/** Who listens to a run while it works. Null where nobody does: then no event is even made. */
export interface EventSink {
  /** A fact that is only told, not stored by this run's journal. */
  tell(draft: EventDraft): void;
}
