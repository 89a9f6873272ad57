// What every part of a driven run shares: its stages, the world it lives in, its journal if it is durable, its
// listeners, and the values that pass between stages. Holds and answers; decides nothing.

import type { ItemRecord, StateEntry } from "../model/checkpoint.ts";
import type { PipelineDefinition, StageDefinition } from "../model/definition.ts";
import { MillraceError } from "../model/errors.ts";
import type { EventDraft } from "../model/event.ts";
import { MEMOS_MAX, RUN_ERRORS_MAX, STATE_KEYS_MAX } from "../model/limits.ts";
import type { Failure } from "../model/outcome.ts";
import type { RunSettings } from "../model/run.ts";
import { decodeValue, encodeValue, type EncodedValue } from "../std/value.ts";
import type { Attempt, AttemptHost, BlockHost } from "./attempt/attempt.ts";
import type { Isolation } from "./executors/isolated/isolation.ts";
import type { CrashedAttempt, Journal } from "./ledger/journal.ts";
import type { EngineWorld, EventSink } from "./ports.ts";
import { StageRun } from "./stage-run.ts";

/** What a run is driven with. */
export interface RunParts {
  readonly definition: PipelineDefinition;
  readonly runId: string;
  /** As the caller gave it, after its schema. Durable runs read `inputText` instead. */
  readonly input: unknown;
  readonly inputText: EncodedValue | null;
  readonly inputVersion: string | null;
  readonly settings: RunSettings;
  readonly provide: Readonly<Record<string, unknown>>;
  readonly world: EngineWorld;
  readonly journal: Journal | null;
  readonly sink: EventSink | null;
}

/** A failure of a stage, or of the item at `index`. */
export interface CoreError {
  readonly stageRun: StageRun;
  readonly failure: Failure;
  readonly index: number | null;
}

interface SharedValue {
  readonly stage: string;
  /** Text in durable runs, the value itself in memory. */
  readonly value: unknown;
}

/** The shared part of a driven run. */
export class RunCore implements AttemptHost {
  readonly definition: PipelineDefinition;
  readonly runId: string;
  readonly settings: RunSettings;
  readonly provide: Readonly<Record<string, unknown>>;
  readonly world: EngineWorld;
  readonly journal: Journal | null;
  readonly sink: EventSink | null;
  readonly stages: readonly StageRun[];
  readonly inputVersion: string | null;
  /** Monotonic and wall time of the same moment, so that wall times of stages cost no system call. */
  readonly startedMs: number;
  readonly startedAtMs: number;
  /** Monotonic ms when the run must be over; null: never. */
  get deadlineAtMs(): number | null {
    const { deadlineMs } = this;
    return deadlineMs === null ? null : this.startedMs + deadlineMs - this.spentMs;
  }

  /** How long the run may take, ms; null: as long as it takes. */
  get deadlineMs(): number | null {
    return this.settings.deadlineMs ?? this.definition.deadlineMs;
  }

  /** How much of its deadline was used up before it began here, ms. Set before it is driven. */
  spentMs: number = 0;

  /** Set by who drives it. */
  blocks: BlockHost | null = null;

  /** Calls the code of attempts in its own surroundings, and gives what it gives; null: it is called as it is. Set before
   *  it is driven. */
  around: ((attempt: Attempt, work: () => unknown) => unknown) | null = null;

  /** One unit is worth a minute of waiting. Set before it is driven. */
  priority: number = 0;

  /** Of a run that gives its place back: how long it waits here at most, ms; null: as long as it takes. Set before it
   *  is driven. */
  parksAfterMs: number | null = null;

  /** Told when the run comes to wait for resources and nothing of it is at work, and when something is again. Set
   *  before it is driven. */
  onRest: (isResting: boolean) => void = () => {};

  /** Monotonic ms of the last ending, or of the start. */
  lastEndMs: number;
  /** Sets, because every stage is looked up in them; null where the run says nothing. */
  readonly #skip: ReadonlySet<string> | null;
  readonly #only: ReadonlySet<string> | null;
  readonly #input: unknown;
  readonly #inputText: EncodedValue | null;
  readonly #state: Map<string, SharedValue> = new Map();
  /** Made with the first entry, as most runs have none. */
  #itemCheckpoints: Map<string, Map<string, ItemRecord>> | null = null;
  #memos: Map<string, Promise<unknown>> | null = null;
  #onFault: (error: unknown) => void = () => {};

