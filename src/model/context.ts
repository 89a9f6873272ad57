// What a running attempt is given besides its needs. Types only; the engine implements it.

import type { Duration } from "../std/duration.ts";
import type { Json } from "../std/json.ts";
import type { ResourceUse, UseList } from "./resource/resource.ts";

/** Why an attempt is aborted; the `reason` of its signal is an AbortReason. */
export const ABORT_KINDS = [
  "timeout",
  "deadline",
  "user-cancel",
  "shutdown",
  "fenced",
  "watchdog",
  "sibling",
] as const;

/** Kind of an abort. `sibling`: another item or stage failed and this one is no longer needed. */
export type AbortKind = (typeof ABORT_KINDS)[number];

/** Reason of an aborted signal. */
export class AbortReason extends Error {
  readonly kind: AbortKind;
  constructor(kind: AbortKind, message: string) {
    super(message);
    this.name = "AbortError";
    this.kind = kind;
  }
}

/** Log lines of an attempt; they become `stage.logged` events. */
export interface ContextLog {
  debug(message: string, data?: Readonly<Record<string, Json>>): void;
  info(message: string, data?: Readonly<Record<string, Json>>): void;
  warn(message: string, data?: Readonly<Record<string, Json>>): void;
  error(message: string, data?: Readonly<Record<string, Json>>): void;
}

/** Numbers about a run; sums over all stages and items are in its result, whatever the outcome. Of several
 *  attempts of one the last counts. */
export interface ContextMetrics {
  /** Sets a metric of this stage. NaN and infinities are refused. */
  set(name: string, value: number): void;
  /** Adds to a metric of this stage, from 0. Default 1. */
  increment(name: string, by?: number): void;
}

/** Values shared by the stages of a run; durable with the checkpoint of the stage that set them. */
export interface ContextState {
  /** What was set last, or `fallback`. A stored copy in durable runs. */
  get<T>(key: string, fallback: T): T;
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

/** Where an artifact went. Storable, so it may be returned or put into an output. */
export interface ArtifactReference {
  readonly artifact: string;
  readonly name: string;
  readonly bytes: number;
}

/** Everything an attempt can ask and tell. Parts that nobody reads cost nothing. */
export interface Context {
  /** Aborted when the attempt should end; its `reason` is an AbortReason. */
  readonly signal: AbortSignal;
  readonly runId: string;
  readonly stage: string;
  /** In a map stage: which item this is. */
  readonly item: { readonly key: string; readonly index: number } | undefined;
  /** From 1. */
  readonly attempt: number;
  /** Stable over attempts, crashes and resumes of this stage or item; new in a rerun. 32 hex digits. */
  readonly idempotencyKey: string;
  /** Of a run that a schedule started: the instant of its tick, however late it began. Undefined in other runs, as are
   *  the two below. */
  readonly scheduledFor: Date | undefined;
  /** The tick before: the run stands for the time from then to `intervalEnd`. */
  readonly intervalStart: Date | undefined;
  /** The same instant as `scheduledFor`. */
  readonly intervalEnd: Date | undefined;
  /** UTC ms of the run's clock. */
  now(): number;
  readonly log: ContextLog;
  /** How far this attempt is; shown live. `done` and `total` in any unit. */
  progress(done: number, total?: number, note?: string): void;
  /** A partial result, as an event. `data` must be storable. */
  emit(name: string, data?: Readonly<Record<string, Json>>): void;
  readonly metric: ContextMetrics;
  readonly state: ContextState;
  /** Runs `make` once per run, stage, item and name: later attempts and resumes get the stored value. */
  memo<T>(name: string, make: () => T | Promise<T>): Promise<T>;
  /** Stores bytes or text beside the run and answers a reference to them. */
  artifact(name: string, data: Uint8Array | string): Promise<ArtifactReference>;
  /** Folder of the run, made on first read; files in it outlive crashes and resumes. */
  readonly dir: string;
  /**
   * Holds a resource around a block: `ctx.use(host.for(url), () => get(url))`; a list is held all together or not at
   * all. While it waits the attempt keeps no slot; its `timeout` goes on. USE_NESTED inside another permit; BREAKER_OPEN, QUOTA_EXCEEDED; not in threads.
   */
  use<T>(uses: ResourceUse | string | UseList, block: () => T | Promise<T>): Promise<T>;
  /** Waits, and ends early when `signal` is aborted. */
  sleep(duration: Duration): Promise<void>;
}
