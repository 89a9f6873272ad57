// The one connection of a process that writes: each call is one transaction, done when it returns.

import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../../std/error/assert.ts";
import { WORKER_SILENT_MS_MAX } from "../../../model/limits.ts";
import type { Owner } from "../../../model/lease.ts";
import type { Write } from "../../write.ts";
import type { WriteResult } from "../../write-result.ts";
import type { WorkerRecord } from "../../store.ts";
import { Batch } from "../batch.ts";
import { KnownHeads } from "../known-heads.ts";
import { Rows } from "../rows.ts";
import type { StoreClock } from "../store-clock.ts";
import { transact } from "../transaction.ts";
import { deleteRuns } from "./write-delete.ts";
import { claimNext, reclaim, wakeRuns } from "./write-queue.ts";
import { set } from "./write-permits.ts";
import { putRecords, tellOutside } from "./write-records.ts";
import { writeOwned } from "./write-owned.ts";
import { claimRun, createRun, interruptOwner, requestCancel } from "./write-run.ts";

/** Writes to a store whose schema is ours. Throws what SQLite throws. */
export class Writer {
  readonly rows: Rows;
  readonly #database: DatabaseSync;
  readonly #clock: StoreClock;
  readonly #known: KnownHeads;

  constructor(database: DatabaseSync, clock: StoreClock) {
    this.#database = database;
    this.#clock = clock;
    this.rows = new Rows(database);
    this.#known = new KnownHeads(database);
  }

  apply(writes: readonly Write[]): readonly WriteResult[] {
    try {
      return transact(this.#database, () => {
        this.#known.begin();
        const meta = this.rows.meta.find();
        assert(meta !== undefined, "The store has no row in meta.");
        this.#clock.adopt(meta);
        const nowMs = this.#clock.nowMs();
        const batch = new Batch({ rows: this.rows, known: this.#known, meta, nowMs });
        const results = writes.map((write) => writeOne(batch, write));
        batch.finish();
        return results;
      });
    } catch (error) {
      this.#known.clear();
      this.rows.events.clear();
      throw error;
    }
  }

  renewLeases(
    owner: Owner,
    runs: readonly { readonly id: string; readonly epoch: number }[],
    leaseMs: number,
  ): readonly string[] {
    return transact(this.#database, () => {
      const untilMs = Math.floor(this.#clock.nowMs() + leaseMs);
      const lost = runs.filter((run) => !this.rows.runs.renew(owner.worker, run, untilMs));
      return lost.map((run) => run.id);
    });
  }

  beat(said: Omit<WorkerRecord, "beatAtMs">): void {
    transact(this.#database, () => {
      const beatAtMs = this.#clock.nowMs();
      this.rows.workers.put({ ...said, beatAtMs });
      this.rows.workers.trim(beatAtMs - WORKER_SILENT_MS_MAX);
    });
  }

  /** Sets the anchor of the store's clock where it has none that holds. */
  setClock(): void {
    const { meta, runs, workers } = this.rows;
    const decide = (): ReturnType<StoreClock["decideAnchor"]> => {
      const known = meta.find();
      const floorMs = Math.max(known?.writtenAtMs ?? 0, workers.lastBeatMs());
      return this.#clock.decideAnchor(known, floorMs, runs.isAnyRunning());
    };
    if (decide() !== undefined) {
      transact(this.#database, () => {
        // Again under the lock, since two processes may start at once.
        const anchor = decide();
        if (anchor === undefined) return;
        const { bootId, anchorMs } = anchor;
        if (meta.find() === undefined) meta.insert(bootId, anchorMs, 0);
        else meta.setAnchor(bootId, anchorMs);
      });
    }
    const known = meta.find();
    if (known !== undefined) this.#clock.adopt(known);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

function writeOne(batch: Batch, write: Write): WriteResult {
  switch (write.kind) {
    case "create-run":
      return createRun(batch, write);
    case "create-batch":
      batch.rows.batches.keep(write.batch, batch.nowMs);
      return { kind: "kept-batch" };
    case "claim-run":
      return claimRun(batch, write);
    case "claim-next":
      return claimNext(batch, write);
    case "wake-runs":
      return wakeRuns(batch, write);
    case "reclaim-run":
      return reclaim(batch, write);
    case "delete-runs":
      return deleteRuns(batch, write);
    case "request-cancel":
      return requestCancel(batch, write);
    case "interrupt-run":
      return interruptOwner(batch, write);
    case "set-resource":
      return set(batch, write);
    case "put-records":
      return putRecords(batch, write);
    case "tell-outside":
      return tellOutside(batch, write);
    case "take-permits":
    case "release-permits":
    case "put-stage":
    case "put-item":
    case "reset-stages":
    case "drop-items":
    case "place-items":
    case "put-memo":
    case "put-cache":
    case "put-crash":
    case "tell":
    case "move-run":
      return writeOwned(batch, write);
  }
}
