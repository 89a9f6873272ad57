// What this process says of itself with its beats: its name, what it works and how much at once, its memory.

import { RUNNING_NAMES_MAX, WORKER_PIPELINES_MAX } from "../../model/limits.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import type { Owner } from "../../model/lease.ts";
import type { MemoryFigures, WorkEntry, WorkerFacts } from "../../model/worker.ts";
import type { Clock } from "../../std/clock.ts";
import { readVersion } from "../../std/version.ts";
import type { Store } from "../../storage/store.ts";
import type { Standing } from "./standing.ts";

/** What it is made of. */
export interface WorkerSelfParts {
  readonly store: Pick<Store, "nowMs">;
  readonly clock: Pick<Clock, "wallMs">;
  readonly owner: Owner;
  readonly pipelines: ReadonlyMap<string, PipelineDefinition>;
  /** Default: made of its host and pid. */
  readonly workerName?: string;
  readonly readMemory: () => MemoryFigures;
  readonly standing: Pick<Standing, "heldBy">;
}

/** Who works the queues in this process, as far as others are shown it. */
export interface ShownWorker {
  readonly slots: number;
  readonly slotsUsed: number;
  readonly isDraining: boolean;
  readonly pipelineNames: readonly string[];
}

/** Describes this process. */
export class WorkerSelf {
  readonly name: string;
  /** Set while a worker works. */
  worker: ShownWorker | null = null;
  readonly #parts: WorkerSelfParts;
  readonly #startedAtMs: number;
  #version: string | undefined;

  constructor(parts: WorkerSelfParts) {
    const { owner, clock, workerName } = parts;
    this.#parts = parts;
    this.name = workerName ?? `${owner.host}-${owner.pid}`;
    this.#startedAtMs = clock.wallMs();
  }

  /** Version of the running copy, read when it is first said. */
  get version(): string {
    return (this.#version ??= readVersion());
  }

  /** As of now, with what runs. */
  describe(work: readonly WorkEntry[]): WorkerFacts {
    const { store, clock, readMemory, standing } = this.#parts;
    const reason = standing.heldBy;
    return {
      name: this.name,
      kind: this.worker === null ? "process" : "worker",
      version: this.version,
      startedAtMs: this.#startedAtMs,
      pipelines: this.#listPipelines(),
      slots: this.worker?.slots ?? 0,
      slotsUsed: this.worker?.slotsUsed ?? 0,
      draining: this.worker?.isDraining ?? false,
      ...(reason === undefined ? {} : { heldBy: reason }),
      memory: readMemory(),
      clockSkewMs: Math.round(clock.wallMs() - store.nowMs()),
      work: work.slice(0, RUNNING_NAMES_MAX),
    };
  }

  #listPipelines(): WorkerFacts["pipelines"] {
    const { pipelines } = this.#parts;
    const names = this.worker?.pipelineNames ?? [...pipelines.keys()];
    return names.slice(0, WORKER_PIPELINES_MAX).flatMap((name) => {
      const hash = pipelines.get(name)?.hash;
      return hash === undefined ? [] : [{ name, hash }];
    });
  }
}
