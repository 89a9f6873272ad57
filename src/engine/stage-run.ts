// One stage of one run while it is driven: where it stands, what it gave, how often it was tried. Data with a
// few questions about it; every move is made by the driver.

import type { MetricChange, StageRecord } from "../model/checkpoint.ts";
import type { StageDefinition } from "../model/definition.ts";
import type { Ending, Failure, StageState, StoredValue, Via } from "../model/outcome.ts";
import type { EncodedValue } from "../std/value.ts";
import type { AttemptHistory } from "./attempt/attempt-history.ts";
import type { MapItems } from "./map/map-items.ts";

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
  reason: string | null = null;
  failure: Failure | null = null;
  /** Set while it waits for its next attempt, UTC ms. */
  dueAtMs: number | null = null;

  /** Its result: by reference in memory and with `persist: false`. */
  value: unknown = undefined;
  /** Its result as text, in durable runs; null once nobody reads it any more, or when only `stored` is known. */
  text: EncodedValue | null = null;
  stored: StoredValue | null = null;
  outputVersion: string | null = null;
  inputVersion: string | null = null;
  /** How long it took in the epoch that finished it, where that is not this one. */
  keptDurationMs: number | null = null;
  /** True if it goes on although a critical stage failed: its trigger bears failures. */
  isSpared: boolean = false;
  /** True once its `when` was asked and answered yes. */
  conditionMet: boolean = false;
  /** What its next attempt knows of those before; set while it waits its turn. */
  history: AttemptHistory | null = null;
  /** A checkpoint of an earlier epoch that holds only if it was made from the same input. */
  candidate: StageRecord | null = null;

  /** Made by the first stage that counts something: most count nothing. */
  metrics: Map<string, number> | null = null;
  waitedMs: Record<string, number> | null = null;
  readyMs: number = 0;
  /** Monotonic ms; -1: not yet, since 0 is a moment like any other. */
  startedMs: number = -1;
  endedMs: number = -1;
  cpuMs: number | null = null;
  peakBytes: number | null = null;
  map: MapItems | null = null;

  constructor(definition: StageDefinition, index: number, needs: number) {
    this.definition = definition;
    this.index = index;
    this.left = needs;
  }

  /** Adds to the time spent waiting for this cause. */
  addWait(cause: string, ms: number): void {
    this.waitedMs ??= {};
    this.waitedMs[cause] = (this.waitedMs[cause] ?? 0) + ms;
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

/** True once its ending is decided, committed or not. */
export function isEnded(stageRun: StageRun): boolean {
  const { state } = stageRun;
  return state !== "pending" && state !== "running" && state !== "waiting";
}

const unknownFailure: Failure = Object.freeze({
  class: "unknown",
  message: "no error was recorded",
  attempts: 0,
  fingerprint: "",
});