  constructor(parts: RunParts) {
    this.definition = parts.definition;
    this.runId = parts.runId;
    this.settings = parts.settings;
    this.provide = parts.provide;
    this.world = parts.world;
    this.journal = parts.journal;
    this.sink = parts.sink;
    this.inputVersion = parts.inputVersion;
    const { skip, only } = parts.settings;
    this.#skip = skip === undefined ? null : new Set(skip);
    this.#only = only === undefined ? null : new Set(only);
    this.#input = parts.input;
    this.#inputText = parts.inputText;
    this.startedMs = parts.world.clock.monotonicMs();
    this.startedAtMs = parts.world.clock.wallMs();
    this.lastEndMs = this.startedMs;
    const { stages, graph } = parts.definition;
    this.stages = stages.map((stage, index) =>
      makeStageRun(stage, index, graph.needs[index]?.length ?? 0),
    );
  }

  /** True if the first failure for good keeps ordinary stages from starting. */
  get isFailFast(): boolean {
    return this.settings.failFast ?? this.definition.failFast;
  }

  /** True if the operator left this stage out of the run. */
  isLeftOut(stage: string): boolean {
    return this.#skip?.has(stage) === true || this.#only?.has(stage) === false;
  }

  get pipelineName(): string {
    return this.definition.name;
  }

  /** Called when a write fails that nobody waits for. */
  set onFault(listener: (error: unknown) => void) {
    this.#onFault = listener;
  }

  /** UTC ms of a monotonic moment of this run. */
  wallOf(monotonicMs: number): number {
    return Math.round(this.startedAtMs + (monotonicMs - this.startedMs));
  }

  stageAt(index: number): StageRun {
    const found = this.stages[index];
    if (found === undefined) throw new RangeError(`There is no stage at position ${index}.`);
    return found;
  }

  /** The run's input: by reference in memory, a copy of its own for every reader in durable runs. */
  readInput(): unknown {
    return this.#inputText === null ? this.#input : decodeValue(this.#inputText);
  }

  tell(draft: EventDraft): void {
    this.sink?.tell(draft);
  }

  async fact(draft: EventDraft): Promise<void> {
    if (this.journal === null) {
      this.sink?.tell(draft);
      return;
    }
    try {
      await this.journal.tell([draft]);
    } catch (error) {
      this.#onFault(error);
    }
  }

  readState(key: string): unknown {
    const found = this.#state.get(key);
    if (found === undefined) return undefined;
    return this.journal === null ? found.value : decodeValue(String(found.value));
  }

  checkState(key: string, value: unknown): unknown {
    if (this.#state.size >= STATE_KEYS_MAX && !this.#state.has(key)) {
      throw new MillraceError("OPTION_INVALID", `ctx.state has ${STATE_KEYS_MAX} keys already.`, {
        hint: "keep large collections in a stage's output",
      });
    }
    if (this.journal === null) return value;
    // Refused where it is set, so that the author sees the line that did it.
    return decodeValue(encodeOrThrow(value, `ctx.state "${key}"`));
  }

  /** Makes what an attempt set visible to all; answers the entries to store with its ending. */
  publishState(stage: string, set: ReadonlyMap<string, unknown>): readonly StateEntry[] {
    const entries: StateEntry[] = [];
    for (const [key, value] of set) {
      if (this.journal === null) {
        this.#state.set(key, { stage, value });
        continue;
      }
      const text = encodeOrThrow(value, `ctx.state "${key}"`);
      this.#state.set(key, { stage, value: text });
      entries.push({ key, stage, value: text });
    }
    return entries;
  }

  /** The entries as text; null for a value of a run in memory that has none. */
  listState(): readonly { readonly key: string; readonly value: EncodedValue | null }[] {
    return [...this.#state].map(([key, { value }]) => ({ key, value: this.#toText(value) }));
  }

  #toText(value: unknown): EncodedValue | null {
    // Text in durable runs.
    if (this.journal !== null) return value as EncodedValue;
    const encoded = encodeValue(value);
    return encoded.ok ? encoded.value : null;
  }

