// Makes the endings of stages and items true: puts the result where readers find it, has it committed, tells it,
// and only then says so to the driver. In memory there is no commit and no wait.

import type { StateEntry } from "../../model/checkpoint.ts";
import type { EventDraft } from "../../model/event.ts";
import { PAGE_ROWS_MAX } from "../../model/limits.ts";
import type { Ending, StageState, StoredValue } from "../../model/outcome.ts";
import { moveStage } from "../../model/transition.ts";
import { InvariantError } from "../../std/error/assert.ts";
import { versionOfText } from "../../std/json.ts";
import type { EncodedValue } from "../../std/value.ts";
import { applyEnding, takeUsage } from "../attempt/apply-ending.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { CacheHit } from "../cache/cache-hit.ts";
import { countCached, type Asked, type StageCache } from "../cache/stage-cache.ts";
import { assembleItems } from "../needs.ts";
import {
  toItemEvent,
  toItemRecord,
  toRetryRecord,
  toStageEvent,
  toStageRecord,
} from "./records.ts";
import { encodeOrThrow, type RunCore } from "../run-core.ts";
import type { Journal } from "./journal.ts";
import type { ReopenedItems } from "../map/item-checkpoints.ts";
import { versionOfList } from "../map/list-version.ts";
import { isEnded, type StageRun } from "../stage-run.ts";
import {
  dueAfter,
  toWaitEvent,
  toWaitingItem,
  toWaitingStage,
  type WaitFacts,
} from "./wait-records.ts";

/** Whom the ledger tells once something is committed. */
export interface LedgerListener {
  stageSettled(stageRun: StageRun): void;
  itemSettled(stageRun: StageRun, index: number): void;
  /** A write is committed, also one that ends nothing: a run that stops may have waited for no more. */
  committed(): void;
  /** A write failed: the run cannot go on here. */
  writeFailed(error: unknown): void;
}

/** What goes down with the end of a stage. */
interface EndRider {
  readonly attempt: Attempt | null;
  readonly state: readonly StateEntry[];
}

const NO_ENTRIES: readonly StateEntry[] = Object.freeze([]);

/** Ends stages and items of one run. */
export class StageLedger {
  /** Commits under way; the run is not over before there are none. */
  commits: number = 0;
  readonly #core: RunCore;
  readonly #cache: StageCache | null;
  readonly #listener: LedgerListener;

  constructor(core: RunCore, cache: StageCache | null, listener: LedgerListener) {
    this.#core = core;
    this.#cache = cache;
    this.#listener = listener;
  }

  /** The result of a stage's attempt. Throws VALUE_NOT_STORABLE where it cannot be kept. */
  keepValue(stageRun: StageRun, value: unknown): void {
    const { name, persist } = stageRun.definition;
    if (this.#core.journal === null || !persist) {
      stageRun.value = value;
      return;
    }
    stageRun.text = encodeOrThrow(value, `the output of "${name}"`);
    stageRun.outputVersion = versionOfText(stageRun.text);
  }

  /** The result of a stage that was in the cache. */
  keepCached(stageRun: StageRun, { text, entry }: CacheHit): void {
    stageRun.text = text;
    stageRun.outputVersion = entry.outputVersion;
  }

  /** The result of an item's attempt. */
  keepItemValue(stageRun: StageRun, index: number, value: unknown): void {
    const map = stageRun.map;
    if (map === null) return;
    const { name, persist } = stageRun.definition;
    if (this.#core.journal === null || !persist) {
      map.values[index] = value;
      return;
    }
    map.texts[index] = encodeOrThrow(
      value,
      `the output of item "${map.keyOf(index)}" of "${name}"`,
    );
  }

