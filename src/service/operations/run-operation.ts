// Works on an operation in the background: a page of runs at a time, each run by its own use case. Its record is its
// heart: written at most once a second with how far it has come and until when it counts as alive; who asks for its end
// writes into the same record, and is seen there. It ends with the mill, and nobody takes it over.

import { isMillraceError, MillraceError } from "../../model/errors.ts";
import { RETRIED_RUNS_PER_SECOND } from "../../model/defaults.ts";
import {
  DELETE_ROWS_MAX,
  OPERATION_REFUSALS_MAX,
  OPERATION_SILENT_MS_MAX,
} from "../../model/limits.ts";
import type { RunRecord } from "../../model/run.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import { cancelRun } from "../commands/cancel-run.ts";
import { requeueRun } from "../commands/requeue-run.ts";
import { queueRun } from "../commands/resume-run.ts";
import { askOnce, type Gate } from "../health/pass-gate.ts";
import type { MillContext } from "../mill-context.ts";
import { runName } from "../queries/find-run.ts";
import { RunFolders } from "../selection/run-folders.ts";
import { parseOperation, type OperationRecord } from "./operation-record.ts";
import { listTouched } from "./select-runs.ts";

/** Time between two words, ms. */
const TELL_MS = 1_000;
/** Runs that are changed together: what they write is one transaction. */
const TOGETHER_MAX = 50;

/** Works on it until it has ended; never rejects. */
export async function runOperation(mill: MillContext, record: StoreRecord): Promise<void> {
  const operation = parseOperation(record.value);
  if (operation !== undefined) await new Runner(mill, record, operation).work();
}

class Runner {
  readonly #mill: MillContext;
  #stored: StoreRecord;
  #now: OperationRecord;
  #toldAtMs: number;
  readonly #gate: Gate;
  #place = 0;

  constructor(mill: MillContext, stored: StoreRecord, operation: OperationRecord) {
    this.#mill = mill;
    this.#stored = stored;
    this.#now = operation;
    this.#toldAtMs = mill.world.clock.monotonicMs();
    this.#gate = askOnce(mill, { source: `operation of ${operation.actor}` });
  }

  async work(): Promise<void> {
    try {
      await this.#finish(await this.#touchAll());
    } catch (error) {
      const message = isMillraceError(error) ? error.message : "a fault of millrace";
      this.#now = { ...this.#now, error: message.slice(0, 500) };
      // The store itself may be what failed: then it is seen as interrupted.
      await this.#finish("failed").catch(() => undefined);
    }
  }

  /** Ends `cancelled` where somebody asked for it, or the mill closes. */
  async #touchAll(): Promise<"succeeded" | "cancelled"> {
    const { store } = this.#mill;
    using folders = await RunFolders.list(store.url);
    for await (const page of listTouched(store, this.#now.action, this.#now.filter)) {
      for (let from = 0; from < page.length; from += TOGETHER_MAX) {
        if (this.#mill.closing || (await this.#isUnwanted())) return "cancelled";
        await this.#touch(page.slice(from, from + TOGETHER_MAX), folders);
        await this.#tell(false);
      }
    }
    return "succeeded";
  }

  /** One read for as many runs as are changed together: who asks for the end must not wait for our next word. */
  async #isUnwanted(): Promise<boolean> {
    const record = await this.#mill.store.findRecord("operations", this.#stored.key);
    return record === undefined || parseOperation(record.value)?.isCancelRequested === true;
  }

  async #touch(runs: readonly RunRecord[], folders: RunFolders): Promise<void> {
    const outcomes = await Promise.allSettled(runs.map((run) => this.#change(run, folders)));
    for (const [index, outcome] of outcomes.entries()) {
      const run = runs[index];
      if (run === undefined) continue;
      if (outcome.status === "fulfilled") this.#count(run, null);
      else if (isMillraceError(outcome.reason) && !outcome.reason.code.startsWith("STORE_"))
        this.#count(run, outcome.reason.message);
      else throw outcome.reason;
    }
  }

  async #change(run: RunRecord, folders: RunFolders): Promise<void> {
    const mill = this.#mill;
    const { action, reason, actor } = this.#now;
    switch (action) {
      case "cancel":
        await cancelRun(mill, run.id, { reason: reason ?? `cancelled by ${actor}` });
        return;
      case "requeue":
        await requeueRun(mill, run.id, { gate: this.#gate });
        return;
      case "resume": {
        // What they failed of may have only just come back.
        const delayMs = Math.floor(this.#place++ / RETRIED_RUNS_PER_SECOND) * 1_000;
        await queueRun(mill, run.id, { delayMs });
        return;
      }
      case "purge":
        await this.#purge(run);
        await folders.remove([run.id]);
    }
  }

  /** In bounded steps, until it is gone. */
  async #purge(run: RunRecord): Promise<void> {
    for (;;) {
      const result = await this.#mill.committer.write({
        kind: "delete-runs",
        runIds: [run.id],
        states: [run.state],
        rowsMax: DELETE_ROWS_MAX,
      });
      if (result.kind !== "deleted")
        throw new MillraceError("STORE_FAILED", `The store deleted nothing: ${result.kind}.`);
      if (result.kept.length > 0)
        throw new MillraceError(
          "RUN_STATE_CONFLICT",
          `Run ${runName(run)} is no longer ${run.state}.`,
        );
      if (result.deleted.length > 0) return;
    }
  }

  #count(run: RunRecord, refusal: string | null): void {
    const { done, changed, refused, refusals } = this.#now;
    const isListed = refusal !== null && refusals.length < OPERATION_REFUSALS_MAX;
    this.#now = {
      ...this.#now,
      done: done + 1,
      changed: changed + (refusal === null ? 1 : 0),
      refused: refused + (refusal === null ? 0 : 1),
      refusals: isListed ? [...refusals, { run: runName(run), reason: refusal }] : refusals,
    };
  }

  async #finish(state: "succeeded" | "failed" | "cancelled"): Promise<void> {
    this.#now = { ...this.#now, state, endedAtMs: this.#mill.store.nowMs() };
    await this.#tell(true);
  }

  /** Writes how far it has come; the last time with the event. Sees what somebody else wrote meanwhile. */
  async #tell(isLast: boolean): Promise<void> {
    const { clock } = this.#mill.world;
    const nowMs = clock.monotonicMs();
    if (!isLast && nowMs - this.#toldAtMs < TELL_MS) return;
    this.#toldAtMs = nowMs;
    for (;;) {
      const result = await this.#mill.committer.write({
        kind: "put-records",
        puts: [
          {
            collection: "operations",
            key: this.#stored.key,
            expected: this.#stored.revision,
            value: { ...this.#now, filter: { ...this.#now.filter } },
            dueAtMs: isLast ? null : this.#mill.store.nowMs() + OPERATION_SILENT_MS_MAX,
          },
        ],
        events: isLast ? [this.#endEvent()] : [],
      });
      if (result.kind === "recorded") {
        const [stored] = result.records;
        if (stored !== undefined) this.#stored = stored;
        return;
      }
      if (result.kind !== "record-conflict" || result.record === null) return;
      this.#stored = result.record;
      const other = parseOperation(result.record.value);
      if (other?.isCancelRequested === true) this.#now = { ...this.#now, isCancelRequested: true };
    }
  }

  #endEvent() {
    const { action, matching, changed, refused, actor } = this.#now;
    const data = { operation: this.#stored.key, action, matching, changed, refused, actor };
    return { type: "operation.ended" as const, data };
  }
}
