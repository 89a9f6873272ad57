// What the use cases of an open mill share: its store, committer, lease keeper, pipelines and world.

import type { GroupCommit } from "../storage/group-commit.ts";
import type { LeaseKeeper } from "../engine/lease-keeper.ts";
import type { DeclaredResources } from "../engine/limits/declared-resources.ts";
import type { EngineWorld } from "../engine/ports.ts";
import type { LazyThreads } from "../engine/threads.ts";
import type { ScheduleSettings } from "../model/schedule/parse-schedule.ts";
import type { PipelineDefinition } from "../model/definition.ts";
import { MillraceError } from "../model/errors.ts";
import type { LeaseTerms, Owner } from "../model/lease.ts";
import type { WorkEntry } from "../model/worker.ts";
import { assert } from "../std/error/assert.ts";
import type { Emitter } from "../std/emitter.ts";
import type { Machine } from "../std/machine.ts";
import { findNearest } from "../std/nearest.ts";
import type { Store } from "../storage/store.ts";
import type { EventWires } from "./feed/event-wires.ts";
import type { MillNotices } from "./listeners/notices/mill-notices.ts";
import type { PatientBlobs } from "./patient-blobs.ts";
import type { RunResult } from "./run-result.ts";
import type { Standing } from "./worker/standing.ts";
import type { WorkerSelf } from "./worker/worker-self.ts";

/** A run that this process works on, as far as other use cases need it. */
export interface LiveEntry {
  result(): Promise<RunResult>;
  cancel(reason: string): Promise<void>;
  interrupt(drainMs: number): Promise<void>;
  /** What of it runs now, at most so many. */
  listRunning(limit: number): readonly WorkEntry[];
  /** Gives it back at once, whatever still runs of it. */
  giveBack(): Promise<void>;
}

/** Who works the queues in this process, as far as closing needs it. */
export interface StoppableWorker {
  /** Claims nothing any more, gives what runs `drainMs`, and returns the rest to its queue. */
  stop(drainMs: number): Promise<void>;
}

/** An open mill from inside. */
export interface MillContext {
  readonly store: Store;
  readonly committer: GroupCommit;
  readonly keeper: LeaseKeeper;
  /** Its blobs are patient: a full disk pauses who puts one. */
  readonly world: EngineWorld & { readonly blobs: PatientBlobs; readonly threads: LazyThreads };
  readonly machine: Machine;
  readonly owner: Owner;
  readonly leaseMs: number;
  readonly leaseTerms: LeaseTerms;
  readonly provide: Readonly<Record<string, unknown>>;
  /** Longest time of a stage's probe, ms. Changes with the settings. */
  probeMs: number;
  /** By name. Those of our own change with the settings. */
  readonly pipelines: Map<string, PipelineDefinition>;
  /** What the pipelines declare, under the settings of who opened the mill. */
  readonly resources: DeclaredResources;
  /** As they are written; read by who asks for schedules. Another record when the settings change. */
  schedules: ScheduleSettings;
  /** Who is told what happens; made by who starts that. Others when the settings change. */
  notices: MillNotices;
  readonly nextId: () => string;
  /** Runs that this process works on, by id. */
  readonly live: Map<string, LiveEntry>;
  /** Runs whose claim is under way here: they are ours from its commit on, and live soon after. */
  readonly claiming: Set<string>;
  /** Claims of queues under way here: until they are answered nobody knows which runs are ours. */
  queueClaims: number;
  /** Those who work the queues here. */
  readonly workers: Set<StoppableWorker>;
  /** One promise per start, resume or rerun under way; resolves when its run is live or was refused. */
  readonly starting: Set<Promise<void>>;
  /** Told the name of a pipeline whose queue got runs here: a hint, which polling alone can do without. */
  readonly wake: Emitter<string>;
  /** Where who follows the events of this process may join. */
  readonly events: EventWires;
  /** Tells who opened the mill what is odd and was dealt with. */
  readonly warn: (message: string) => void;
  /** Told when a run has ended here, and when the mill closes: who waits for a place looks again. */
  readonly places: Emitter<void>;
  /** What holds for this process as a whole: clocks, outages of the store, why it claims nothing. */
  readonly standing: Standing;
  /** What it says of itself with its beats. */
  readonly self: WorkerSelf;
  /** True from the first `close` on: nothing is claimed any more. */
  closing: boolean;
}

/** By the facade that stands for it: use cases that no plain start needs find their way in without a method there. */
const contexts = new WeakMap<object, MillContext>();

/** Remembers what a facade stands for. Called once, by the facade itself. */
export function keepContext(mill: object, context: MillContext): void {
  contexts.set(mill, context);
}

/** What a facade (`Millrace`) stands for. */
export function contextOf(mill: object): MillContext {
  const context = contexts.get(mill);
  assert(context !== undefined, "Only an open mill has a context.");
  return context;
}

/** The definition of that name. PIPELINE_UNKNOWN with the nearest. */
export function getDefinition(mill: MillContext, name: string): PipelineDefinition {
  const found = mill.pipelines.get(name);
  if (found !== undefined) return found;
  const known = [...mill.pipelines.keys()];
  const near = findNearest(name, known);
  throw new MillraceError("PIPELINE_UNKNOWN", `This process knows no pipeline "${name}".`, {
    hint:
      near !== undefined
        ? `did you mean "${near}"?`
        : known.length === 0
          ? "pass it to openMillrace({ pipelines: [...] })"
          : `known: ${known.join(", ")}`,
    details: { given: name, known },
  });
}
