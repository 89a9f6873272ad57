// From a run that is claimed and committed to one that is worked on here: what was kept is brought back, the
// facts that were committed with the claim are told, then it starts. Start, resume and rerun end here.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { EventDraft, MillraceEvent } from "../../model/event.ts";
import type { RunRecord } from "../../model/run.ts";
import { restoreRun, type Kept, type Restored } from "../../engine/restore/restore.ts";
import type { Isolator } from "../../engine/executors/isolated/isolated-run.ts";
import type { EncodedValue } from "../../std/value.ts";
import type { Write } from "../../storage/write.ts";
import type { EventNumbers, WriteResult } from "../../storage/write-result.ts";
import type { Tracing } from "../listeners/trace-port.ts";
import { findTracing } from "../listeners/tracing.ts";
import { LiveRun } from "../live-run.ts";
import type { MillContext } from "../mill-context.ts";

/** A claim that was committed. */
export interface Claimed {
  readonly run: RunRecord;
  readonly numbers: EventNumbers;
  /** What was told with it. */
  readonly events: readonly EventDraft[];
  /** Monotonic ms before the claim was sent: its lease cannot have begun earlier. */
  readonly sentMs: number;
}

/** What a run begins with. */
export interface Beginning {
  readonly claimed: Claimed;
  readonly definition: PipelineDefinition;
  readonly inputText: EncodedValue;
  readonly provide: Readonly<Record<string, unknown>>;
  /** Active time of the epochs before, ms. Default 0. */
  readonly beforeMs?: number;
  /** What is brought back, and what is said of it where that is not what restoring finds. */
  readonly kept?: Kept & {
    readonly redo?: Restored["redo"];
    /** True: failures stand too. Default false. */
    readonly everyEnding?: boolean;
    /** Checkpoints that were found damaged: as many warnings. Default 0. */
    readonly damaged?: number;
  };
  /** Of a run that lost its process before. */
  readonly isolator?: Isolator | undefined;
  readonly onEvent?: ((event: MillraceEvent) => void) | undefined;
}

/** Works on a claimed run from here on. */
export function beginRun(mill: MillContext, beginning: Beginning): LiveRun {
  const { claimed, definition, inputText, provide, kept, onEvent, beforeMs = 0 } = beginning;
  const { run: record, sentMs } = claimed;
  const live = new LiveRun({
    mill,
    definition,
    record,
    inputText,
    isolator: beginning.isolator,
    provide,
    beforeMs,
    sentMs,
    firstEvents: claimed,
  });
  if (kept !== undefined) {
    live.core.damagedCheckpoints = kept.damaged ?? 0;
    const restored = restoreRun(live.core, kept, { everyEnding: kept.everyEnding === true });
    live.noteRestored(kept.redo === undefined ? restored : { ...restored, redo: kept.redo });
  }
  if (onEvent !== undefined) live.onEvent(onEvent);
  const tracing = findTracing();
  const close = tracing === null ? null : follow(tracing, { live, record, mill });
  live.start();
  if (close !== null) void live.result().then(close, close);
  return live;
}

function follow(
  tracing: Tracing,
  { live, record, mill }: Readonly<{ live: LiveRun; record: RunRecord; mill: MillContext }>,
): () => void {
  const { core, name } = live;
  const workerName = mill.self.name;
  return tracing.follow({ core, record, name, workerName, onEvent: (told) => live.onEvent(told) });
}

/** Of a mill that takes nothing on any more. */
export function storeClosed(mill: MillContext): MillraceError {
  return new MillraceError("STORE_CLOSED", `The store "${mill.store.url}" is being closed.`);
}

/** Lets `work` claim a run and begin it, while the mill is open: closing waits for it. STORE_CLOSED after that. */
export async function whileOpen<T>(mill: MillContext, work: () => Promise<T>): Promise<T> {
  if (mill.closing) throw storeClosed(mill);
  const ended = Promise.withResolvers<void>();
  mill.starting.add(ended.promise);
  try {
    return await work();
  } finally {
    mill.starting.delete(ended.promise);
    ended.resolve();
  }
}

/** A write that makes or takes a run for this process. */
type ClaimWrite = Extract<Write, { readonly kind: "create-run" | "claim-run" }>;

/**
 * Sends a claim and hands over what it gave, and the claim itself unless it was refused. Until `begin` has
 * settled nobody here takes the run for one that was let go.
 */
export async function claimRun<T>(
  mill: MillContext,
  write: ClaimWrite,
  begin: (result: WriteResult, claimed: Claimed | null) => T | Promise<T>,
): Promise<T> {
  const id = write.kind === "create-run" ? write.run.id : write.runId;
  mill.claiming.add(id);
  try {
    const sentMs = mill.world.clock.monotonicMs();
    const result = await mill.committer.write(write);
    if (result.kind !== "done" || result.run === undefined) return await begin(result, null);
    const { run, numbers } = result;
    return await begin(result, { run, numbers, events: write.events, sentMs });
  } finally {
    mill.claiming.delete(id);
  }
}
