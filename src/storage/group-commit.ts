// Many callers' writes, one transaction: what is written in one turn of the event loop is committed together,
// and each caller's promise settles after that commit. While a commit is under way the next writes gather.
//
// Modes. Ready: nothing waits. Gathering: a turn is booked that takes up to COMMIT_WRITES_MAX writes or
// COMMIT_BYTES_MAX. Committing: one transaction is under way; a busy store is tried again within it. Paused:
// the disk is full; the same transaction is tried every second until there is room, since a full disk is no
// failure of any run. Closed: nothing more is taken; what a full disk still holds up is rejected.

import { assert } from "../std/error/assert.ts";
import type { Clock, Timer } from "../std/clock.ts";
import { Emitter } from "../std/emitter.ts";
import type { Random } from "../std/random.ts";
import { isMillraceError, MillraceError } from "../model/errors.ts";
import {
  BUSY_DELAY_MS_MAX,
  BUSY_DELAY_MS_MIN,
  BUSY_TRIES_MAX,
  COMMIT_BYTES_MAX,
  COMMIT_WRITES_MAX,
  WAITING_BYTES_MAX,
  WAITING_WRITES_MAX,
} from "../model/limits.ts";
import type { Store } from "./store.ts";
import type { Write } from "./write.ts";
import type { WriteResult } from "./write-result.ts";
import { estimateBytes } from "./write-size.ts";

/** Time between two tries while the disk is full, ms. */
export const FULL_RETRY_MS = 1_000;
/** Told when the disk is full, and when there is room again. */
export type CommitFault =
  | { readonly kind: "paused"; readonly error: MillraceError }
  | { readonly kind: "resumed"; readonly pausedMs: number };

/** What a committer is made of. */
export interface GroupCommitOptions {
  readonly store: Pick<Store, "url" | "apply">;
  readonly clock: Clock;
  readonly random: Random;
  /** Called once when a full disk pauses all writes, and once when it has room again, in a turn of its own. */
  readonly onFault?: (fault: CommitFault) => void;
}

interface Waiting {
  readonly write: Write;
  readonly bytes: number;
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Flush {
  /** Settled writes at which it is done. */
  readonly at: number;
  readonly resolve: () => void;
}

/** The committer of one process. Writes are committed in the order in which they were given. */
export class GroupCommit {
  readonly #store: Pick<Store, "url" | "apply">;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onFault: ((fault: CommitFault) => void) | undefined;
  /** Told after each commit, once its writes are settled. */
  readonly committed: Emitter<void> = new Emitter();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #taken = 0;
  #settled = 0;
  #flushes: Flush[] = [];
  #busy = false;
  #closed = false;
  #pausedAtMs: number | undefined;
  #wake: (() => void) | undefined;

  constructor(options: GroupCommitOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#onFault = options.onFault;
  }

  /**
   * Commits a write with its neighbours. Rejects when it was not written: STORE_CLOSED, STORE_BUSY after five
   * tries, STORE_FULL if too much waits for a full disk or the committer closes meanwhile, or what else the
   * store throws.
   */
  write(write: Write): Promise<WriteResult> {
    return new Promise((resolve, reject) => this.post(write, resolve, reject));
  }

  /** The same without a promise: calls back once the write has settled. */
  post(
    write: Write,
    resolve: (result: WriteResult) => void,
    reject: (error: unknown) => void,
  ): void {
    const refusal = this.#refuse();
    if (refusal !== undefined) {
      reject(refusal);
      return;
    }
    const bytes = estimateBytes(write);
    this.#waiting.push({ write, bytes, resolve, reject });
    this.#waitingBytes += bytes;
    this.#taken += 1;
    this.#book();
  }

