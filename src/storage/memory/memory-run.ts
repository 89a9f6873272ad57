// One run as the memory store keeps it: its record and the rows of its stages, items, memos, state, retries
// and events in plain maps, with counts kept as they change. It obeys; what is allowed stands in the rules.

import { RETRY_HISTORY_MAX } from "../../model/limits.ts";
import type {
  CrashRecord,
  ItemRecord,
  RetryRecord,
  StageRecord,
  StateCounts,
  StateEntry,
} from "../../model/checkpoint.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { StageState } from "../../model/outcome.ts";
import type { RunRecord } from "../../model/run.ts";
import type { EncodedValue } from "../../std/value.ts";
import { isStageOver, isTakeable, reopenItem, reopenStage, takenOver } from "../stage-rules.ts";
import type { ResetStage, TakenStage } from "../write.ts";

interface Memo {
  readonly stage: string;
  readonly item: string | null;
  readonly name: string;
  readonly value: EncodedValue;
}

/** The rows of one run. Records are never changed, only replaced. */
export class MemoryRun {
  record: RunRecord;
  /** Number of the run's last event; 0: none. */
  runSeq = 0;
  readonly events: MillraceEvent[] = [];
  readonly stages: Map<string, StageRecord> = new Map();
  readonly state: Map<string, StateEntry> = new Map();
  crashes: readonly CrashRecord[] = [];
  readonly #items = new Map<string, Map<string, ItemRecord>>();
  readonly #counts = new Map<string, Map<StageState, number>>();
  readonly #memos = new Map<string, Memo>();
  readonly #retries = new Map<string, RetryRecord[]>();

  constructor(record: RunRecord) {
    this.record = record;
  }

  /** Items of a stage by key. */
  itemsOf(stage: string): ReadonlyMap<string, ItemRecord> {
    return this.#items.get(stage) ?? new Map();
  }

  /** Items of all stages. */
  get itemCount(): number {
    return [...this.#items.values()].reduce((count, items) => count + items.size, 0);
  }

  /** Stages that have items. */
  stagesWithItems(): Iterable<string> {
    return this.#items.keys();
  }

  putItem(item: ItemRecord): void {
    let items = this.#items.get(item.stage);
    if (items === undefined) this.#items.set(item.stage, (items = new Map()));
    const known = items.get(item.key);
    items.set(item.key, item);
    if (known?.state === item.state) return;
    if (known !== undefined) this.#count(item.stage, known.state, -1);
    this.#count(item.stage, item.state, 1);
  }

  /** Deletes an item with its memos and retry history. */
  dropItem(stage: string, key: string): void {
    const item = this.#items.get(stage)?.get(key);
    if (item === undefined) return;
    this.#items.get(stage)?.delete(key);
    this.#count(stage, item.state, -1);
    this.#retries.delete(addressOf(stage, key));
    this.crashes = this.crashes.filter((one) => one.stage !== stage || one.item !== key);
    for (const [address, memo] of this.#memos) {
      if (memo.stage === stage && memo.item === key) this.#memos.delete(address);
    }
  }

  placeItem(stage: string, key: string, index: number): void {
    const item = this.#items.get(stage)?.get(key);
    if (item !== undefined) this.#items.get(stage)?.set(key, { ...item, index });
  }

  countsOf(stage: string): StateCounts {
    const counts: Partial<Record<StageState, number>> = {};
    for (const [state, count] of this.#counts.get(stage) ?? [])
      if (count > 0) counts[state] = count;
    return counts;
  }

  /** Counts of the items of all stages that have any. */
  counts(): ReadonlyMap<string, StateCounts> {
    const stages = [...this.stagesWithItems()].map(
      (stage) => [stage, this.countsOf(stage)] as const,
    );
    return new Map(stages.filter(([, states]) => Object.keys(states).length > 0));
  }

  findMemo(stage: string, item: string | null, name: string): EncodedValue | undefined {
    return this.#memos.get(addressOf(stage, item, name))?.value;
  }

  putMemo(memo: Memo): void {
    this.#memos.set(addressOf(memo.stage, memo.item, memo.name), memo);
  }

  retriesOf(stage: string, item: string | null): readonly RetryRecord[] {
    return this.#retries.get(addressOf(stage, item)) ?? [];
  }

  addRetry(retry: RetryRecord): void {
    const address = addressOf(retry.stage, retry.item);
    const history = this.#retries.get(address);
    if (history === undefined) this.#retries.set(address, [retry]);
    else if (history.push(retry) > RETRY_HISTORY_MAX) history.shift();
    if (retry.delayMs === null) return;
    this.record = { ...this.record, retries: this.record.retries + 1 };
  }

  reset({ stage, mode }: ResetStage): void {
    const record = this.stages.get(stage);
    if (mode === "drop") {
      this.#drop(stage);
      return;
    }
    if (record !== undefined) this.stages.set(stage, reopenStage(record, mode));
    if (mode === "keep") return;
    for (const item of this.itemsOf(stage).values()) this.putItem(reopenItem(item));
  }

  /** Copies what `taken` names from another run. */
  takeOver(from: MemoryRun, { stage, mode }: TakenStage): void {
    const record = from.stages.get(stage);
    if (mode !== "items") {
      if (record === undefined || !isTakeable(record.state)) return;
      const taken = takenOver(record);
      this.stages.set(stage, mode === "whole" ? taken : reopenStage(taken, "keep"));
    }
    for (const item of from.itemsOf(stage).values()) {
      const taken = mode === "whole" ? isStageOver(item.state) : item.state === "succeeded";
      if (taken) this.putItem(takenOver(item));
    }
    for (const memo of from.#memos.values()) if (memo.stage === stage) this.putMemo(memo);
    for (const entry of from.state.values()) {
      if (entry.stage === stage) this.state.set(entry.key, entry);
    }
  }

  #drop(stage: string): void {
    this.stages.delete(stage);
    this.crashes = this.crashes.filter((one) => one.stage !== stage);
    this.#items.delete(stage);
    this.#counts.delete(stage);
    for (const [address, memo] of this.#memos)
      if (memo.stage === stage) this.#memos.delete(address);
    for (const entry of this.state.values()) {
      if (entry.stage === stage) this.state.delete(entry.key);
    }
  }

  #count(stage: string, state: StageState, change: number): void {
    let counts = this.#counts.get(stage);
    if (counts === undefined) this.#counts.set(stage, (counts = new Map()));
    counts.set(state, (counts.get(state) ?? 0) + change);
  }
}

function addressOf(...parts: readonly (string | null)[]): string {
  return JSON.stringify(parts);
}
