// From a run that was claimed from its queue to one that is worked on: its input goes through the schema, what an
// earlier epoch left is brought back, and every ending of it stands, because nobody asked to try again.

import type { Isolator } from "../../engine/executors/isolated/isolated-run.ts";
import type { RunCheckpoints } from "../../model/checkpoint.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { isMillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { REASON_CHARS_MAX } from "../../model/limits.ts";
import type { Failure } from "../../model/outcome.ts";
import type { RunRecord } from "../../model/run.ts";
import { fingerprintOf } from "../../policy/failure.ts";
import { decideIsolation, isPoison } from "../../policy/crashes.ts";
import { decideReset } from "../../policy/reuse.ts";
import type { NextRun } from "../../storage/write-result.ts";
import { beginRun, type Beginning } from "../commands/begin-run.ts";
import { checkCheckpoints } from "../commands/check-checkpoints.ts";
import { readInputText, toInputVersion } from "../commands/input-text.ts";
import type { LiveRun } from "../live-run.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import { resetClaimed } from "./reset-claimed.ts";

/** A run that was claimed, and when its claim was sent (monotonic ms). */
export interface ClaimedNext {
  readonly next: NextRun;
  readonly sentMs: number;
  /** Aborted: what has not begun is given back. */
  readonly stopping: AbortSignal;
  readonly onEvent?: ((event: MillraceEvent) => void) | undefined;
}

/** What became of a claimed run. `failed`: it ended at once, because its input does not fit. `returned`: it is not
 *  ours any more, and nothing of it was begun. */
export type Begun = LiveRun | "failed" | "returned";

/** Works on a claimed run. */
export function beginClaimed(mill: MillContext, claimed: ClaimedNext): LiveRun | Promise<Begun> {
  const { run } = claimed.next;
  const definition = getDefinition(mill, run.pipeline);
  // Nothing can have been left of a first claim, and without a schema the input is what it was.
  const isFirst = run.epoch === 1 && run.parent === null;
  // Without a schema then and now, its version was made of these very characters when it was enqueued.
  const isPlain = definition.input === null && claimed.next.formerHash === definition.hash;
  if (isFirst && isPlain && toInputVersion(run.input) !== run.inputVersion)
    return failAtOnce(mill, run, damagedInput());
  if (isFirst && definition.input === null) {
    return beginRun(mill, { ...toBeginning(mill, claimed), definition, inputText: run.input });
  }
  return restore(mill, claimed, definition);
}

/** Puts a claimed run that was not begun back into its queue, its attempt with it. */
export async function returnClaimed(mill: MillContext, { run }: NextRun): Promise<void> {
  await mill.committer.write({
    kind: "move-run",
    runId: run.id,
    epoch: run.epoch,
    to: "queued",
    reason: null,
    end: {
      durationMs: run.durationMs ?? 0,
      warnings: 0,
      failure: null,
      metrics: {},
    },
    events: [{ type: "run.returned", data: { reason: "its worker stops" } }],
  });
}

function toBeginning(
  mill: MillContext,
  { next, sentMs, onEvent }: ClaimedNext,
): Pick<Parameters<typeof beginRun>[1], "claimed" | "provide" | "beforeMs" | "onEvent"> {
  const { run, numbers, events } = next;
  return {
    claimed: { run, numbers, events, sentMs },
    provide: mill.provide,
    beforeMs: run.durationMs ?? 0,
    onEvent,
  };
}

async function restore(
  mill: MillContext,
  claimed: ClaimedNext,
  definition: PipelineDefinition,
): Promise<Begun> {
  const { next, stopping } = claimed;
  const { run } = next;
  // A schema may take as long as it likes, and even then a stop has an end.
  const input = await untilAborted(stopping, readInput(definition, run));
  if (input === null) {
    await returnClaimed(mill, next);
    return "returned";
  }
  if ("failure" in input) return await failAtOnce(mill, run, input.failure);
  const { inputText, stale } = input;
  const found = await mill.store.loadCheckpoints(run.id);
  const isolator = await loadIsolator(run, found);
  const beginning = { ...toBeginning(mill, claimed), definition, inputText, isolator };
  if (found.stages.length === 0 && found.items.size === 0)
    return beginUnlessStopped(mill, claimed, beginning);
  const sound = await checkCheckpoints(mill, { run, definition, checkpoints: found }, (damaged) =>
    decideReset(definition, found.stages, { verb: "continue", stale, damaged }),
  );
  const checkpoints = await resetClaimed(mill, run, { ...sound, definition });
  const kept = { ...sound, checkpoints, everyEnding: true };
  return beginUnlessStopped(mill, claimed, { ...beginning, kept });
}

/** Undefined for a run that has not crashed. */
async function loadIsolator(run: RunRecord, found: RunCheckpoints): Promise<Isolator | undefined> {
  const plan = decideIsolation(run, found);
  const records = found.crashes;
  const isHarmless = plan === null && !records.some(isPoison);
  if (isHarmless) return undefined;
  const { makeIsolator } = await import("../../engine/executors/isolated/isolated-run.ts");
  return makeIsolator({ plan, records, lostClaims: run.attempts });
}

async function beginUnlessStopped(
  mill: MillContext,
  { next, stopping }: ClaimedNext,
  beginning: Beginning,
): Promise<Begun> {
  if (!stopping.aborted) return beginRun(mill, beginning);
  await returnClaimed(mill, next);
  return "returned";
}

/** What `work` gives; null when the signal is aborted first. */
async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T | null> {
  const aborted = Promise.withResolvers<null>();
  const stop = (): void => aborted.resolve(null);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return signal.aborted ? null : await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => undefined);
  }
}

type ReadInput = Awaited<ReturnType<typeof readInputText>> | { readonly failure: Failure };

/** The input after its schema, or why it does not fit. Nothing but the input and the schema can be at fault. */
async function readInput(definition: PipelineDefinition, run: RunRecord): Promise<ReadInput> {
  try {
    return await readInputText(definition, run);
  } catch (error) {
    const code = isMillraceError(error) ? error.code : undefined;
    const reason = error instanceof Error ? error.message : String(error);
    const message = code === undefined ? `The schema of the input threw: ${reason}` : reason;
    const failure: Failure = {
      class: "permanent",
      ...(code === undefined ? {} : { code }),
      message,
      attempts: 0,
      fingerprint: fingerprintOf("permanent", code, message),
    };
    return { failure };
  }
}

function damagedInput(): Failure {
  const message = "The stored input is not the one that was enqueued: the file was damaged.";
  return {
    class: "permanent",
    code: "VALUE_DAMAGED",
    message,
    attempts: 0,
    fingerprint: fingerprintOf("permanent", "VALUE_DAMAGED", message),
  };
}

/** Ends a run whose input does not fit; no stage of it starts. */
async function failAtOnce(mill: MillContext, run: RunRecord, failure: Failure): Promise<Begun> {
  const durationMs = run.durationMs ?? 0;
  const { message, fingerprint } = failure;
  const result = await mill.committer.write({
    kind: "move-run",
    runId: run.id,
    epoch: run.epoch,
    to: "failed",
    reason: failure.code ?? message.slice(0, REASON_CHARS_MAX),
    end: { durationMs, warnings: 0, failure, metrics: {} },
    events: [
      {
        type: "run.failed",
        data: { durationMs, warnings: 0, class: failure.class, message, fingerprint },
      },
    ],
  });
  return result.kind === "done" ? "failed" : "returned";
}
