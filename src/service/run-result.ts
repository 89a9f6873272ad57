// What a run gives back, in memory and durably: its state, outputs, stages, errors and metrics. Never thrown;
// `unwrap` throws for those who want only the outputs.

import type { WaitedMs } from "../model/checkpoint.ts";
import type { Failure, StageState, Via } from "../model/outcome.ts";
import type { StageValue } from "../model/stage/need.ts";

/** How one stage of a run ended. */
export interface StageResult {
  readonly stage: string;
  readonly state: StageState;
  readonly via?: Via;
  readonly attempts: number;
  /** From the start of its first attempt to its end, without waits for other stages. */
  readonly durationMs: number;
  readonly waitedMs: WaitedMs;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  readonly cpuMs?: number;
  readonly peakBytes?: number;
  /** Of skipped and cancelled stages. */
  readonly reason?: string;
  readonly error?: Failure;
  /** Of map stages: items by state. */
  readonly items?: Readonly<Partial<Record<StageState, number>>> & { readonly total: number };
}

/** One failure of a stage or item. */
export interface RunError {
  readonly stage: string;
  readonly item?: { readonly key: string; readonly index: number };
  readonly error: Failure;
  /** False: only a warning. */
  readonly critical: boolean;
}

/** The result of a run. `Outputs` is the record of the pipeline's declared outputs. */
export interface RunResult<Outputs = Record<string, unknown>> {
  readonly id: string;
  /** Short name in its store; for runs in memory the id. */
  readonly name: string;
  readonly pipeline: string;
  /** `waiting` if the run was interrupted and can be resumed, `queued` if its worker returned it to its queue. */
  readonly state: "succeeded" | "failed" | "skipped" | "cancelled" | "waiting" | "queued";
  readonly reason?: string;
  /** Undefined where the stage gave none. */
  readonly outputs: { readonly [K in keyof Outputs]: Outputs[K] | undefined };
  readonly stages: Readonly<Record<string, StageResult>>;
  /** Of all stages and items, at most 1,000, in order of completion. */
  readonly errors: readonly RunError[];
  readonly failedStages: readonly string[];
  readonly warnings: number;
  /** Sums over all stages, whatever the outcome. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly durationMs: number;
  /** Output of any stage, also after a failure; undefined if it gave none. STAGE_UNKNOWN lists the names. */
  output<T>(stage: StageValue<T> | string): T | undefined;
  /** The outputs; throws the first failure (STAGE_FAILED) or OUTPUT_MISSING. */
  unwrap(): Outputs;
}
