// What the writes of one transaction share: its time, the numbers it gives to runs and events, the heads of the
// runs it touches, and the counts it changes. Heads and counts are written once, at the end, however many
// writes there were; the write lock, held from the start, keeps them true until then.

import { assert } from "../../std/error/assert.ts";
import type { EventDraft } from "../../model/event.ts";
import type { StageState } from "../../model/outcome.ts";
import type { RunRecord, RunState } from "../../model/run.ts";
import { wakeRun } from "../run-rules.ts";
import type { EventNumbers } from "../write-result.ts";
import type { KnownHeads } from "./known-heads.ts";
import { PermitLedger } from "./permit-ledger.ts";
import type { Rows } from "./rows.ts";
import type { Meta } from "./statements/meta.ts";
import { headOf, type RunHead } from "./statements/runs.ts";

/** What a batch is made of. */
export interface BatchParts {
  readonly rows: Rows;
  readonly known: KnownHeads;
  readonly meta: Meta;
  readonly nowMs: number;
}

/** One transaction's worth of shared knowledge. */
export class Batch {
  readonly rows: Rows;
  readonly nowMs: number;
  /** Those that this transaction has to do with. */
  readonly #heads = new Map<string, RunHead>();
  readonly #definitions = new Map<string, number>();
  readonly #batches = new Map<string, number>();
  readonly #runCounts = new Map<string, Map<RunState, number>>();
  readonly #batchCounts = new Map<number, Map<RunState, number>>();
  readonly #itemCounts = new Map<number, Map<string, Map<StageState, number>>>();
  readonly #known: KnownHeads;
  readonly #meta: Meta;
  #lastRunNumber: number;
  #lastEventSeq: number;
  /** Made for the first permit of the transaction: most have none. */
  #permits: PermitLedger | null = null;

  constructor({ rows, known, meta, nowMs }: BatchParts) {
    this.rows = rows;
    this.nowMs = nowMs;
    this.#known = known;
    this.#meta = meta;
    this.#lastRunNumber = meta.lastRunNumber;
    this.#lastEventSeq = meta.lastEventSeq;
  }

  /** What the row of a run says, with what this transaction has changed. */
  head(id: string): RunHead | undefined {
    const known = this.#heads.get(id);
    if (known !== undefined) return known;
    const head = this.#known.find(id) ?? this.rows.runs.head(id);
    if (head !== undefined) this.#heads.set(id, head);
    return head;
  }

