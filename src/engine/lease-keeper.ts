// Keeps the leases of the runs that this process works on, says once a second what is running, and hears what
// others ask of them. Modes: `idle` (no run: no timer at all) and `keeping`. A run whose lease cannot be renewed
// in time is given up before anybody else may take it.
//
// Renewals come from the store's renewer once a run is long, so that work which blocks this loop costs no lease;
// this loop itself renews before that, where there is no renewer, and when the renewer is late.

import { MillraceError } from "../model/errors.ts";
import type { LeaseTerms, Owner } from "../model/lease.ts";
import { RUNNING_NAMES_MAX } from "../model/limits.ts";
import type { RunRecord } from "../model/run.ts";
import type { WorkEntry, WorkerFacts } from "../model/worker.ts";
import { stopTimeOf } from "../policy/lease-terms.ts";
import type { Clock, Timer } from "../std/clock.ts";
import type { LeasedRun, LeaseRenewer } from "../storage/lease-renewer.ts";
import type { Store } from "../storage/store.ts";

/** A run whose lease is kept. */
export interface KeptRun {
  readonly id: string;
  readonly epoch: number;
  /** Monotonic ms when it has to be over; null: never. */
  readonly deadlineAtMs: number | null;
  /** The lease is gone: nothing of the run may be written any more. */
  lost(error: MillraceError): void;
  /** Somebody asked for its end. */
  cancelRequested(reason: string): void;
  /** What it runs now, at most `limit`. */
  listRunning(limit: number): readonly WorkEntry[];
}

/** How leases are kept. */
export interface LeaseKeeperOptions {
  readonly store: Pick<Store, "renewLeases" | "openRenewer" | "beat" | "findRun">;
  readonly clock: Clock;
  readonly owner: Owner;
  readonly terms: LeaseTerms;
  /** Told, once, that leases are renewed from this loop alone although the store can do better. */
  readonly warn: (message: string) => void;
  /** What the process says of itself with each beat. Default: nothing. */
  readonly describe?: (work: readonly WorkEntry[]) => WorkerFacts;
  /** Gives the lease of a run back to it, whose row has none although the run is ours: only a hand from outside can
   *  have taken it. False: it is not ours any more. Default: such a run is lost. */
  readonly putBack?: (run: LeasedRun) => Promise<boolean>;
  /** Called with each beat. Default: nobody. */
  readonly onBeat?: () => void;
}

interface Held {
  readonly run: KeptRun;
  /** Monotonic ms when it was handed over. */
  readonly keptMs: number;
  /** Monotonic ms when the claim, or the last renewal of this loop that succeeded, was sent. */
  sentMs: number;
}

