// A run that this process works on, while it works: to watch, ask, stop and await. Made by start, resume and
// rerun of the facade.

import type { PipelineDefinition } from "../model/definition.ts";
import type { MillraceEvent } from "../model/event.ts";
import type { RunResult } from "./run-result.ts";
import type { Explanation } from "./explain.ts";

/** A run in the hands of this process. */
export interface RunHandle<Outputs = Record<string, unknown>> {
  readonly id: string;
  /** Short name: the run's number in Crockford base32. */
  readonly name: string;
  readonly number: number;
  readonly definition: PipelineDefinition;
  /** False: the key was known; this is the run that exists, ended, and nothing was started. */
  readonly created: boolean;
  /** Of a resumed run: what was kept and what is done again, with reasons. */
  readonly resumed?: {
    readonly keptStages: number;
    readonly keptItems: number;
    readonly redo: readonly { readonly stage: string; readonly reason: string }[];
  };
  /** Settles when the run has ended or was interrupted, after the last commit. Never rejects for a failing
   *  stage; rejects with a MillraceError when the store fails or the lease is lost. */
  result(): Promise<RunResult<Outputs>>;
  /** Every event from now on, stored and ephemeral, as it happens. A listener that throws harms nobody. */
  onEvent(listener: (event: MillraceEvent) => void): () => void;
  /** The same as an iterator with a bounded queue; ends with the run. */
  events(): AsyncIterable<MillraceEvent>;
  /** Ends the run `cancelled`: aborts what is running, waits for its grace, commits. */
  cancel(reason?: string): Promise<void>;
  /** Parks the run `waiting` (`interrupted`): nothing new starts, running work gets `drainMs`, then is aborted.
   *  A second call with 0 aborts at once. Resolves when the run is parked. */
  interrupt(drainMs?: number): Promise<void>;
  why(stage?: string, item?: string): Promise<Explanation>;
}
