// Works the queues of one process: claims runs while it has room, hands them over to be driven, and once a
// second looks for runs that wake and for those of dead workers.
//
// Modes: `working`; `stopping` (nothing is claimed any more; what runs gets its time, the rest goes back to its
// queue); `over`. While working it is `idle` when its last claim found less than there was room for: then it
// claims again when it hears of work (a hint), or at the next look. Every hint may be lost. Runs that only wait for
// resources take none of its room; see `worker-places.ts`.

import {
  DRAIN_MS_DEFAULT,
  HINT_POLL_MS_DEFAULT,
  PRESENCE_MS_DEFAULT,
} from "../../model/defaults.ts";
import { MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { CLAIM_RUNS_MAX, WAKE_RUNS_MAX } from "../../model/limits.ts";
import type { RunState } from "../../model/run.ts";
import { RecentSet } from "../../std/bounded-list.ts";
import type { Timer } from "../../std/clock.ts";
import type { NextRun } from "../../storage/write-result.ts";
import { storeClosed, whileOpen } from "../commands/begin-run.ts";
import type { LiveRun } from "../live-run.ts";
import type { MillContext, StoppableWorker } from "../mill-context.ts";
import type { RunHandle } from "../run-handle.ts";
import { beginClaimed, returnClaimed, type Begun } from "./begin-claimed.ts";
import { checkWorkOptions } from "./check-work-options.ts";
import { ClaimedPipelines } from "./claimed-pipeline.ts";
import { isDrained } from "./is-drained.ts";
import { Presence } from "./presence.ts";
import { WorkerPlaces } from "./worker-places.ts";
import { rescueRuns } from "./rescuer.ts";
import { isGivenUp, isRetryable } from "./worker-faults.ts";

/** How the queues are worked. */
export interface WorkOptions {
  /** Runs at once, 1 to 256. Default 8. */
  readonly concurrency?: number;
  /** Names of the pipelines to work. Default: all that the mill knows. */
  readonly pipelines?: readonly string[];
  /** Ends when nothing is queued, or running from a queue, any more. Runs that wait for a later time, for a retry
   *  too, are left. Default false. */
  readonly drain?: boolean;
  /** With `drain`, asked once nothing is queued or running any more: while it answers true, the worker stays for what
   *  wakes. Default: it does not. */
  readonly awaits?: () => Promise<boolean>;
  /** Ends after so many runs, 1 or more. Default: no bound. */
  readonly maxRuns?: number;
  /** Stops it when aborted: what runs gets `stopAfterMs`, then goes back to its queue. */
  readonly signal?: AbortSignal;
  /** Time that running stages have when it is stopped, ms, 0 or more. Default 20 s. */
  readonly stopAfterMs?: number;
  /** Told of every run that it begins, in the turn of its first event, which may come just before. */
  readonly onRun?: (run: RunHandle) => void;
  /** Told every event of the runs that it begins. */
  readonly onEvent?: (event: MillraceEvent) => void;
}

/** What was worked on. */
export interface WorkSummary {
  /** Runs that were claimed; one that waited in between counts once. */
  readonly runs: number;
  /** How they ended; `waiting`: they wait for a later time; `returned`: they went back to their queue. */
  readonly counts: Readonly<Partial<Record<RunState | "returned", number>>>;
}

/** Runs that were parked here and are remembered. One that is forgotten and comes back counts as another. */
const PARKED_MAX = 10_000;

type Mode = "working" | "stopping" | "over";

/** Works the queues until it is told to stop, or until they are drained. */
export class Worker implements StoppableWorker {
  readonly #mill: MillContext;
  readonly #options: WorkOptions;
  readonly #pipelines: ClaimedPipelines;
  readonly #places: WorkerPlaces;
  /** Runs that were parked here and did not come back yet. Many never do: others claim them. */
  readonly #parked: RecentSet<string> = new RecentSet(PARKED_MAX);
  readonly #counts: Partial<Record<RunState | "returned", number>> = {};
  readonly #presence: Presence;
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #stopping: AbortController = new AbortController();
  #mode: Mode = "working";
  /** Time that running stages have, once it stops. */
  #drainMs: number = 0;
  #runs: number = 0;
  #isClaiming: boolean = false;
  #isIdle: boolean = false;
  /** Hints so far: one that comes while a claim is under way may tell of what that claim did not see. */
  #hints: number = 0;
  #isPumping: boolean = false;
  #isLooking: boolean = false;
  #mark: number = 0;
  #look: Timer | null = null;
  #listen: Timer | null = null;
  #fault: unknown = null;

  constructor(mill: MillContext, options: WorkOptions) {
    this.#mill = mill;
    this.#options = options;
    this.#places = new WorkerPlaces(checkWorkOptions(options), () => this.#pumpSoon());
    this.#pipelines = new ClaimedPipelines(mill, options.pipelines);
    this.#presence = new Presence(mill, () => this.pipelineNames);
  }

  /** Works. Resolves when it is over; rejects for a fault that leaves the store or the engine in doubt, and with
   *  what `onRun` throws. */
  async work(): Promise<WorkSummary> {
    const { signal } = this.#options;
    if (this.#mill.closing) throw storeClosed(this.#mill);
    const stop = (): void => void this.stop(this.#options.stopAfterMs ?? DRAIN_MS_DEFAULT);
    const deaf = this.#mill.wake.on(() => this.#hear());
    this.#mill.workers.add(this);
    this.#mill.self.worker = this;
    signal?.addEventListener("abort", stop, { once: true });
    try {
      this.#lookAgain();
      this.#watch();
      // First, so that nothing is taken for drained that only waits to be found.
      void this.#lookAround().finally(() => this.#pumpSoon());
      if (signal?.aborted === true) stop();
      await this.#ended.promise;
      if (this.#fault !== null) throw this.#fault;
      return { runs: this.#runs, counts: this.#counts };
    } finally {
      deaf();
      signal?.removeEventListener("abort", stop);
      this.#mill.workers.delete(this);
      this.#mill.self.worker = null;
      this.#look?.cancel();
      this.#listen?.cancel();
      await this.#presence.leave();
    }
  }

  async stop(drainMs: number): Promise<void> {
    if (this.#mode === "over") return await this.#ended.promise;
    this.#mode = "stopping";
    this.#drainMs = drainMs;
    this.#stopping.abort();
    await Promise.all(this.#places.list().map((run) => run.interrupt(drainMs)));
    this.#endIfDone();
    await this.#ended.promise;
  }

  /** Runs at once. */
  get slots(): number {
    return this.#places.count;
  }

  /** Runs that it has, without those at rest. */
  get slotsUsed(): number {
    return this.#places.atWork;
  }

  get isDraining(): boolean {
    return this.#mode !== "working";
  }

  get pipelineNames(): readonly string[] {
    return this.#pipelines.names;
  }

  /** Runs that may be claimed now. */
  get #free(): number {
    if (this.#mill.standing.heldBy !== undefined) return 0;
    const left = (this.#options.maxRuns ?? Infinity) - this.#runs;
    return Math.min(this.#places.free, left, CLAIM_RUNS_MAX);
  }

  #hear(): void {
    this.#hints += 1;
    this.#isIdle = false;
    this.#pumpSoon();
  }

  // In the next turn: runs that end together are followed by one claim for all of them.
  #pumpSoon(): void {
    if (this.#isPumping || this.#mode !== "working") return;
    this.#isPumping = true;
    this.#mill.world.clock.defer(() => {
      this.#isPumping = false;
      if (this.#mode === "over") this.#ended.resolve();
      else this.#pump();
    });
  }

  #pump(): void {
    if (this.#mode !== "working" || this.#isClaiming) return;
    this.#places.relieve();
    if (this.#isIdle || this.#free <= 0) return this.#endIfDone();
    this.#isClaiming = true;
    this.#claim(this.#free).catch((error: unknown) => this.#fail(error));
  }

  async #claim(limit: number): Promise<void> {
    const hints = this.#hints;
    this.#mill.queueClaims += 1;
    try {
      const claimed = await whileOpen(this.#mill, () => this.#claimAndBegin(limit));
      this.#isIdle = claimed < limit && this.#hints === hints;
    } catch (error) {
      // The next look tries again.
      if (!isRetryable(error)) throw error;
      this.#isIdle = true;
    } finally {
      this.#mill.queueClaims -= 1;
      this.#isClaiming = false;
    }
    this.#pumpSoon();
    this.#endIfDone();
  }

  async #claimAndBegin(limit: number): Promise<number> {
    const { committer, keeper, owner, leaseMs, world } = this.#mill;
    const sentMs = world.clock.monotonicMs();
    const result = await committer.write({
      kind: "claim-next",
      claim: { owner, leaseMs },
      limit,
      pipelines: this.#pipelines.list,
    });
    if (result.kind !== "claimed") return 0;
    this.#runs += result.runs.length;
    if (this.#parked.size > 0) this.#takeBack(result.runs);
    if (result.runs.length > 0) this.#presence.busy();
    keeper.expect(result.runs.map(({ run: { id, epoch } }) => ({ id, epoch })));
    // Each on its own: what one meets must not leave the others claimed and forgotten.
    const begun = result.runs.map((next) => this.#begin(next, sentMs));
    await Promise.all(begun.filter((one) => one !== undefined));
    return result.runs.length;
  }

  /** What was counted when it was parked here is not counted twice. */
  #takeBack(runs: readonly NextRun[]): void {
    for (const { run } of runs) {
      if (!this.#parked.delete(run.id)) continue;
      this.#runs -= 1;
      this.#counts.waiting = (this.#counts.waiting ?? 1) - 1;
    }
    if (this.#counts.waiting === 0) delete this.#counts.waiting;
  }

  /** Begins a claimed run, or gives it back. Nothing to wait for where it could begin at once. Never throws. */
  #begin(next: NextRun, sentMs: number): Promise<void> | undefined {
    if (this.#mode !== "working") return this.#giveBack(next);
    try {
      const begun = beginClaimed(this.#mill, {
        next,
        sentMs,
        stopping: this.#stopping.signal,
        onEvent: this.#options.onEvent,
      });
      if (begun instanceof Promise) return this.#followLater(begun, next);
      this.#follow(begun);
      return undefined;
    } catch (error) {
      return this.#giveBack(next, error);
    }
  }

  async #followLater(begun: Promise<Begun>, next: NextRun): Promise<void> {
    try {
      this.#follow(await begun);
    } catch (error) {
      await this.#giveBack(next, error);
    }
  }

  /** A claimed run that was not begun: because of a stop, or of a fault. */
  async #giveBack(next: NextRun, error?: unknown): Promise<void> {
    if (error !== undefined && !isRetryable(error)) this.#fail(error);
    this.#count("returned");
    this.#mill.keeper.release(next.run.id);
    // Where not even this can be written its lease runs out.
    await returnClaimed(this.#mill, next).catch(() => undefined);
  }

  #follow(run: Begun): void {
    if (run === "failed" || run === "returned") return this.#count(run);
    this.#places.take(run);
    // Told to stop by who heard the run's first event.
    if (this.#mode === "stopping") void run.interrupt(this.#drainMs);
    run.result().then(
      (result) => this.#leave(run, result.state === "queued" ? "returned" : result.state),
      (error: unknown) => this.#lose(run, error),
    );
    try {
      this.#options.onRun?.(run);
    } catch (error) {
      this.#fail(error);
    }
  }

  #leave(run: LiveRun, state: RunState | "returned"): void {
    this.#places.leave(run);
    if (state === "waiting") this.#parked.add(run.id);
    // What it gave back may have let one of them return to its queue.
    else if (this.#parked.size > 0) this.#isIdle = false;
    this.#count(state);
    this.#pumpSoon();
    this.#endIfDone();
  }

  /** Its lease went to somebody else, it was given back, or its store failed: the run is no longer ours, and others
   *  may be. */
  #lose(run: LiveRun, error: unknown): void {
    this.#leave(run, "returned");
    if (!isGivenUp(error)) this.#fail(error);
  }

  #count(state: RunState | "returned"): void {
    this.#counts[state] = (this.#counts[state] ?? 0) + 1;
  }

  #fail(error: unknown): void {
    const isClosing = error instanceof MillraceError && error.code === "STORE_CLOSED";
    if (!isClosing) this.#fault ??= error;
    void this.stop(0);
  }

  /** Once a second: what wakes by time, what the dead left, and what no hint told of. */
  #lookAgain(): void {
    this.#look = this.#mill.world.clock.setTimer(PRESENCE_MS_DEFAULT, () => {
      if (this.#mode !== "working") return;
      this.#lookAgain();
      const isHeld = this.#mill.standing.heldBy !== undefined;
      if ((this.#isIdle || isHeld) && this.#places.size === 0) void this.#presence.idle();
      void this.#lookAround();
    });
  }

  async #lookAround(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const { committer, standing } = this.#mill;
      standing.clocks.look();
      await committer.write({ kind: "wake-runs", limit: WAKE_RUNS_MAX });
      // Before anything is reclaimed: after an outage nothing is.
      standing.storeAnswered();
      await rescueRuns(this.#mill);
      this.#hear();
    } catch (error) {
      this.#mill.standing.storeFailed(error);
      // A busy store is tried again in a second; any other fault will meet a claim, which reports it.
      if (error instanceof MillraceError) return;
      this.#fail(error);
    } finally {
      this.#isLooking = false;
    }
  }

  /** While idle: whether another process has written. */
  #watch(): void {
    if (!this.#mill.store.capabilities.shared) return;
    this.#listen = this.#mill.world.clock.setTimer(HINT_POLL_MS_DEFAULT, () => {
      if (this.#mode !== "working") return;
      this.#watch();
      if (this.#isIdle && this.#free > 0) void this.#askForChanges();
    });
  }

  async #askForChanges(): Promise<void> {
    const mark = await this.#mill.store.changeMark().catch(() => this.#mark);
    if (mark === this.#mark) return;
    this.#mark = mark;
    this.#hear();
  }

  #endIfDone(): void {
    if (this.#mode === "over" || this.#isClaiming || this.#places.size > 0) return;
    const isFull = this.#runs >= (this.#options.maxRuns ?? Infinity);
    if (this.#mode === "stopping" || isFull) return this.#end();
    if (this.#options.drain === true && this.#isIdle) void this.#endIfDrained();
  }

  async #endIfDrained(): Promise<void> {
    try {
      const isOver =
        (await isDrained(this.#mill.store, this.pipelineNames)) &&
        (await this.#options.awaits?.()) !== true;
      // What others still work on may come back; the next look tells.
      if (isOver && this.#places.size === 0 && !this.#isClaiming) this.#end();
    } catch (error) {
      if (!isRetryable(error)) this.#fail(error);
    }
  }

  // A turn that is booked is waited for: whoever hears of the end finds nothing of this left in the event loop.
  #end(): void {
    this.#mode = "over";
    if (!this.#isPumping) this.#ended.resolve();
  }
}
