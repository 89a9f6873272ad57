// One stage of one run while it is driven: where it stands, what it gave, how often it was tried. Data with a
// few questions about it; every move is made by the driver.

import type { MetricChange, StageRecord } from "../model/checkpoint.ts";
import type { StageDefinition } from "../model/definition.ts";
import type { Ending, Failure, StageState, StoredValue, Via } from "../model/outcome.ts";
import type { EncodedValue } from "../std/value.ts";
import type { AttemptHistory } from "./attempt/attempt-history.ts";
import type { MapItems } from "./map/map-items.ts";
import { WaitTally } from "./ledger/wait-tally.ts";

/** One stage of a run. */
export class StageRun {
  readonly definition: StageDefinition;
  readonly index: number;
  state: StageState = "pending";
  /** True once its ending is committed and its readers were told. */
  settled: boolean = false;
  /** True once it was found that it may run; how it stands then is told by its state. */
  isReached: boolean = false;
  /** Needs that have not settled yet. */
  left: number;
  /** Needs among those settled that did not succeed. */
  unmet: number = 0;
  via: Via | null = null;
  attempts: number = 0;
  /** Its result by reference, in memory and with `persist: false`. */
  value: unknown = undefined;
  /** Monotonic ms when it was found that it may run. */
  readyMs: number = 0;
  /** Monotonic ms; -1: not yet, since 0 is a moment like any other. */
  startedMs: number = -1;
  endedMs: number = -1;
  map: MapItems | null = null;
  /** What a stage in memory that simply succeeds never has. A run holds all its stages: small ones are fast. */
  #rare: RareFacts | null = null;

  constructor(definition: StageDefinition, index: number, needs: number) {
    this.definition = definition;
    this.index = index;
    this.left = needs;
  }

  /** Of skipped and cancelled stages. */
  get reason(): string | null {
    return this.#rare === null ? null : this.#rare.reason;
  }

