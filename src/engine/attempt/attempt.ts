// One attempt of a stage or item, which is also the context its function receives. One object, and its parts
// are made when they are read: a context that nobody looks at costs no controller, no closure, no map.

import type { MetricChange } from "../../model/checkpoint.ts";
import type {
  ArtifactReference,
  Context,
  ContextLog,
  ContextMetrics,
  ContextState,
} from "../../model/context.ts";
import { AbortReason, type AbortKind } from "../../model/context.ts";
import { MillraceError } from "../../model/errors.ts";
import {
  ERROR_HISTORY_CHARS_MAX,
  ERROR_LIST_CHARS_MAX,
  NAME_CHARS_MAX,
} from "../../model/limits.ts";
import type { WorkProgress } from "../../model/worker.ts";
import type { ResourceUse, UseList } from "../../model/resource/resource.ts";
import type { RunSettings } from "../../model/run.ts";
import type { Timer } from "../../std/clock.ts";
import { parseDuration, type Duration } from "../../std/duration.ts";
import { boundedText, sha256Hex, type Json } from "../../std/json.ts";
import { redact, redactValue } from "../../std/redact.ts";
import type { EventDraft } from "../../model/event.ts";
import type { ProcessUsage } from "../executors/isolated/far-side.ts";
import type { EngineWorld } from "../ports.ts";
import { AtGate } from "../limits/at-gate.ts";
import type { AttemptHistory } from "./attempt-history.ts";
import type { StageRun } from "../stage-run.ts";

/** Where an attempt stands. `overdue`: aborted, within its grace; `stuck`: did not stop within it. */
export type AttemptPhase = "running" | "overdue" | "stuck" | "over";

/** What an attempt asks of the run it belongs to. */
export interface AttemptHost {
  readonly runId: string;
  readonly pipelineName: string;
  readonly world: EngineWorld;
  readonly settings: RunSettings;
  /** Told to listeners only. */
  tell(draft: EventDraft): void;
  /** Told and, in durable runs, stored; resolves after the commit. */
  fact(draft: EventDraft): Promise<void>;
  readState(key: string): unknown;
  /** The value as it will be stored; throws where it cannot be. */
  checkState(key: string, value: unknown): unknown;
  memo<T>(attempt: Attempt, name: string, make: () => T | Promise<T>): Promise<T>;
  /** Null until the run is driven. */
  readonly blocks: BlockHost | null;
}

/** Blocks under a permit. */
export interface BlockHost {
  use<T>(
    attempt: Attempt,
    uses: ResourceUse | string | UseList,
    block: () => T | Promise<T>,
  ): Promise<T>;
}

/** One attempt, and its context. */
export class Attempt implements Context {
  readonly host: AttemptHost;
  readonly stageRun: StageRun;
  /** Position of the item; -1 for a stage. */
  readonly index: number;
  readonly attempt: number;
  /** What is called: the stage's function, its `when`, or the `over` of a map. */
  readonly purpose: "run" | "when" | "over";
  readonly history: AttemptHistory | null;
  phase: AttemptPhase = "running";
  /** Monotonic ms; -1: its code was not called. */
  startedMs: number = -1;
  /** What most attempts never have. Made with the first of it: a small attempt is a fast one. */
  #rare: RareParts | null = null;

  constructor(host: AttemptHost, stageRun: StageRun, place: AttemptPlace) {
    this.host = host;
    this.stageRun = stageRun;
    this.index = place.index;
    this.purpose = place.purpose;
    const { history } = place;
    this.history = history;
    this.attempt = history === null ? 1 : history.attempts + 1;
  }

  /** Monotonic ms since when it could have run; its deadline counts from then. */
  get readyMs(): number {
    return this.history === null ? this.stageRun.readyMs : this.history.readySince;
  }

  get runId(): string {
    return this.host.runId;
  }

  /** What an `over` function was called with: its items get the same. */
  get needs(): unknown {
    return this.#rare?.needs;
  }

  set needs(needs: unknown) {
    this.#makeRare().needs = needs;
  }

  /** Null: it uses no resource, or has not come to the gate. */
  get atGate(): AtGate | null {
    return this.#rare === null ? null : this.#rare.atGate;
  }