/** Keeps the leases of one process. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #runs: Map<string, Held> = new Map();
  #timer: Timer | null = null;
  #beating: boolean = false;
  /** Null: not opened yet, or there is none. */
  #renewer: LeaseRenewer | null = null;
  #mayOpenRenewer: boolean = true;
  #expectsLong: boolean = false;
  /** Runs whose leases are renewed already, and that are about to begin. */
  readonly #expected: Set<string> = new Set();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** From now on every run is taken for a long one: this process works a queue. */
  expectLongRuns(): void {
    this.#expectsLong = true;
  }

  /** These runs were claimed together and begin now: one order for all, before any of them can block this loop. */
  expect(runs: readonly LeasedRun[]): void {
    this.#expected.clear();
    if (runs.length === 0) return;
    if (this.#expectsLong) this.#openRenewer();
    if (this.#renewer === null) return;
    this.#renewer.tick();
    this.#renewer.keepAll(runs);
    for (const { id } of runs) this.#expected.add(id);
  }

  /** Starts keeping a run that was just claimed. `sentMs`: monotonic, from before the claim was sent; its lease
   *  cannot have begun earlier. */
  keep(run: KeptRun, sentMs: number): void {
    this.#runs.set(run.id, { run, sentMs, keptMs: this.#options.clock.monotonicMs() });
    if (this.#expectsLong) this.#openRenewer();
    const isHanded = this.#expected.delete(run.id) && run.deadlineAtMs === null;
    if (!isHanded) this.#hand(run);
    this.#timer ??= this.#arm();
  }

  /** Stops keeping a run that is over or parked, or that was expected and never begins. */
  release(id: string): void {
    const isKept = this.#runs.delete(id);
    if (this.#expected.delete(id) || isKept) this.#renewer?.release(id);
    if (!isKept) return;
    if (this.#runs.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Ends what renews. Runs that are still kept are renewed from this loop. */
  async close(): Promise<void> {
    this.#mayOpenRenewer = false;
    const renewer = this.#renewer;
    this.#renewer = null;
    await renewer?.close();
  }

  #arm(): Timer {
    const { clock, terms } = this.#options;
    return clock.setTimer(terms.presenceMs, () => {
      this.#timer = this.#runs.size === 0 ? null : this.#arm();
      this.#renewer?.tick();
      this.#options.onBeat?.();
      void this.#beat();
    });
  }

  async #beat(): Promise<void> {
    if (this.#beating || this.#runs.size === 0) return;
    this.#beating = true;
    try {
      await this.#renewIfDue();
      await this.#say();
      for (const { run } of this.#runs.values()) await this.#hear(run);
    } catch {
      // The store is away or busy. The next beat tries again; `#giveUpIfLate` is the bound of it.
    } finally {
      this.#giveUpIfLate();
      this.#beating = false;
    }
  }

  async #renewIfDue(): Promise<void> {
    const { store, clock, owner, terms } = this.#options;
    const sentMs = clock.monotonicMs();
    if (this.#isAnyLong(sentMs)) this.#openRenewer();
    // A renewer that missed one heartbeat gets help: it is idempotent, and costs one small write.
    const dueAfterMs = terms.heartbeatMs * (this.#renewer === null ? 1 : 2);
    const held = [...this.#runs.values()].filter(({ run }) => !this.#isPastEnd(run, sentMs));
    if (!held.some((one) => sentMs - this.#renewedMs(one) >= dueAfterMs)) return;
    const runs = held.map(({ run: { id, epoch } }) => ({ id, epoch }));
    const lost = await store.renewLeases(owner, runs, terms.leaseMs);
    for (const one of held) one.sentMs = sentMs;
    await Promise.all(lost.map((id) => this.#verify(id)));
  }

  #isAnyLong(nowMs: number): boolean {
    const { threadAfterMs } = this.#options.terms;
    for (const { keptMs } of this.#runs.values()) if (nowMs - keptMs >= threadAfterMs) return true;
    return false;
  }

  #openRenewer(): void {
    if (!this.#mayOpenRenewer || this.#renewer !== null) return;
    this.#mayOpenRenewer = false;
    const { store, owner, terms } = this.#options;
    try {
      this.#renewer =
        store.openRenewer?.(
          { owner, ...terms },
          {
            lost: (runs) => this.#loseAll(runs),
            failed: (error) => this.#renewHere(error),
          },
        ) ?? null;
    } catch (error) {
      this.#renewHere(error);
    }
    for (const { run } of this.#runs.values()) this.#hand(run);
  }

  #hand(run: KeptRun): void {
    const { clock, terms } = this.#options;
    const leftMs =
      run.deadlineAtMs === null
        ? null
        : run.deadlineAtMs + terms.deadlineGraceMs - clock.monotonicMs();
    this.#renewer?.tick();
    this.#renewer?.keep({ id: run.id, epoch: run.epoch }, leftMs);
  }

  #renewHere(error: unknown): void {
    this.#renewer = null;
    const why = error instanceof Error ? error.message : String(error);
    this.#options.warn(
      `Leases are renewed from the main loop, which work that blocks it can delay: the thread for it failed (${why}).`,
    );
  }

  #isPastEnd({ deadlineAtMs }: KeptRun, nowMs: number): boolean {
    return deadlineAtMs !== null && nowMs >= deadlineAtMs + this.#options.terms.deadlineGraceMs;
  }

  /** When the newest renewal was sent that is known to have reached this run. */
  #renewedMs({ sentMs, keptMs }: Held): number {
    if (this.#renewer === null) return sentMs;
    const apartMs = this.#options.clock.monotonicMs() - this.#renewer.renewedAgoMs();
    return apartMs >= keptMs ? Math.max(apartMs, sentMs) : sentMs;
  }

  /** Self-stop: before the lease can have ended on the store's clock. */
  #giveUpIfLate(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const held of this.#runs.values()) {
      // A renewer leaves a run alone that is past its end, and then says nothing of that run.
      const isPastEnd = this.#isPastEnd(held.run, nowMs);
      const sentMs = isPastEnd ? this.#lastBeforeEnd(held) : this.#renewedMs(held);
      if (nowMs < stopTimeOf(this.#options.terms, sentMs)) continue;
      this.#lose(
        held.run.id,
        isPastEnd
          ? "its deadline has passed and it did not end"
          : "the store could not be reached in time",
      );
    }
  }

  #lastBeforeEnd(held: Held): number {
    const { deadlineGraceMs, heartbeatMs } = this.#options.terms;
    // Without a renewal for two heartbeats this loop had renewed itself.
    const latestMs = (held.run.deadlineAtMs ?? 0) + deadlineGraceMs - 2 * heartbeatMs;
    return Math.max(held.sentMs, Math.min(this.#renewedMs(held), latestMs));
  }

  #loseAll(runs: readonly LeasedRun[]): void {
    for (const { id, epoch } of runs) {
      if (this.#runs.get(id)?.run.epoch === epoch) void this.#verify(id);
    }
  }

  #lose(id: string, why: string): void {
    const held = this.#runs.get(id);
    if (held === undefined) return;
    this.release(id);
    held.run.lost(
      new MillraceError("LEASE_LOST", `The lease of run ${id} is lost: ${why}.`, {
        hint: "everything committed so far is kept; resume the run",
        details: { run: id },
      }),
    );
  }

  async #hear(run: KeptRun): Promise<void> {
    const record = await this.#options.store.findRun(run.id);
    if (record === undefined || record.epoch !== run.epoch) {
      this.#lose(run.id, "it was taken by another process");
      return;
    }
    if (isRobbed(record)) await this.#putBack(run);
    if (record.cancelRequestedAtMs !== null) {
      run.cancelRequested(record.cancelReason ?? "cancelled");
    }
  }

  /** A renewal found no lease of ours: somebody took the run, or its row was changed by hand. */
  async #verify(id: string): Promise<void> {
    const run = this.#runs.get(id)?.run;
    if (run === undefined) return;
    // Nobody renews it any more: where its row cannot be read, it is lost.
    const record = await this.#options.store.findRun(id).catch(() => undefined);
    if (record?.epoch === run.epoch && isRobbed(record)) await this.#putBack(run);
    else this.#lose(id, "it was taken by another process");
  }

  async #putBack(run: KeptRun): Promise<void> {
    const { putBack, clock } = this.#options;
    const sentMs = clock.monotonicMs();
    const isOurs = await putBack?.({ id: run.id, epoch: run.epoch }).catch(() => null);
    const held = this.#runs.get(run.id);
    // Not written: the next beat tries again, until the stop time.
    if (held?.run !== run || isOurs === null) return;
    if (isOurs !== true) return this.#lose(run.id, "its lease is gone");
    held.sentMs = sentMs;
    this.#hand(run);
  }

  async #say(): Promise<void> {
    const { store, owner, describe } = this.#options;
    const work = this.listWork();
    await store.beat(owner, work.map(nameOf), describe?.(work));
  }

  /** What runs now in all runs that are kept, at most RUNNING_NAMES_MAX. */
  listWork(): readonly WorkEntry[] {
    const work: WorkEntry[] = [];
    for (const { run } of this.#runs.values()) {
      if (work.length >= RUNNING_NAMES_MAX) break;
      work.push(...run.listRunning(RUNNING_NAMES_MAX - work.length));
    }
    return work;
  }
}

/** `run/stage` or `run/stage/key`. */
function nameOf({ run, stage, item }: WorkEntry): string {
  return item === undefined ? `${run}/${stage}` : `${run}/${stage}/${item}`;
}

/** Running, and nobody's: no write of ours leaves a run so. */
function isRobbed({ state, lease }: RunRecord): boolean {
  return state === "running" && (lease === null || lease.owner.worker === "");
}