  /** Resources and their permits. */
  get permits(): PermitLedger {
    return (this.#permits ??= new PermitLedger(this.rows, this.nowMs));
  }

  /** Number of a definition; stores it unless it is there. Asked of the table once per transaction. */
  keepDefinition(hash: string, json: string): number {
    let id = this.#definitions.get(hash);
    if (id === undefined) {
      id = this.rows.definitions.keep(hash, json);
      this.#definitions.set(hash, id);
    }
    return id;
  }

  /** The number of the run that comes next; `keepRun` uses it up. */
  get nextRunNumber(): number {
    return this.#lastRunNumber + 1;
  }

  /** Number of a batch that is stored; null: of none. */
  batchNumber(id: string | null): number | null {
    if (id === null) return null;
    let number = this.#batches.get(id);
    if (number === undefined) {
      number = this.rows.batches.numberOf(id);
      assert(number !== undefined, `There is no batch ${id}.`);
      this.#batches.set(id, number);
    }
    return number;
  }

  /** Takes note of a run that was inserted under the next number. */
  keepRun(run: RunRecord, batch: number | null): RunHead {
    this.#lastRunNumber = run.number;
    const head: RunHead = { ...headOf(run), batch, runSeq: 0, mayHold: false };
    this.#heads.set(run.id, head);
    this.countRun(head, run.state, 1);
    return head;
  }

  /** The head of a run whose row was just read; the one that is known already, with what it gathered, if any. */
  adopt(read: RunHead): RunHead {
    const known = this.#heads.get(read.id);
    if (known !== undefined) return known;
    this.#heads.set(read.id, read);
    return read;
  }

  /** The whole record, with what this transaction has changed so far. */
  record(head: RunHead): RunRecord {
    if (head.changed) this.rows.runs.touch(head, this.nowMs);
    // A record says when its last event was told.
    this.rows.events.flush();
    const record = this.rows.runs.find(head.id);
    assert(record !== undefined, `Run ${head.number} has gone within a transaction.`);
    return record;
  }

  /** Stores a changed record, and brings its head and the counts up to it. */
  replace(head: RunHead, run: RunRecord): void {
    this.rows.runs.replace(run);
    // What is told of it now is not stored yet.
    head.changed = true;
    if (head.epoch !== run.epoch) this.#free(head);
    this.#moveHead(head, run.state);
    head.epoch = run.epoch;
    head.foreground = run.foreground;
    head.attempts = run.attempts;
  }

  /** Brings head and counts up to a claim that is stored, with the number of its last event. */
  claimed(head: RunHead, epoch: number): void {
    this.#moveHead(head, "running");
    head.epoch = epoch;
    head.changed = false;
    // Whatever an earlier owner held went as it left.
    head.mayHold = false;
  }

  /** Takes a run out of the counts whose rows are deleted. */
  forget(head: RunHead): void {
    this.countRun(head, head.state, -1);
    this.#itemCounts.delete(head.number);
    this.#heads.delete(head.id);
    this.#known.forget(head.id);
  }

  /** Runs of a pipeline that are running, with what this transaction has changed so far. */
  countRunning(pipeline: string): number {
    const changed = this.#runCounts.get(pipeline)?.get("running") ?? 0;
    return this.rows.counters.countRunning(pipeline) + changed;
  }

  /** Runs of a pipeline that are queued or waiting, with what this transaction has changed so far. */
  countQueued(pipeline: string): number {
    const changed = this.#runCounts.get(pipeline);
    const added = (changed?.get("queued") ?? 0) + (changed?.get("waiting") ?? 0);
    return this.rows.counters.countQueued(pipeline) + added;
  }

  /** Brings head and counts up to a move that is stored with all the head had gathered. */
  moved(head: RunHead, to: RunState): void {
    this.#moveHead(head, to);
    head.retriesAdded = 0;
    head.changed = false;
  }

  /** Stores events of a run, and answers the numbers they got. The last one tells the run's number of events and
   *  time of change while it is worked on: its row is not written for them. */
  tell(head: RunHead, drafts: readonly EventDraft[]): EventNumbers {
    const atMs = this.nowMs;
    const numbers = { firstSeq: this.#lastEventSeq + 1, firstRunSeq: head.runSeq + 1, atMs };
    for (const draft of drafts) {
      const seq = ++this.#lastEventSeq;
      const runSeq = ++head.runSeq;
      this.rows.events.add({ seq, run: head.number, runSeq, atMs }, draft);
    }
    return numbers;
  }

  /** Stores events that concern no run. */
  tellAll(drafts: readonly EventDraft[]): EventNumbers {
    const numbers = { firstSeq: this.#lastEventSeq + 1, firstRunSeq: 0, atMs: this.nowMs };
    for (const draft of drafts) {
      const place = { seq: ++this.#lastEventSeq, run: 0, runSeq: 0, atMs: this.nowMs };
      this.rows.events.add(place, draft);
    }
    return numbers;
  }

  countRun(of: Pick<RunHead, "pipeline" | "batch">, state: RunState, change: number): void {
    countIn(this.#runCounts, of.pipeline, { state, change });
    if (of.batch !== null) countIn(this.#batchCounts, of.batch, { state, change });
  }

  /** Counts an item that came from one state, or from none, into another, or into none. */
  countItem(
    of: { readonly run: number; readonly stage: string },
    from: StageState | undefined,
    to: StageState | undefined,
  ): void {
    if (from === to) return;
    if (from !== undefined) this.countItems(of, from, -1);
    if (to !== undefined) this.countItems(of, to, 1);
  }

  countItems(
    of: { readonly run: number; readonly stage: string },
    state: StageState,
    change: number,
  ): void {
    let stages = this.#itemCounts.get(of.run);
    if (stages === undefined) this.#itemCounts.set(of.run, (stages = new Map()));
    let states = stages.get(of.stage);
    if (states === undefined) stages.set(of.stage, (states = new Map()));
    states.set(state, (states.get(state) ?? 0) + change);
  }

  /** Writes what was gathered. The last thing before the commit. */
  finish(): void {
    this.#permits?.wakeParked((id) => {
      const head = this.head(id);
      assert(head !== undefined, `Run ${id} was parked and is gone.`);
      this.replace(head, wakeRun(this.record(head), this.nowMs));
    });
    let isWritten = this.#lastEventSeq > this.#meta.lastEventSeq;
    if (this.#permits?.finish() === true) isWritten = true;
    for (const head of this.#heads.values()) {
      if (!head.changed) continue;
      this.rows.runs.touch(head, this.nowMs);
      isWritten = true;
    }
    this.#known.keep(this.#heads.values());
    this.rows.events.flush();
    for (const [pipeline, states] of this.#runCounts) {
      for (const [state, change] of states) this.rows.counters.addRuns(pipeline, state, change);
    }
    for (const [batch, states] of this.#batchCounts) {
      for (const [state, change] of states) this.rows.batches.count(batch, state, change);
    }
    for (const [run, stages] of this.#itemCounts) {
      for (const [stage, states] of stages) {
        for (const [state, change] of states) {
          this.rows.counters.addItems({ run, stage, state, change });
        }
      }
    }
    // A look that found nothing to do must not cost a commit.
    if (!isWritten && this.#lastRunNumber === this.#meta.lastRunNumber) return;
    this.rows.meta.update({
      writtenAtMs: this.nowMs,
      lastRunNumber: this.#lastRunNumber,
      lastEventSeq: this.#lastEventSeq,
    });
  }

  #moveHead(head: RunHead, to: RunState): void {
    if (head.state === to) return;
    this.countRun(head, head.state, -1);
    this.countRun(head, to, 1);
    if (head.state === "running") this.#free(head);
    head.state = to;
  }

  /** Whoever held permits for it does so no more. */
  #free(head: RunHead): void {
    if (!head.mayHold) return;
    this.permits.freeRun(head.number);
    head.mayHold = false;
  }
}

function countIn<K>(
  counts: Map<K, Map<RunState, number>>,
  of: K,
  { state, change }: { readonly state: RunState; readonly change: number },
): void {
  let states = counts.get(of);
  if (states === undefined) counts.set(of, (states = new Map()));
  states.set(state, (states.get(state) ?? 0) + change);
}