  /** Comes to the gate. */
  makeGate(): AtGate {
    return (this.#makeRare().atGate ??= new AtGate());
  }

  /** Timeout or deadline, then grace, then the end of the stuck slot. */
  get timer(): Timer | null {
    return this.#rare === null ? null : this.#rare.timer;
  }

  set timer(timer: Timer | null) {
    if (timer !== null || this.#rare !== null) this.#makeRare().timer = timer;
  }

  /** How far it said that it is; null: it said nothing. */
  get progressed(): WorkProgress | null {
    return this.#rare === null ? null : this.#rare.progressed;
  }

  get abortKind(): AbortKind | null {
    return this.#rare === null ? null : (this.#rare.abortReason?.kind ?? null);
  }

  /** What `ctx.state.set` left, visible to this attempt at once and to others with its success. */
  get stateSet(): Map<string, unknown> | null {
    return this.#rare === null ? null : this.#rare.stateSet;
  }

  get metricsSet(): Map<string, MetricChange> | null {
    return this.#rare === null ? null : this.#rare.metricsSet;
  }

  /** What a child process or a thread used; null where nothing measured it. */
  get usage(): ProcessUsage | null {
    return this.#rare === null ? null : this.#rare.usage;
  }

  set usage(usage: ProcessUsage | null) {
    this.#makeRare().usage = usage;
  }

  #makeRare(): RareParts {
    this.#rare ??= new RareParts();
    return this.#rare;
  }

  get stage(): string {
    return this.stageRun.definition.name;
  }

  get item(): { readonly key: string; readonly index: number } | undefined {
    const map = this.stageRun.map;
    if (this.index < 0 || map === null) return undefined;
    return { key: map.keyOf(this.index), index: this.index };
  }

  get signal(): AbortSignal {
    const rare = this.#makeRare();
    if (rare.controller === null) {
      rare.controller = new AbortController();
      if (rare.abortReason !== null) rare.controller.abort(rare.abortReason);
    }
    return rare.controller.signal;
  }

  /** Aborts once; later calls change nothing. */
  abort(kind: AbortKind, message: string): void {
    const rare = this.#makeRare();
    if (rare.abortReason !== null) return;
    rare.abortReason = new AbortReason(kind, message);
    rare.controller?.abort(rare.abortReason);
  }

  get abortReason(): AbortReason | null {
    return this.#rare === null ? null : this.#rare.abortReason;
  }

  get idempotencyKey(): string {
    const key = this.item?.key ?? "";
    const parts = JSON.stringify([this.host.pipelineName, this.runId, this.stage, key]);
    return sha256Hex(parts).slice(0, 32);
  }

  get scheduledFor(): Date | undefined {
    return toDate(this.host.settings.scheduled?.atMs);
  }

  get intervalStart(): Date | undefined {
    return toDate(this.host.settings.scheduled?.fromMs);
  }

  get intervalEnd(): Date | undefined {
    return this.scheduledFor;
  }

  now(): number {
    return this.host.world.clock.wallMs();
  }

  get log(): ContextLog {
    const rare = this.#makeRare();
    rare.log ??= {
      debug: (message, data) => this.#tellLog("debug", { message, data }),
      info: (message, data) => this.#tellLog("info", { message, data }),
      warn: (message, data) => this.#tellLog("warn", { message, data }),
      error: (message, data) => this.#tellLog("error", { message, data }),
    };
    return rare.log;
  }

  /** Its end is decided: what its code still says reaches nobody. A list is read after its function returned. */
  get #isCut(): boolean {
    return this.phase === "stuck" || (this.phase === "over" && this.purpose === "run");
  }

  #refuseCut(): void {
    if (!this.#isCut) return;
    throw this.abortReason ?? new AbortReason("fenced", `this attempt of "${this.stage}" is over`);
  }

  #tellLog(level: string, line: { message: string; data: Record<string, Json> | undefined }): void {
    if (this.#isCut) return;
    const message = boundedText(redact(line.message), ERROR_LIST_CHARS_MAX * 4);
    const data =
      line.data === undefined
        ? { level, message }
        : { level, message, data: redactValue(line.data) };
    void this.host.fact({ type: "stage.logged", ...this.address(), data });
  }