  /** Resolves once all writes given so far have settled; at once if none waits. Lasts as long as a full disk. */
  flush(): Promise<void> {
    if (this.#settled === this.#taken) return Promise.resolve();
    return new Promise((resolve) => this.#flushes.push({ at: this.#taken, resolve }));
  }

  /** Takes no more writes, and resolves once all have settled. A full disk gets one last try. Repeatable. */
  close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    return this.flush();
  }

  #refuse(): MillraceError | undefined {
    const { url } = this.#store;
    if (this.#closed) return new MillraceError("STORE_CLOSED", `The store "${url}" is closed.`);
    if (this.#waiting.length < WAITING_WRITES_MAX && this.#waitingBytes < WAITING_BYTES_MAX) {
      return undefined;
    }
    const waiting = `${this.#waiting.length} writes wait for the store "${url}"`;
    return this.#pausedAtMs === undefined
      ? new MillraceError("STORE_BUSY", `${waiting}; no more are taken.`, { retryable: true })
      : new MillraceError("STORE_FULL", `${waiting}, whose disk is full; no more are taken.`, {
          hint: "Free space on the disk of the store; waiting writes then go on by themselves.",
          retryable: true,
        });
  }

  #book(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#clock.defer(this.#turn);
  }

  // One arrow for all turns: booking allocates nothing.
  readonly #turn = (): void => {
    const batch = this.#take();
    void this.#commit(batch).then(() => {
      this.#busy = false;
      this.#settled += batch.length;
      this.#resolveFlushes();
      // In a turn of its own, so that everything the commit set going can join.
      if (this.#waiting.length > 0) this.#book();
    });
  };

  #take(): readonly Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const { bytes: more } of this.#waiting) {
      if (count === COMMIT_WRITES_MAX || (count > 0 && bytes + more > COMMIT_BYTES_MAX)) break;
      count += 1;
      bytes += more;
    }
    this.#waitingBytes -= bytes;
    if (count < this.#waiting.length) return this.#waiting.splice(0, count);
    const batch = this.#waiting;
    this.#waiting = [];
    return batch;
  }

  #resolveFlushes(): void {
    if (this.#flushes.length === 0) return;
    const done = this.#flushes.filter((flush) => flush.at <= this.#settled);
    this.#flushes = this.#flushes.filter((flush) => flush.at > this.#settled);
    for (const flush of done) flush.resolve();
  }

  /** Settles every write of the batch; never rejects. */
  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#apply(batch.map((waiting) => waiting.write));
      assert(results.length === batch.length, "The store answered not every write.");
      for (let index = 0; index < results.length; index += 1) {
        const result = results[index];
        if (result !== undefined) batch[index]?.resolve(result);
      }
      this.committed.emit();
    } catch (error) {
      // The store undid all of them. What is no fault of the world is the fault of one write: it fails alone.
      if (batch.length > 1 && !isMillraceError(error)) {
        for (const waiting of batch) await this.#commit([waiting]);
        return;
      }
      for (const waiting of batch) waiting.reject(error);
    }
  }

  async #apply(writes: readonly Write[]): Promise<readonly WriteResult[]> {
    for (let tries = 1; ;) {
      try {
        const results = await this.#store.apply(writes);
        this.#resume();
        return results;
      } catch (error) {
        if (!isMillraceError(error)) throw error;
        if (error.code === "STORE_FULL" && !this.#closed) await this.#pause(error);
        else if (error.code === "STORE_BUSY" && tries++ < BUSY_TRIES_MAX)
          await this.#backOff(tries);
        else throw error;
      }
    }
  }

  #backOff(tries: number): Promise<void> {
    const cap = Math.min(BUSY_DELAY_MS_MAX, BUSY_DELAY_MS_MIN * 2 ** tries);
    const spread = this.#random.float() * (cap - BUSY_DELAY_MS_MIN);
    return this.#clock.sleep(BUSY_DELAY_MS_MIN + spread);
  }

  async #pause(error: MillraceError): Promise<void> {
    if (this.#pausedAtMs === undefined) {
      this.#pausedAtMs = this.#clock.monotonicMs();
      this.#tell({ kind: "paused", error });
    }
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = this.#clock.setTimer(FULL_RETRY_MS, resolve);
    });
    timer?.cancel();
    this.#wake = undefined;
  }

  #resume(): void {
    if (this.#pausedAtMs === undefined) return;
    const pausedMs = this.#clock.monotonicMs() - this.#pausedAtMs;
    this.#pausedAtMs = undefined;
    this.#tell({ kind: "resumed", pausedMs });
  }

  // In a turn of its own: a listener that throws must not keep writes from settling.
  #tell(fault: CommitFault): void {
    const onFault = this.#onFault;
    if (onFault !== undefined) this.#clock.defer(() => onFault(fault));
  }
}
