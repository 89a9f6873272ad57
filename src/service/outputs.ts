// From a driven run to the result its starter gets. Parts that nobody reads are not made.

import { MillraceError } from "../model/errors.ts";
import { stageUnknown } from "../model/compile/compile.ts";
import type { StageValue } from "../model/stage/need.ts";
import type { CoreError, RunCore } from "../engine/run-core.ts";
import type { RunEnd } from "../engine/ledger/journal.ts";
import { readValue } from "../engine/needs.ts";
import { durationOf } from "../engine/ledger/records.ts";
import type { StageRun } from "../engine/stage-run.ts";
import type { RunError, RunResult, StageResult } from "./run-result.ts";

/** What the result says besides what the engine knows. */
export interface ResultIdentity {
  readonly name: string;
  readonly end: RunEnd;
  /** UTC ms. Default: when the driving began, and that plus its duration. */
  readonly startedAtMs?: number | null;
  readonly endedAtMs?: number | null;
}

/** The result of a driven run. */
export class DrivenResult implements RunResult<Record<string, unknown>> {
  readonly id: string;
  readonly name: string;
  readonly pipeline: string;
  readonly state: RunResult["state"];
  readonly reason?: string;
  readonly warnings: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly durationMs: number;
  readonly #core: RunCore;
  #stages: Readonly<Record<string, StageResult>> | null = null;
  #outputs: Readonly<Record<string, unknown>> | null = null;
  #errors: readonly RunError[] | null = null;

  constructor(core: RunCore, identity: ResultIdentity) {
    const { end } = identity;
    this.#core = core;
    this.id = core.runId;
    this.name = identity.name;
    this.pipeline = core.definition.name;
    // A driven run ends in one of these words; queued and running are left behind.
    this.state = end.to as RunResult["state"];
    if (end.reason !== null) this.reason = end.reason;
    this.warnings = end.warnings;
    this.metrics = end.metrics;
    this.startedAtMs = identity.startedAtMs ?? core.startedAtMs;
    this.endedAtMs = identity.endedAtMs ?? core.wallOf(core.startedMs + end.durationMs);
    this.durationMs = end.durationMs;
  }

  get outputs(): Readonly<Record<string, unknown>> {
    this.#outputs ??= Object.fromEntries(
      this.#core.definition.outputs.map(({ name, stage }) => [
        name,
        readValue(this.#core.stageAt(stage)),
      ]),
    );
    return this.#outputs;
  }

  get stages(): Readonly<Record<string, StageResult>> {
    this.#stages ??= Object.fromEntries(
      this.#core.stages.map((stageRun) => [
        stageRun.definition.name,
        toStageResult(this.#core, stageRun),
      ]),
    );
    return this.#stages;
  }

  get errors(): readonly RunError[] {
    this.#errors ??= this.#core.errors.map(toRunError);
    return this.#errors;
  }

  get failedStages(): readonly string[] {
    return this.#core.stages
      .filter((stageRun) => stageRun.state === "failed")
      .map((stageRun) => stageRun.definition.name);
  }

  output<T>(stage: StageValue<T> | string): T | undefined {
    const name = typeof stage === "string" ? stage : stage.name;
    const position = this.#core.definition.positions.get(name);
    if (position === undefined) throw stageUnknown(this.#core.definition, name);
    // The stage value carries the type of what the stage gave.
    return readValue(this.#core.stageAt(position)) as T | undefined;
  }

  unwrap(): Record<string, unknown> {
    const { firstFailure } = this.#core;
    const first =
      this.errors.find((error) => error.critical) ??
      (firstFailure === null ? undefined : toRunError(firstFailure));
    if (this.state !== "succeeded" && first !== undefined) throw stageFailed(first);
    for (const { name, stage } of this.#core.definition.outputs) {
      const stageRun = this.#core.stageAt(stage);
      if (stageRun.state !== "succeeded") throw outputMissing(name, stageRun);
    }
    if (this.state === "failed" || this.state === "cancelled") throw runEnded(this);
    return { ...this.outputs };
  }

  /** What `JSON.stringify` writes: all that is known, not only what was read before. */
  toJSON(): object {
    const { outputs, stages, errors, failedStages } = this;
    return Object.assign({}, this, { outputs, stages, errors, failedStages });
  }
}

function toRunError({ stageRun, failure, index }: CoreError): RunError {
  const { name, critical } = stageRun.definition;
  return {
    stage: name,
    ...(index === null ? {} : { item: { key: stageRun.map?.keyOf(index) ?? "", index } }),
    error: failure,
    critical: critical && (index === null || stageRun.state === "failed"),
  };
}

function stageFailed(found: RunError): MillraceError {
  const item = found.item === undefined ? "" : ` (item "${found.item.key}")`;
  const attempts = found.error.attempts === 1 ? "1 attempt" : `${found.error.attempts} attempts`;
  return new MillraceError(
    "STAGE_FAILED",
    `Stage "${found.stage}"${item} failed after ${attempts}: ${found.error.message}`,
    { details: { stage: found.stage, class: found.error.class, attempts: found.error.attempts } },
  );
}

function outputMissing(name: string, stageRun: StageRun): MillraceError {
  const why = stageRun.reason === null ? "" : ` (${stageRun.reason})`;
  return new MillraceError(
    "OUTPUT_MISSING",
    `Output "${name}" is missing: stage "${stageRun.definition.name}" ended ${stageRun.state}${why}.`,
    { hint: "read `result.outputs`, where a missing output is undefined" },
  );
}

/** A run may end badly although each output is there, or none was declared. */
function runEnded({ pipeline, state, reason }: DrivenResult): MillraceError {
  const why = reason === undefined ? "" : ` (${reason})`;
  return new MillraceError("OUTPUT_MISSING", `A run of "${pipeline}" ended ${state}${why}.`, {
    hint: "read `result.outputs`, which has what was finished before",
  });
}

function toStageResult(core: RunCore, stageRun: StageRun): StageResult {
  const { map } = stageRun;
  return {
    stage: stageRun.definition.name,
    state: stageRun.state,
    ...(stageRun.via === null ? {} : { via: stageRun.via }),
    attempts: stageRun.attempts,
    durationMs: durationOf(stageRun),
    waitedMs: stageRun.waitedMs ?? {},
    ...(stageRun.startedMs < 0 ? {} : { startedAtMs: core.wallOf(stageRun.startedMs) }),
    ...(stageRun.endedMs < 0 ? {} : { endedAtMs: core.wallOf(stageRun.endedMs) }),
    ...(stageRun.cpuMs === null ? {} : { cpuMs: stageRun.cpuMs }),
    ...(stageRun.peakBytes === null ? {} : { peakBytes: stageRun.peakBytes }),
    ...(stageRun.reason === null ? {} : { reason: stageRun.reason }),
    ...(stageRun.failure === null ? {} : { error: stageRun.failure }),
    ...(map === null ? {} : { items: { total: map.size, ...map.counts } }),
  };
}
