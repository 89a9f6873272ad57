// Puts runs into the queue, for whoever works: many at a time, each once per key. Everything is checked and encoded
// before the first of them is written; whether an input fits its schema is found by whoever claims its run.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { EventDraft } from "../../model/event.ts";
import {
  BATCH_RUNS_MAX,
  COMMIT_WRITES_MAX,
  DURATION_MS_MAX,
  PRIORITY_MAX,
} from "../../model/limits.ts";
import type { RunRecord, RunSettings } from "../../model/run.ts";
import type { Schema } from "../../model/schema.ts";
import { encodeOrThrow } from "../../engine/run-core.ts";
import { parseDuration, type Duration } from "../../std/duration.ts";
import { encodeValue, type EncodedValue } from "../../std/value.ts";
import type { CreateRunWrite, Write } from "../../storage/write.ts";
import type { WriteResult } from "../../storage/write-result.ts";
import { passGate } from "../health/pass-gate.ts";
import { findTracing } from "../listeners/tracing.ts";
import type { MillContext } from "../mill-context.ts";
import { refuseThreadsWithoutModule, toSettings, type RunChoices } from "../prepare-run.ts";
import { whileOpen } from "./begin-run.ts";
import { checkLabels } from "./check-labels.ts";
import { toInputVersion } from "./input-text.ts";
import { queueFull } from "../queue-import/queue-full.ts";