  /** Ends a stage. `attempt`: the one that ended it, if any. */
  endStage(stageRun: StageRun, ending: Ending, attempt: Attempt | null = null): void {
    if (isEnded(stageRun))
      throw new InvariantError(`Stage "${stageRun.definition.name}" ended twice.`);
    stageRun.state = moveStage(stageRun.state, ending.state);
    stageRun.endedMs = this.#core.world.clock.monotonicMs();
    this.#core.lastEndMs = stageRun.endedMs;
    stageRun.dueAtMs = null;
    applyEnding(stageRun, ending);
    if (ending.state === "failed")
      this.#core.noteError(stageRun, { failure: ending.failure, index: null });
    if (attempt !== null) takeUsage(stageRun, attempt);
    const asked = this.#cache === null ? null : this.#cache.take(stageRun, -1);
    if (asked !== null) stageRun.addMetrics(countCached(asked, null));
    if (stageRun.map !== null && ending.state === "succeeded") this.#closeMap(stageRun);
    const state = this.#publish(attempt, ending.state, asked);
    if (this.#core.journal === null) {
      if (this.#core.sink !== null) this.#core.tell(toStageEvent(stageRun));
      this.#settle(stageRun);
      return;
    }
    this.#commit(this.#putStage(this.#core.journal, stageRun, { attempt, state }), () => {
      if (asked !== null && attempt !== null) this.#share(asked, attempt, state);
      this.#settle(stageRun);
    });
  }

  #publish(
    attempt: Attempt | null,
    to: StageState | undefined,
    asked: Asked | null,
  ): readonly StateEntry[] {
    if (to !== "succeeded") return NO_ENTRIES;
    if (asked !== null && asked.hit !== null) {
      this.#core.restoreState(asked.hit.entry.state);
      return asked.hit.entry.state;
    }
    if (attempt === null || attempt.stateSet === null) return NO_ENTRIES;
    return this.#core.publishState(attempt.stage, attempt.stateSet);
  }

  /** Puts a success into the cache once it is committed. The run is not over before. */
  #share(asked: Asked, attempt: Attempt, state: readonly StateEntry[]): void {
    const put = this.#cache?.share(asked, attempt, state) ?? null;
    if (put !== null) this.#commit(put, () => {});
  }

  #settle(stageRun: StageRun): void {
    stageRun.settled = true;
    this.#listener.stageSettled(stageRun);
  }

  #closeMap(stageRun: StageRun): void {
    if (this.#core.journal === null) stageRun.value = assembleItems(stageRun);
    else stageRun.outputVersion = versionOfList(stageRun);
  }

  /** A promise more only where the output goes into a blob first. */
  #putStage(journal: Journal, stageRun: StageRun, rider: EndRider): Promise<unknown> {
    if (stageRun.text === null || stageRun.stored !== null || stageRun.map !== null)
      return this.#putStored(journal, stageRun, rider);
    const stored = journal.store(stageRun.text);
    if (!(stored instanceof Promise)) {
      stageRun.stored = stored;
      return this.#putStored(journal, stageRun, rider);
    }
    return stored.then((blob) => {
      stageRun.stored = blob;
      return this.#putStored(journal, stageRun, rider);
    });
  }

  #putStored(journal: Journal, stageRun: StageRun, rider: EndRider): Promise<unknown> {
    const record = toStageRecord(this.#core, stageRun);
    const events = [toStageEvent(stageRun)];
    const { failure } = stageRun;
    if (rider.attempt === null || failure === null || stageRun.state !== "failed")
      return journal.putStage(record, { events, state: rider.state });
    const facts = { failure, delayMs: null, endedMs: stageRun.endedMs };
    const retry = toRetryRecord(this.#core, rider.attempt, facts);
    return journal.putStage(record, { events, state: rider.state, retry });
  }

  /** Ends an item, whose state in the map is final already. */
  endItem(stageRun: StageRun, index: number, facts: ItemEndFacts): void {
    const { attempt } = facts;
    if (attempt !== null) takeUsage(stageRun, attempt);
    const asked = this.#cache === null ? null : this.#cache.take(stageRun, index);
    if (asked !== null) stageRun.addMetrics(countCached(asked, null));
    const state = this.#publish(attempt, stageRun.map?.stateOf(index), asked);
    if (this.#core.journal === null) {
      if (this.#core.sink !== null) this.#core.tell(toItemEvent(stageRun, index, attempt));
      this.#listener.itemSettled(stageRun, index);
      return;
    }
    const { map, definition } = stageRun;
    map?.uncommitted.add(index);
    if (!definition.persist && facts.inputVersion !== null)
      map?.unstoredVersions.set(index, facts.inputVersion);
    this.#commit(this.#putItem(stageRun, index, { ...facts, state, asked }), () => {
      map?.uncommitted.delete(index);
      if (asked !== null && attempt !== null) this.#share(asked, attempt, state);
      this.#listener.itemSettled(stageRun, index);
    });
  }

  async #putItem(
    stageRun: StageRun,
    index: number,
    facts: ItemEndFacts & { readonly state: readonly StateEntry[]; readonly asked: Asked | null },
  ): Promise<void> {
    const journal = this.#core.journal;
    const map = stageRun.map;
    if (journal === null || map === null) return;
    const endedMs = this.#core.world.clock.monotonicMs();
    const stored = await this.#storeItem(map.texts[index] ?? null);
    map.stored[index] = stored;
    const failure = map.failures.get(index);
    const { attempt, inputVersion, asked } = facts;
    const metrics = asked === null ? {} : { metrics: countCached(asked, attempt) };
    const record = toItemRecord(
      this.#core,
      { stageRun, index },
      { attempt, endedMs, inputVersion, stored, dueAtMs: null, ...metrics },
    );
    const retry =
      facts.attempt === null || failure === undefined || record.state !== "failed"
        ? {}
        : { retry: toRetryRecord(this.#core, facts.attempt, { failure, delayMs: null, endedMs }) };
    const events = [toItemEvent(stageRun, index, facts.attempt)];
    await journal.putItem(record, { events, state: facts.state, ...retry });
  }

  async #storeItem(text: EncodedValue | null): Promise<StoredValue | null> {
    const journal = this.#core.journal;
    return text === null || journal === null ? null : await journal.store(text);
  }

  /** Records that an attempt failed and another one follows after a wait. */
  noteWait(attempt: Attempt, facts: WaitFacts): void {
    const { stageRun, index } = attempt;
    // Nobody has its attempt any more where a stage is ended while it waits.
    if (index < 0) takeUsage(stageRun, attempt);
    const { journal, world } = this.#core;
    const endedMs = world.clock.monotonicMs();
    const wait = { ...facts, endedMs, dueAtMs: dueAfter(this.#core, facts.delayMs) };
    if (index < 0) stageRun.dueAtMs = wait.dueAtMs;
    const event = toWaitEvent(attempt, wait);
    if (journal === null) {
      this.#core.tell(event);
      return;
    }
    const rider = { events: [event], retry: toRetryRecord(this.#core, attempt, wait) };
    const put =
      index < 0
        ? journal.putStage(toWaitingStage(this.#core, attempt, wait), rider)
        : journal.putItem(toWaitingItem(this.#core, attempt, wait), rider);
    this.#commit(put, () => {});
  }

  /** Stores that a list is known: from then on others can see how far the stage is. */
  noteExpanded(
    stageRun: StageRun,
    data: Readonly<Record<string, number>>,
    removed: readonly string[],
  ): void {
    const event: EventDraft = {
      type: "stage.expanded",
      stage: stageRun.definition.name,
      data: { ...data, removed: removed.length },
    };
    const journal = this.#core.journal;
    if (journal === null) {
      this.#core.tell(event);
      return;
    }
    this.noteReopened(stageRun, { dropped: removed, moved: [] });
    this.#commit(
      journal.putStage(toStageRecord(this.#core, stageRun), { events: [event] }),
      () => {},
    );
  }

  /** Stores what a list that was opened again means for the items that are known of it. */
  noteReopened(stageRun: StageRun, changes: ReopenedItems): void {
    const journal = this.#core.journal;
    if (journal === null) return;
    const { name } = stageRun.definition;
    for (const keys of cutIntoPages(changes.dropped))
      this.#commit(journal.dropItems(name, keys), () => {});
    for (const places of cutIntoPages(changes.moved))
      this.#commit(journal.placeItems(name, places), () => {});
  }

  /** Waits for something before the run may be over; it counts like a commit. */
  follow(work: Promise<void>, then: () => void): void {
    this.#commit(work, then);
  }

  /** Stores that an attempt begins, where repeating it unseen could do harm; or that it did not, after a drain. */
  async noteStart(attempt: Attempt): Promise<void> {
    const { stageRun, index } = attempt;
    const journal = this.#core.journal;
    if (journal === null) return;
    if (index < 0) await journal.putStage(toStageRecord(this.#core, stageRun), { events: [] });
    else {
      const facts = { attempt, endedMs: 0, inputVersion: null, stored: null, dueAtMs: null };
      await journal.putItem(
        {
          ...toItemRecord(this.#core, { stageRun, index }, facts),
          endedAtMs: null,
          durationMs: null,
        },
        { events: [] },
      );
    }
  }

  #commit(write: Promise<unknown>, then: () => void): void {
    this.commits += 1;
    write.then(
      () => {
        this.commits -= 1;
        try {
          then();
          this.#listener.committed();
        } catch (error) {
          this.#listener.writeFailed(error); // a fault of ours: nobody else could hear it
        }
      },
      (error: unknown) => {
        this.commits -= 1;
        this.#listener.writeFailed(error);
      },
    );
  }
}

/** Pieces that fit into a transaction. */
function cutIntoPages<T>(list: readonly T[]): readonly (readonly T[])[] {
  const pages: (readonly T[])[] = [];
  for (let at = 0; at < list.length; at += PAGE_ROWS_MAX)
    pages.push(list.slice(at, at + PAGE_ROWS_MAX));
  return pages;
}

/** What is known when an item ends. */
export interface ItemEndFacts {
  readonly attempt: Attempt | null;
  readonly inputVersion: string | null;
}