  progress(done: number, total?: number, said?: string): void {
    if (this.#isCut) return;
    const note = said === undefined ? undefined : redact(said);
    this.#makeRare().progressed = {
      done,
      ...(total === undefined ? {} : { total }),
      ...(note === undefined ? {} : { note: boundedText(note, ERROR_HISTORY_CHARS_MAX) }),
    };
    this.host.tell({
      type: "stage.progressed",
      ...this.address(),
      data: {
        done,
        ...(total === undefined ? {} : { total }),
        ...(note === undefined ? {} : { note }),
      },
    });
  }

  emit(name: string, data: Readonly<Record<string, Json>> = {}): void {
    if (this.#isCut) return;
    void this.host.fact({
      type: "stage.emitted",
      ...this.address(),
      data: { name: boundedText(redact(name), NAME_CHARS_MAX), data: redactValue(data) },
    });
  }

  get metric(): ContextMetrics {
    return {
      set: (name, value) => this.#count(name, { absolute: true, value }),
      increment: (name, by = 1) => this.#count(name, { absolute: false, value: by }),
    };
  }

  #count(name: string, change: MetricChange): void {
    if (!Number.isFinite(change.value)) {
      throw new MillraceError(
        "OPTION_INVALID",
        `Metric "${name}" must be a finite number, got ${change.value}.`,
      );
    }
    if (this.#isCut) return;
    const metrics = (this.#makeRare().metricsSet ??= new Map());
    const before = metrics.get(name);
    const sum =
      change.absolute || before === undefined
        ? change
        : { absolute: before.absolute, value: before.value + change.value };
    metrics.set(name, sum);
  }

  get state(): ContextState {
    return {
      get: (key: string, fallback?: unknown): never => {
        const own = this.stateSet;
        const found = own !== null && own.has(key) ? own.get(key) : this.host.readState(key);
        // The author says which type was put there; the engine cannot know.
        return (found === undefined ? fallback : found) as never;
      },
      set: (key, value) => {
        const checked = this.host.checkState(key, value);
        (this.#makeRare().stateSet ??= new Map()).set(key, checked);
      },
    };
  }

  async memo<T>(name: string, make: () => T | Promise<T>): Promise<T> {
    this.#refuseCut();
    return await this.host.memo(this, name, make);
  }

  async artifact(name: string, data: Uint8Array | string): Promise<ArtifactReference> {
    this.#refuseCut();
    const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
    const artifact = await this.host.world.blobs.put(bytes);
    this.#refuseCut();
    const reference = { artifact, name: redact(name), bytes: bytes.byteLength };
    await this.host.fact({ type: "artifact.stored", ...this.address(), data: reference });
    return reference;
  }

  get dir(): string {
    return this.host.world.files.runFolder(this.runId);
  }

  async use<T>(uses: ResourceUse | string | UseList, block: () => T | Promise<T>): Promise<T> {
    this.#refuseCut();
    const { blocks } = this.host;
    if (blocks === null) throw new TypeError(`Run ${this.runId} is not driven.`);
    return await blocks.use(this, uses, block);
  }

  async sleep(duration: Duration): Promise<void> {
    const parsed = parseDuration(duration);
    if (!parsed.ok) throw new MillraceError("OPTION_INVALID", `ctx.sleep: ${parsed.error}`);
    await this.host.world.clock.sleep(parsed.value, this.signal);
  }

  /** Fields that say of which attempt an event tells. */
  address(): { readonly stage: string; readonly item?: string; readonly attempt: number } {
    const item = this.item;
    return item === undefined
      ? { stage: this.stage, attempt: this.attempt }
      : { stage: this.stage, item: item.key, attempt: this.attempt };
  }
}

/** A new one each time: a Date can be changed by whoever has it. */
function toDate(atMs: number | undefined): Date | undefined {
  return atMs === undefined ? undefined : new Date(atMs);
}

class RareParts {
  needs: unknown = undefined;
  atGate: AtGate | null = null;
  timer: Timer | null = null;
  abortReason: AbortReason | null = null;
  controller: AbortController | null = null;
  log: ContextLog | null = null;
  stateSet: Map<string, unknown> | null = null;
  metricsSet: Map<string, MetricChange> | null = null;
  usage: ProcessUsage | null = null;
  progressed: WorkProgress | null = null;
}

/** Which attempt of what. */
export interface AttemptPlace {
  readonly index: number;
  /** What is called: the stage's function, its `when`, or the `over` of a map. */
  readonly purpose: "run" | "when" | "over";
  readonly history: AttemptHistory | null;
}