  set reason(value: string | null) {
    if (value !== null || this.#rare !== null) (this.#rare ??= new RareFacts()).reason = value;
  }

  /** Why it failed, or what stood before it did. */
  get failure(): Failure | null {
    return this.#rare === null ? null : this.#rare.failure;
  }

  set failure(value: Failure | null) {
    if (value !== null || this.#rare !== null) (this.#rare ??= new RareFacts()).failure = value;
  }

  /** Set while it waits for its next attempt, UTC ms. */
  get dueAtMs(): number | null {
    return this.#rare === null ? null : this.#rare.dueAtMs;
  }

  set dueAtMs(value: number | null) {
    if (value !== null || this.#rare !== null) (this.#rare ??= new RareFacts()).dueAtMs = value;
  }

  /** Its result as text, in durable runs; null when only `stored` is known. */
  get text(): EncodedValue | null {
    return this.#rare === null ? null : this.#rare.text;
  }

  set text(value: EncodedValue | null) {
    if (value !== null || this.#rare !== null) (this.#rare ??= new RareFacts()).text = value;
  }

  /** Where its result is stored. */
  get stored(): StoredValue | null {
    return this.#rare === null ? null : this.#rare.stored;
  }

  set stored(value: StoredValue | null) {
    if (value !== null || this.#rare !== null) (this.#rare ??= new RareFacts()).stored = value;
  }

  /** Hash of its result. */
  get outputVersion(): string | null {
    return this.#rare === null ? null : this.#rare.outputVersion;
  }

  set outputVersion(value: string | null) {
    if (value !== null || this.#rare !== null)
      (this.#rare ??= new RareFacts()).outputVersion = value;
  }

  /** Hash of what it is made from. */
  get inputVersion(): string | null {
    return this.#rare === null ? null : this.#rare.inputVersion;
  }

  set inputVersion(value: string | null) {
    if (value !== null || this.#rare !== null)
      (this.#rare ??= new RareFacts()).inputVersion = value;
  }

  /** How long it took in the epoch that finished it, where that is not this one. */
  get keptDurationMs(): number | null {
    return this.#rare === null ? null : this.#rare.keptDurationMs;
  }

  set keptDurationMs(value: number | null) {
    if (value !== null || this.#rare !== null)
      (this.#rare ??= new RareFacts()).keptDurationMs = value;
  }

  /** True if it goes on although a critical stage failed: its trigger bears failures. */
  get isSpared(): boolean {
    return this.#rare === null ? false : this.#rare.isSpared;
  }

  set isSpared(value: boolean) {
    if (value !== false || this.#rare !== null) (this.#rare ??= new RareFacts()).isSpared = value;
  }

  /** True once its `when` was asked and answered yes. */
  get conditionMet(): boolean {
    return this.#rare === null ? false : this.#rare.conditionMet;
  }

  set conditionMet(value: boolean) {
    if (value !== false || this.#rare !== null)
      (this.#rare ??= new RareFacts()).conditionMet = value;
  }

  /** What its next attempt knows of those before; set while it waits its turn. */
  get history(): AttemptHistory | null {
    return this.#rare === null ? null : this.#rare.history;
  }

  set history(value: AttemptHistory | null) {
    if (value !== null || this.#rare !== null) (this.#rare ??= new RareFacts()).history = value;
  }

  /** A checkpoint of an earlier epoch that holds only if it was made from the same input. */
  get candidate(): StageRecord | null {
    return this.#rare === null ? null : this.#rare.candidate;
  }

  set candidate(value: StageRecord | null) {
    if (value !== null || this.#rare !== null) (this.#rare ??= new RareFacts()).candidate = value;
  }

  /** What its attempts counted. */
  get metrics(): Map<string, number> | null {
    return this.#rare === null ? null : this.#rare.metrics;
  }

  set metrics(value: Map<string, number> | null) {
    if (value !== null || this.#rare !== null) (this.#rare ??= new RareFacts()).metrics = value;
  }

  /** What it has waited for; of a map the sums are those of all its items. Null: nothing. */
  get tally(): WaitTally | null {
    return this.#rare === null ? null : this.#rare.tally;
  }

  /** Time spent waiting, by cause. */
  get waitedMs(): Readonly<Record<string, number>> | null {
    return this.tally?.sums ?? null;
  }

  /** Processor time of its child processes. */
  get cpuMs(): number | null {
    return this.#rare === null ? null : this.#rare.cpuMs;
  }

  set cpuMs(value: number | null) {
    if (value !== null || this.#rare !== null) (this.#rare ??= new RareFacts()).cpuMs = value;
  }

  /** Largest memory of its child processes. */
  get peakBytes(): number | null {
    return this.#rare === null ? null : this.#rare.peakBytes;
  }

  set peakBytes(value: number | null) {
    if (value !== null || this.#rare !== null) (this.#rare ??= new RareFacts()).peakBytes = value;
  }

  /** Its waits, made if there is none yet. */
  makeTally(): WaitTally {
    return ((this.#rare ??= new RareFacts()).tally ??= new WaitTally());
  }

  /** Adds to the time spent waiting for this cause. */
  addWait(cause: string, ms: number): void {
    this.makeTally().add(cause, ms);
  }

  /** Merges what an attempt counted. */
  addMetrics(found: ReadonlyMap<string, MetricChange>): void {
    const metrics = (this.metrics ??= new Map());
    for (const [name, change] of found) {
      const base = change.absolute ? 0 : (metrics.get(name) ?? 0);
      metrics.set(name, base + change.value);
    }
  }

  /** How it ended; meaningful once its state is final. */
  toEnding(): Ending {
    switch (this.state) {
      case "succeeded":
        return { state: "succeeded", via: this.via ?? "run" };
      case "skipped":
        return { state: "skipped", reason: this.reason ?? "returned" };
      case "failed":
      case "upstream_failed":
        return { state: this.state, failure: this.failure ?? unknownFailure };
      default:
        return { state: "cancelled", reason: this.reason ?? "cancelled" };
    }
  }
}

class RareFacts {
  reason: string | null = null;
  failure: Failure | null = null;
  dueAtMs: number | null = null;
  text: EncodedValue | null = null;
  stored: StoredValue | null = null;
  outputVersion: string | null = null;
  inputVersion: string | null = null;
  keptDurationMs: number | null = null;
  isSpared: boolean = false;
  conditionMet: boolean = false;
  history: AttemptHistory | null = null;
  candidate: StageRecord | null = null;
  metrics: Map<string, number> | null = null;
  tally: WaitTally | null = null;
  cpuMs: number | null = null;
  peakBytes: number | null = null;
}

/** True once its ending is decided, committed or not. */
export function isEnded(stageRun: StageRun): boolean {
  const { state } = stageRun;
  return state !== "pending" && state !== "running" && state !== "waiting";
}

/** Stands for a failure of which nothing was recorded. */
export const unknownFailure: Failure = Object.freeze({
  class: "unknown",
  message: "no error was recorded",
  attempts: 0,
  fingerprint: "",
});
