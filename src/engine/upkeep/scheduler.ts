// Lets schedules fire: sleeps until the next one is due, at most 30 s, and then decides about each through its port.
// Any number of these may work on one store; who comes second finds nothing left to do.
//
// Modes: stopped; looking (a turn over what is due); asleep. `wake` in a turn asks for another right after it. A store
// that does not answer is told once and asked again, ever later, until it does.

import { PAGE_ROWS_MAX, SCHEDULER_HELD_MS, SCHEDULER_SLEEP_MS_MAX } from "../../model/limits.ts";
import type { Clock, Timer } from "../../std/clock.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { Store } from "../../storage/store.ts";

/** What became of a schedule that was looked at. */
export type ScheduleOutcome =
  | { readonly kind: "moved"; readonly lateMs: number | null }
  | { readonly kind: "held" | "idle" | "lost" }
  | { readonly kind: "left"; readonly problem: string; readonly lateMs: number };

/** What a scheduler is made of. */
export interface SchedulerParts {
  readonly store: Pick<Store, "nowMs" | "listDueRecords" | "nextDueMs" | "findRecord">;
  readonly clock: Clock;
  /** Done before the first look, and again until it succeeds. Default: nothing. */
  readonly prepare?: () => Promise<void>;
  /** Decides one thing about a schedule that is due, and says what became of it. Throws where the store fails. */
  readonly fire: (record: StoreRecord) => Promise<ScheduleOutcome>;
  /** Told what is odd, once until it is gone. */
  readonly warn: (message: string) => void;
}

/** Schedules that are looked at together: their writes are one transaction. */
const TOGETHER = 32;
/** Schedules of one page; PAGE_ROWS_MAX where so many cannot be decided here. */
const PAGE = 100;
/** Pages of one turn, so that stopping never waits for long. */
const PAGES_MAX = 1_000;