  /** Counts a process that died with a stage or item. */
  putCrash(crash: CrashedAttempt): void {
    this.journal?.putCrash(crash).catch((error: unknown) => this.#onFault(error));
  }

  /** Takes over entries of an earlier epoch. */
  restoreState(entries: readonly StateEntry[]): void {
    for (const { key, stage, value } of entries) this.#state.set(key, { stage, value });
  }

  /** What of the run is worked on apart from this process; null for nearly every run. Set before it is driven. */
  isolation: Isolation | null = null;

  /** True where a repetition could do harm, or its process may die of it: then a start is stored before the code runs. */
  isStartStored({ definition }: StageRun): boolean {
    return !definition.idempotent || (this.isolation !== null && this.isolation.isActive);
  }

  /** Stages for which the cache could not be read or written: warnings of the run. */
  cacheFaults: number = 0;

  /** Stages whose `record` threw: warnings of the run. Null: none. */
  recordFaults: Set<StageRun> | null = null;

  /** Checkpoints that could not be read any more and are made again: warnings of the run. */
  damagedCheckpoints: number = 0;

  /** Failures in order of completion, at most RUN_ERRORS_MAX. */
  readonly errors: CoreError[] = [];

  /** The first failure of a critical stage, else the first of any; kept however many errors there are. */
  firstFailure: CoreError | null = null;

  /** Notes a failure for the run's result. */
  noteError(
    stageRun: StageRun,
    found: { readonly failure: Failure; readonly index: number | null },
  ): void {
    const error = { stageRun, ...found };
    if (this.errors.length < RUN_ERRORS_MAX) this.errors.push(error);
    if (found.index !== null) return;
    const { firstFailure: first } = this;
    const isWeightier =
      stageRun.definition.critical && first?.stageRun.definition.critical === false;
    if (first === null || isWeightier) this.firstFailure = error;
  }

  /** Endings of an earlier epoch stand, failures too: the run goes on, and nobody asked to try again. */
  keepsFailures: boolean = false;

  /** Keeps items of an earlier epoch for the expansion of their stage. */
  keepItemCheckpoints(stage: string, records: readonly ItemRecord[]): void {
    this.#itemCheckpoints ??= new Map();
    this.#itemCheckpoints.set(stage, new Map(records.map((record) => [record.key, record])));
  }

  /** Items of an earlier epoch by key; null without any. They are handed out once. */
  takeItemCheckpoints(stage: string): Map<string, ItemRecord> | null {
    const found = this.#itemCheckpoints?.get(stage) ?? null;
    this.#itemCheckpoints?.delete(stage);
    return found;
  }

  async memo<T>(attempt: Attempt, name: string, make: () => T | Promise<T>): Promise<T> {
    const item = attempt.item?.key ?? null;
    const address = JSON.stringify([attempt.stage, item, name]);
    const memos = (this.#memos ??= new Map());
    const known = memos.get(address);
    // The type is the author's own: the same name gives what the same function gave before.
    if (known !== undefined) return (await known) as T;
    if (memos.size >= MEMOS_MAX) {
      throw new MillraceError("OPTION_INVALID", `A run keeps at most ${MEMOS_MAX} memos.`, {
        hint: "make a map: its items are checkpoints without such a bound",
      });
    }
    const made = this.#makeMemo({ stage: attempt.stage, item, name }, make);
    memos.set(address, made);
    try {
      return await made;
    } catch (error) {
      memos.delete(address);
      throw error;
    }
  }

  async #makeMemo<T>(
    address: { readonly stage: string; readonly item: string | null; readonly name: string },
    make: () => T | Promise<T>,
  ): Promise<T> {
    const journal = this.journal;
    if (journal === null) return await make();
    const stored = await journal.findMemo(address);
    if (stored !== undefined) return decodeValue(stored) as T;
    const text = encodeOrThrow(await make(), `memo "${address.name}"`);
    return decodeValue(await journal.putMemo(address, text)) as T;
  }
}

function makeStageRun(stage: StageDefinition, index: number, needs: number): StageRun {
  return new StageRun(stage, index, needs);
}

/** The value as text; VALUE_NOT_STORABLE naming the path of what cannot be stored. */
export function encodeOrThrow(value: unknown, subject: string): EncodedValue {
  const encoded = encodeValue(value);
  if (encoded.ok) return encoded.value;
  const { path, found, hint } = encoded.error;
  throw new MillraceError(
    "VALUE_NOT_STORABLE",
    `${subject} cannot be stored: ${path} is ${found}.`,
    {
      hint,
      details: { path, found },
    },
  );
}
