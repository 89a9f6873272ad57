// A process that works on runs, as it describes itself: what it is, how much it may do at once, what it is doing now.
// Said with its beats, so that any other process can show it.

/** One attempt that is running in a process. */
export interface WorkEntry {
  /** Name of its run. */
  readonly run: string;
  readonly stage: string;
  /** Key of its item; absent: the stage itself. */
  readonly item?: string;
  /** Its place in the list. */
  readonly index?: number;
  /** From 1 on. */
  readonly attempt: number;
  /** UTC ms; null: its code was not called yet. */
  readonly startedAtMs: number | null;
  /** What it said last of how far it is. Absent: nothing. */
  readonly progress?: WorkProgress;
}

/** How far an attempt is, in units of its own. */
export interface WorkProgress {
  readonly done: number;
  readonly total?: number;
  /** At most ERROR_HISTORY_CHARS_MAX characters. */
  readonly note?: string;
}

/** A pipeline that a process knows. */
export interface KnownPipeline {
  readonly name: string;
  /** Hash of its definition. */
  readonly hash: string;
}

/** What a process says of itself. */
export interface WorkerFacts {
  /** Given to it, or made of its host and pid. */
  readonly name: string;
  /** `worker`: it works queues. `process`: it works on runs that it started itself. */
  readonly kind: "worker" | "process";
  readonly version: string;
  /** UTC ms. */
  readonly startedAtMs: number;
  /** What it works, at most WORKER_PIPELINES_MAX. */
  readonly pipelines: readonly KnownPipeline[];
  /** Runs at once; 0: it works no queue. */
  readonly slots: number;
  readonly slotsUsed: number;
  /** It claims nothing any more, and ends what it has. */
  readonly draining: boolean;
  /** Why it claims nothing for now although it could; absent: it claims. */
  readonly heldBy?: string;
  readonly memory: MemoryFigures;
  /** Wall time less the store's time, ms. */
  readonly clockSkewMs: number;
  /** At most RUNNING_NAMES_MAX. */
  readonly work: readonly WorkEntry[];
}

/** Memory of a process, bytes. */
export interface MemoryFigures {
  readonly usedBytes: number;
  /** What it may use at most; null: nobody knows. */
  readonly limitBytes: number | null;
}
