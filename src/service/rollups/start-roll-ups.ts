// Keeps the roll-ups of a store while a service runs: folds what was told since the last time, looks at levels once a
// minute, and throws away what is too old. One process does it for all; a run is not touched, and waits for nothing.
//
// Modes: looking; resting (nine times as long as it worked while there is more to fold, else until the next look);
// over. A store that does not answer is told once, and asked again with every look.

import { Duty } from "../../engine/upkeep/duty.ts";
import { ROLL_UP_MS_DEFAULT } from "../../model/defaults.ts";
import { RECORD_PUTS_MAX } from "../../model/limits.ts";
import { messageOf } from "../../policy/failure.ts";
import type { Timer } from "../../std/clock.ts";
import { contextOf, type MillContext } from "../mill-context.ts";
import { foldPiece, RunPipelines } from "./fold-piece.ts";
import { lookAtLevels } from "./look-at-levels.ts";
import { EntryGroups, readCursor, writeEntries } from "./roll-up-records.ts";

/** How roll-ups are kept. */
export interface RollUpOptions {
  /** Time between two looks, ms. Default 10 s. */
  readonly everyMs?: number;
  /** Told what goes wrong. Default: what the mill was opened with. */
  readonly onWarning?: (message: string) => void;
}

/** Roll-ups that are kept. */
export interface RunningRollUps {
  /** Does the next piece now. True: there is more. Never rejects. */
  look(): Promise<boolean>;
  /** Resolves when nothing of it runs any more. Safe to repeat. */
  stop(): Promise<void>;
}

/** While there is more to fold it rests so many times as long as it worked: runs of this process go first. */
const REST_TIMES = 9;
/** Shortest rest, ms. */
const REST_MS_MIN = 10;

const MINUTE_MS = 60_000;

/** Keeps them. `mill`: what `openMillrace` gave. Looks for the first time soon. */
export function startRollUps(mill: object, options: RollUpOptions = {}): RunningRollUps {
  return new MillRollUps(contextOf(mill), options);
}

class MillRollUps implements RunningRollUps {
  readonly #mill: MillContext;
  readonly #everyMs: number;
  readonly #warn: (message: string) => void;
  readonly #duty: Duty;
  readonly #pipelines: RunPipelines;
  #timer: Timer | null = null;
  #looking: Promise<boolean> | null = null;
  #heldAtMs = 0;
  #lookedMinute = 0;
  #isFailing = false;
  #isOver = false;

  constructor(mill: MillContext, options: RollUpOptions) {
    this.#mill = mill;
    this.#everyMs = options.everyMs ?? ROLL_UP_MS_DEFAULT;
    this.#warn = options.onWarning ?? mill.warn;
    this.#pipelines = new RunPipelines(mill.store);
    this.#duty = new Duty({
      store: mill.store,
      write: (write) => mill.committer.write(write),
      name: "rollups",
      holder: mill.owner.worker,
      leaseMs: this.#everyMs * 3,
    });
    this.#arm(0);
  }

  async look(): Promise<boolean> {
    this.#looking ??= this.#guard().finally(() => {
      this.#looking = null;
    });
    return await this.#looking;
  }

  async stop(): Promise<void> {
    const wasOver = this.#isOver;
    this.#isOver = true;
    this.#timer?.cancel();
    await this.#looking;
    // The next process need not wait.
    if (!wasOver) await this.#duty.release().catch(() => undefined);
  }

  #arm(delayMs: number): void {
    if (this.#isOver || this.#mill.closing) return;
    const { clock } = this.#mill.world;
    this.#timer = clock.setTimer(delayMs, () => {
      const startedMs = clock.monotonicMs();
      void this.look().then((hasMore) => {
        const restMs = Math.max(REST_MS_MIN, (clock.monotonicMs() - startedMs) * REST_TIMES);
        this.#arm(hasMore ? Math.min(restMs, this.#everyMs) : this.#everyMs);
      });
    });
  }

  async #guard(): Promise<boolean> {
    try {
      const hasMore = await this.#look();
      this.#isFailing = false;
      return hasMore;
    } catch (error) {
      if (!this.#isFailing && !this.#mill.closing)
        this.#warn(`Roll-ups are not kept for now: ${messageOf(error)} Nothing is lost by it.`);
      this.#isFailing = true;
      return false;
    }
  }

  async #look(): Promise<boolean> {
    if (this.#isOver || !(await this.#hold())) return false;
    const { isLast } = await foldPiece(this.#mill, this.#pipelines);
    await this.#lookAtLevels();
    await this.#expire();
    return !isLast;
  }

  /** Renewed when half of it is over. */
  async #hold(): Promise<boolean> {
    const nowMs = this.#mill.store.nowMs();
    if (this.#duty.isHeld && nowMs - this.#heldAtMs < this.#everyMs * 1.5) return true;
    this.#heldAtMs = nowMs;
    return await this.#duty.hold();
  }

  async #lookAtLevels(): Promise<void> {
    const { store } = this.#mill;
    const lookedMinute = Math.floor(store.nowMs() / MINUTE_MS);
    if (lookedMinute === this.#lookedMinute) return;
    this.#lookedMinute = lookedMinute;
    // Another process was here in this minute.
    if ((await readCursor(store)).lookedMinute === lookedMinute) return;
    const rest = [...(await lookAtLevels(this.#mill))];
    while (rest.length > 0) {
      const groups = new EntryGroups(RECORD_PUTS_MAX - 1);
      while (rest[0] !== undefined && groups.take(rest[0])) rest.shift();
      const cursor = await readCursor(store);
      // Many levels are several transactions; who finds that somebody else is at it leaves the others to him.
      if (!(await writeEntries(this.#mill, groups, { ...cursor, lookedMinute }))) return;
    }
  }

  async #expire(): Promise<void> {
    const { store, committer } = this.#mill;
    const due = await store.listDueRecords({
      collection: "rollups",
      untilMs: store.nowMs(),
      limit: RECORD_PUTS_MAX,
    });
    if (due.length === 0) return;
    const puts = due.map(({ collection, key, revision }) => ({
      collection,
      key,
      expected: revision,
      value: undefined,
    }));
    await committer.write({ kind: "put-records", puts, events: [] });
  }
}