/** A run to be queued. */
export interface EnqueueEntry<In = unknown> {
  /** The caller's own name for this work, once per pipeline: a second one is a duplicate. Default: none. */
  readonly key?: string;
  /** Must be storable. Whether it fits the pipeline's schema is found when the run is claimed. */
  readonly input: In;
  /** Higher is claimed first; one unit is worth a minute of waiting. -1,000 to 1,000. Default 0. */
  readonly priority?: number;
  /** Not claimed before this has passed. At most 366 days. Default 0. */
  readonly delay?: Duration;
  /** Default: those of the options. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** What holds for all entries of one call. */
export interface EnqueueOptions extends Pick<
  RunChoices,
  "skip" | "until" | "concurrency" | "failFast" | "noRetry" | "deadline"
> {
  /** Makes a batch of this id, or adds to it; `source` says for people where the runs come from. */
  readonly batch?: { readonly id: string; readonly source: string };
  readonly tags?: Readonly<Record<string, string>>;
  /** True: queues although the health of the pipeline (`gate: "health"`) is degraded or unstable, which is kept with the
   *  runs. Default false: HEALTH_REFUSED. */
  readonly override?: boolean;
  /** Where they were enqueued, for people. At most 512 characters. Default "library". */
  readonly source?: string;
}

/** One entry's run. */
export interface EnqueuedRun {
  /** As it was when it was made, or as it is when its key was known. */
  readonly run: RunRecord;
  /** False: the key was known, and this is the run that has it. */
  readonly created: boolean;
}

/** What became of the entries. */
export interface EnqueueOutcome {
  readonly created: number;
  readonly duplicates: number;
  /** Id of the batch, if one was asked for. */
  readonly batch?: string;
  /** In the order of the entries. */
  readonly runs: readonly EnqueuedRun[];
}

/** What to enqueue. */
export interface EnqueueRequest {
  readonly definition: PipelineDefinition;
  /** At most 1,000,000. */
  readonly entries: readonly EnqueueEntry[];
  readonly options: EnqueueOptions;
}

/**
 * Queues a run per entry; resolves when all are committed. An entry that cannot be queued is OPTION_INVALID or
 * VALUE_NOT_STORABLE, names its place, and nothing is written. QUEUE_FULL where the pipeline's `maxQueued` is
 * reached: what was queued before that stays. May be repeated where every entry has a key.
 */
export async function enqueueRuns(
  mill: MillContext,
  request: EnqueueRequest,
): Promise<EnqueueOutcome> {
  const { refused, leading: _, ...outcome } = await enqueueUntilFull(mill, request);
  if (refused === 0) return outcome;
  const { created, duplicates } = outcome;
  throw queueFull(request.definition, { created, duplicates, refused });
}

/** What became of entries where the queue may be full. */
export interface UntilFull extends EnqueueOutcome {
  /** Entries that found the queue full. */
  readonly refused: number;
  /** Entries before the first that did: so many of `runs` are theirs. */
  readonly leading: number;
}

/** The same, but says where the queue was full instead of QUEUE_FULL. */
export async function enqueueUntilFull(
  mill: MillContext,
  request: EnqueueRequest,
): Promise<UntilFull> {
  const span = findTracing()?.beginEnqueue(request.definition.name, request.entries.length);
  try {
    const enqueued = await enqueueWithin(mill, request, span?.settings);
    span?.end();
    return enqueued;
  } catch (error) {
    span?.end(error);
    throw error;
  }
}

async function enqueueWithin(
  mill: MillContext,
  request: EnqueueRequest,
  traced: Pick<RunSettings, "traceparent"> = {},
): Promise<UntilFull> {
  const { definition, entries, options } = request;
  refuseThreadsWithoutModule(definition);
  checkEntries(request);
  return await whileOpen(mill, async () => {
    const { override = false, source = "library" } = options;
    const keys = entries.map(({ key }) => key);
    const overridden = await passGate(mill, definition, { override, source, keys });
    const plain = toShared(definition, options, overridden);
    const shared = { ...plain, settings: { ...plain.settings, ...traced } };
    const writes: Write[] = toBatchWrite(definition, options);
    for (let from = 0; from < entries.length; from += COMMIT_WRITES_MAX) {
      // A turn for whatever else lives in this process, such as leases to be renewed.
      if (from > 0) await new Promise<void>((resolve) => mill.world.clock.defer(resolve));
      const until = Math.min(entries.length, from + COMMIT_WRITES_MAX);
      for (let place = from; place < until; place++) {
        const entry = entries[place];
        const input = encodeOrThrow(entry?.input, `The input of entries[${place}]`);
        const seen = foreseeInput(definition, entry?.input, input);
        // Most schemas answer at once: a promise for each would cost more than the rest.
        const text = seen instanceof Promise ? await seen : seen;
        writes.push(toWrite(mill, shared, { entry, input, inputVersion: toInputVersion(text) }));
      }
    }
    const { runs, leading } = await commit(mill, definition.name, writes);
    const created = runs.reduce((count, run) => count + (run.created ? 1 : 0), 0);
    const { batch } = options;
    const refused = entries.length - runs.length;
    const counts = { created, duplicates: runs.length - created, runs, refused, leading };
    return batch === undefined ? counts : { ...counts, batch: batch.id };
  });
}

/** The runs of the entries, but of those that found the queue full: what comes after the first such chunk is left. */
async function commit(
  mill: MillContext,
  pipeline: string,
  writes: readonly Write[],
): Promise<Pick<UntilFull, "runs" | "leading">> {
  const runs: EnqueuedRun[] = [];
  let leading: number | undefined;
  for (let from = 0; from < writes.length; from += COMMIT_WRITES_MAX) {
    // Given in one turn, they are one transaction.
    const chunk = writes.slice(from, from + COMMIT_WRITES_MAX);
    const results = await Promise.all(chunk.map((write) => mill.committer.write(write)));
    let isNew = false;
    for (const result of results) {
      if (result.kind === "full") leading ??= runs.length;
      const run = toEnqueued(result);
      if (run === undefined) continue;
      runs.push(run);
      isNew ||= run.created;
    }
    if (isNew) mill.wake.emit(pipeline);
    if (leading !== undefined) break;
  }
  return { runs, leading: leading ?? runs.length };
}

function toEnqueued(result: WriteResult): EnqueuedRun | undefined {
  if (result.kind === "kept-batch" || result.kind === "full") return undefined;
  if (result.kind === "key-taken") return { run: result.run, created: false };
  if (result.kind === "done" && result.run !== undefined) return { run: result.run, created: true };
  throw new MillraceError("STORE_FAILED", `The store did not make the run: ${result.kind}.`);
}

/** What all runs of one call have in common. */
interface Shared {
  readonly definition: PipelineDefinition;
  readonly options: EnqueueOptions;
  readonly settings: RunSettings;
  readonly events: readonly EventDraft[];
}

function toShared(
  definition: PipelineDefinition,
  options: EnqueueOptions,
  overridden: string | null,
): Shared {
  const data = {
    pipeline: definition.name,
    stages: definition.stages.length,
    definition: definition.hash,
    ...(overridden === null ? {} : { override: overridden }),
  };
  const chosen = toSettings(definition, options);
  const settings = overridden === null ? chosen : { ...chosen, override: overridden };
  return { definition, options, settings, events: [{ type: "run.created", data }] };
}

function toBatchWrite({ name }: PipelineDefinition, { batch }: EnqueueOptions): Write[] {
  if (batch === undefined) return [];
  const { id, source } = batch;
  return [{ kind: "create-batch", batch: { id, pipeline: name, source } }];
}

/** One run that is queued together with something else. */
export interface QueuedParts {
  readonly entry: EnqueueEntry;
  readonly options: Omit<EnqueueOptions, "override">;
  /** How its pipeline is doing where the gate was overridden. Default null: there was nothing to override. */
  readonly overridden?: string | null;
}

/**
 * The write that queues one run, for who makes it together with something else. OPTION_INVALID, VALUE_NOT_STORABLE,
 * STAGE_UNKNOWN, DEFINITION_INVALID.
 */
export async function prepareQueued(
  mill: MillContext,
  definition: PipelineDefinition,
  { entry, options, overridden = null }: QueuedParts,
): Promise<CreateRunWrite> {
  refuseThreadsWithoutModule(definition);
  checkEntries({ definition, entries: [entry], options });
  const input = encodeOrThrow(entry.input, "The input");
  const inputVersion = toInputVersion(await foreseeInput(definition, entry.input, input));
  return toWrite(mill, toShared(definition, options, overridden), { entry, input, inputVersion });
}

function toWrite(
  mill: MillContext,
  { definition, options, settings, events }: Shared,
  { entry, input, inputVersion }: Entered,
): CreateRunWrite {
  return {
    kind: "create-run",
    run: {
      id: mill.nextId(),
      pipeline: definition.name,
      definitionHash: definition.hash,
      key: entry?.key ?? null,
      input,
      inputVersion,
      foreground: false,
      parent: null,
      source: options.source ?? "library",
      tags: entry?.tags ?? options.tags ?? {},
      settings,
      priority: entry?.priority ?? 0,
      delayMs: toDelayMs(entry?.delay),
      batch: options.batch?.id ?? null,
    },
    definitionJson: definition.json,
    claim: null,
    maxQueued: definition.maxQueued,
    events,
  };
}

interface Entered {
  readonly entry: EnqueueEntry | undefined;
  readonly input: EncodedValue;
  readonly inputVersion: string;
}

/**
 * The input as stages will read it, for its version: else every resume would take defaults of the schema for a
 * change. What does not fit stands for itself; whoever claims its run says why it fails.
 */
function foreseeInput(
  { input: schema }: PipelineDefinition,
  value: unknown,
  given: EncodedValue,
): EncodedValue | Promise<EncodedValue> {
  if (schema === null) return given;
  const toText = (checked: Checked): EncodedValue => {
    const text = checked.issues === undefined ? encodeValue(checked.value) : undefined;
    return text?.ok === true ? text.value : given;
  };
  try {
    const checked = schema["~standard"].validate(value);
    return checked instanceof Promise ? checked.then(toText, () => given) : toText(checked);
  } catch {
    return given;
  }
}

type Checked = Awaited<ReturnType<Schema["~standard"]["validate"]>>;

function checkEntries({ entries, options }: EnqueueRequest): void {
  checkLabels(options);
  if (entries.length > BATCH_RUNS_MAX) {
    throw new MillraceError(
      "OPTION_INVALID",
      `entries: expected at most ${BATCH_RUNS_MAX}; got ${entries.length}.`,
      { hint: "enqueue them in several calls" },
    );
  }
  const { batch } = options;
  if (batch !== undefined) checkLabels({ key: batch.id, source: batch.source }, "batch.");
  for (const [place, entry] of entries.entries()) checkEntry(entry, `entries[${place}].`);
}

/** OPTION_INVALID for an entry that cannot be queued; `where` stands before the name of what is wrong. */
export function checkEntry(entry: EnqueueEntry, where: string): void {
  const { key, tags, priority, delay } = entry;
  if (key !== undefined || tags !== undefined) checkLabels(entry, where);
  if (priority !== undefined && !isPriority(priority)) {
    throw invalid(
      where,
      `priority: expected a whole number from -${PRIORITY_MAX} to ${PRIORITY_MAX}; got ${String(priority)}`,
    );
  }
  if (delay === undefined) return;
  const parsed = parseDuration(delay);
  if (!parsed.ok) throw invalid(where, `delay: ${parsed.error}`);
  if (parsed.value > DURATION_MS_MAX)
    throw invalid(where, `delay: expected at most 366 days; got ${JSON.stringify(delay)}`);
}

function isPriority(priority: number): boolean {
  return Number.isInteger(priority) && Math.abs(priority) <= PRIORITY_MAX;
}

function invalid(where: string, message: string): MillraceError {
  return new MillraceError("OPTION_INVALID", `${where}${message}.`, {
    hint: "nothing was enqueued",
  });
}

function toDelayMs(delay: Duration | undefined): number {
  if (delay === undefined) return 0;
  const parsed = parseDuration(delay);
  return parsed.ok ? parsed.value : 0;
}