/** Fires schedules while it is started. */
export class Scheduler {
  readonly #parts: SchedulerParts;
  /** Names of those that wait for a run to end. */
  readonly #held: Set<string> = new Set();
  /** What was told and is not over. */
  readonly #problems: Set<string> = new Set();
  #isStarted: boolean = false;
  #isWoken: boolean = false;
  #timer: Timer | null = null;
  #turn: Promise<void> | null = null;
  #failures: number = 0;
  #lastLateMs: number = 0;
  #oldestLeftMs: number = 0;
  #turnEndedMs: number;
  /** When the first due schedule was to be looked at, monotonic ms; null: none is expected. */
  #expectedMs: number | null = null;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#turnEndedMs = parts.clock.monotonicMs();
  }

  /** How late it is, ms: the last tick that was decided, what is due and cannot be, or a turn that does not end. */
  get lateMs(): number {
    const nowMs = this.#parts.clock.monotonicMs();
    const overdueMs =
      !this.#isStarted || this.#expectedMs === null ? 0 : Math.max(0, nowMs - this.#expectedMs);
    return Math.max(this.#lastLateMs, this.#oldestLeftMs, overdueMs);
  }

  /** Time since it last came to an end with what is due, ms: grows where it hangs. */
  get silentMs(): number {
    return this.#isStarted ? this.#parts.clock.monotonicMs() - this.#turnEndedMs : 0;
  }

  /** Begins at once. Safe to repeat. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#turnEndedMs = this.#parts.clock.monotonicMs();
    this.#expectedMs = this.#turnEndedMs;
    this.wake();
  }

  /** Fires nothing any more; resolves when what it was at is over. Safe before `start`, and to repeat. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#timer?.cancel();
    await this.#turn;
  }

  /** Looks again now: a schedule was changed, a clock jumped. Firing twice cannot come of it. */
  wake(): void {
    if (!this.#isStarted) return;
    this.#isWoken = true;
    this.#timer?.cancel();
    this.#turn ??= this.#look();
  }

  /** The same, if a tick waits for a run to end: one has. */
  wakeHeld(): void {
    if (this.#held.size > 0) this.wake();
  }

  async #look(): Promise<void> {
    let delayMs = 0;
    while (this.#isStarted && this.#isWoken) {
      this.#isWoken = false;
      delayMs = await this.#try();
    }
    this.#turn = null;
    if (!this.#isStarted) return;
    const { clock } = this.#parts;
    // While the store does not answer it is as late as it was.
    if (this.#failures === 0) {
      this.#turnEndedMs = clock.monotonicMs();
      this.#expectedMs = clock.monotonicMs() + delayMs;
    }
    this.#timer = clock.setTimer(delayMs, () => this.wake(), { unref: true });
  }

  /** Answers how long there is nothing to do, ms. */
  async #try(): Promise<number> {
    try {
      await this.#parts.prepare?.();
      await this.#fireDue();
      await this.#fireHeld();
      const delayMs = await this.#untilNext();
      this.#failures = 0;
      return delayMs;
    } catch (error) {
      this.#failures += 1;
      const said = error instanceof Error ? error.message : String(error);
      if (this.#failures === 1) this.#parts.warn(`The scheduler waits for the store: ${said}`);
      return Math.min(1_000 * 2 ** Math.min(this.#failures - 1, 10), SCHEDULER_SLEEP_MS_MAX);
    }
  }

  async #fireDue(): Promise<void> {
    const { store } = this.#parts;
    const seen = new Set<string>();
    this.#oldestLeftMs = 0;
    this.#lastLateMs = 0;
    let limit = PAGE;
    for (let page = 0; page < PAGES_MAX && this.#isStarted; page++) {
      const due = await store.listDueRecords({
        collection: "schedules",
        untilMs: store.nowMs(),
        limit,
      });
      const isMoved = await this.#fireAll(due, seen);
      if (isMoved) continue;
      // What was left stands at the head of the list: behind it may be what can be decided.
      if (due.length < limit || limit === PAGE_ROWS_MAX) break;
      limit = PAGE_ROWS_MAX;
    }
    for (const problem of this.#problems) if (!seen.has(problem)) this.#problems.delete(problem);
  }

  /** True where another look is worth it. */
  async #fireAll(due: readonly StoreRecord[], seen: Set<string>): Promise<boolean> {
    let isMoved = false;
    for (let from = 0; from < due.length && this.#isStarted; from += TOGETHER) {
      const together = due.slice(from, from + TOGETHER);
      const outcomes = await Promise.all(together.map((record) => this.#fire(record, seen)));
      isMoved ||= outcomes.some((kind) => kind === "moved" || kind === "lost");
    }
    return isMoved;
  }

  async #fire(record: StoreRecord, seen: Set<string>): Promise<ScheduleOutcome["kind"]> {
    const outcome = await this.#parts.fire(record);
    if (outcome.kind === "held") this.#held.add(record.key);
    else this.#held.delete(record.key);
    if (outcome.kind === "moved")
      this.#lastLateMs = Math.max(this.#lastLateMs, outcome.lateMs ?? 0);
    if (outcome.kind === "left") {
      this.#oldestLeftMs = Math.max(this.#oldestLeftMs, outcome.lateMs);
      seen.add(outcome.problem);
      if (!this.#problems.has(outcome.problem)) this.#parts.warn(outcome.problem);
      this.#problems.add(outcome.problem);
    }
    return outcome.kind;
  }

  async #fireHeld(): Promise<void> {
    for (const name of this.#held) {
      if (!this.#isStarted) return;
      // One run may end, and with it several of its ticks are decided.
      for (let kind: string = "moved"; kind === "moved" || kind === "lost";) {
        const record = await this.#parts.store.findRecord("schedules", name);
        if (record === undefined) this.#held.delete(name);
        kind = record === undefined ? "gone" : await this.#fire(record, this.#problems);
        if (record?.dueAtMs === null) kind = "gone";
      }
    }
  }

  async #untilNext(): Promise<number> {
    const { store } = this.#parts;
    if (this.#held.size > 0) return SCHEDULER_HELD_MS;
    const nextMs = await store.nextDueMs("schedules");
    if (nextMs === null) return SCHEDULER_SLEEP_MS_MAX;
    // What is due and was left cannot be done here: others may, and this one looks again soon.
    const aheadMs = nextMs - store.nowMs();
    return aheadMs <= 0 ? SCHEDULER_HELD_MS : Math.min(aheadMs, SCHEDULER_SLEEP_MS_MAX);
  }
}
