// The frozen definition as data: what the engine walks. Made by `compile.ts` from what the author wrote; names
// are resolved to positions, durations to ms, defaults put in place. No methods.

import type { Context } from "./context.ts";
import type { Graph } from "./graph.ts";
import type { ErrorClass } from "./outcome.ts";
import type { ResourceUse } from "./resource/resource.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Schema } from "./schema.ts";
import type { Secret } from "./secret.ts";
import type {
  CommandParse,
  OnItemFailure,
  ProbeContext,
  StopAfter,
  VerifyFiles,
  RecordFunction,
  VerifyFunction,
} from "./stage/stage-options.ts";
import type { TriggerRule } from "./stage/trigger.ts";

/** What one need is, resolved. `stage` is a position in `PipelineDefinition.stages`. */
export type NeedShape =
  | { readonly kind: "stage"; readonly stage: number; readonly required: boolean }
  | { readonly kind: "input" }
  | { readonly kind: "provided"; readonly name: string }
  | { readonly kind: "list"; readonly parts: readonly NeedShape[] };

/** A need under the name its reader uses. */
export interface NamedNeed {
  readonly name: string;
  readonly shape: NeedShape;
}

/** Any function an author gave, as the engine calls it. */
export type AuthorFunction = (...args: readonly unknown[]) => unknown;

/** Where the items of a map come from. */
export type OverShape =
  | { readonly kind: "need"; readonly shape: NeedShape }
  | { readonly kind: "literal"; readonly items: readonly unknown[] }
  | { readonly kind: "function"; readonly make: AuthorFunction };

/** The part of a definition that only map stages have. */
export interface MapShape {
  readonly over: OverShape;
  /** Position of the "continue" map whose items this one follows one by one; null: none. */
  readonly follows: number | null;
  readonly key: ((item: unknown, index: number) => string | readonly string[]) | null;
  /** Null: only the limit of the process. */
  readonly concurrency: number | null;
  readonly onItemFailure: OnItemFailure;
  /** Failures a "continue" map bears: a count, a share in (0, 1], or null: all. */
  readonly tolerate: { readonly count: number } | { readonly share: number } | null;
  readonly minSuccess: number;
  readonly maxItems: number;
  readonly onEmpty: "succeed" | "skip" | "fail";
  readonly stopAfter: StopAfter | null;
}

/** The part of a definition that only command stages have. */
export interface CommandShape {
  readonly argv: readonly string[] | AuthorFunction;
  readonly stdin: string | AuthorFunction | null;
  readonly parse: CommandParse;
  readonly env: Readonly<Record<string, string | Secret>> | AuthorFunction;
  readonly passEnv: readonly string[];
  readonly cwd: string | AuthorFunction | null;
  readonly doneWhen: RegExp | string | null;
  readonly doneGraceMs: number;
  readonly silenceMs: number;
  readonly progressMs: number;
  readonly skipExitCodes: readonly number[];
}

/** Content-keyed reuse across runs. */
export interface CacheRule {
  /** Age at which an entry no longer counts, ms; null: never. */
  readonly ttlMs: number | null;
  readonly version: string | null;
  /** Called with what the stage's own function would get first: its needs, or item and needs. */
  readonly key: AuthorFunction | null;
}

/** One stage, ready to be walked. */
export interface StageDefinition {
  readonly kind: "stage" | "map" | "command";
  readonly name: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly needs: readonly NamedNeed[];
  /** How needs are handed over: as a record, as the only need, or as the run's input (untyped form). */
  readonly arrival: "record" | "single" | "input";
  readonly trigger: TriggerRule;
  readonly critical: boolean;
  /** Readers get `Settled`. */
  readonly soft: boolean;
  readonly when: ((needs: unknown, context: Context) => unknown) | null;
  /** Null for commands. */
  readonly run: AuthorFunction | null;
  readonly retry: RetryPolicy;
  readonly classify: ((error: unknown) => ErrorClass | undefined) | null;
  readonly timeoutMs: number | null;
  readonly queueTimeoutMs: number | null;
  readonly deadlineMs: number | null;
  readonly persist: boolean;
  readonly idempotent: boolean;
  readonly version: string | null;
  /** Null: off. */
  readonly cache: CacheRule | null;
  readonly output: Schema | null;
  readonly verify: VerifyFunction | VerifyFiles | null;
  readonly record: RecordFunction | null;
  readonly uses: readonly ResourceUse[] | AuthorFunction | null;
  /** "thread": its function is called in a worker thread, which imports the pipeline's module. */
  readonly runIn: "main" | "thread";
  /** Asked by `doctor` and health whether what the stage depends on is there; null: there is nothing to ask. */
  readonly health: ((context: ProbeContext) => unknown) | null;
  readonly map: MapShape | null;
  readonly command: CommandShape | null;
  /** Where each effective setting came from; "config": a default of the process. For `show`. */
  readonly origins: Readonly<Record<string, "stage" | "pipeline" | "config" | "default">>;
  /** Changes when needs, kind, options or version change; checkpoints of another one are not reused. */
  readonly stageVersion: string;
}

/** A pipeline, ready to be walked. */
export interface PipelineDefinition {
  readonly name: string;
  readonly description: string | null;
  readonly version: string | null;
  readonly input: Schema | null;
  /** True if a schema or `input()` was declared. */
  readonly hasInput: boolean;
  readonly failFast: boolean;
  readonly deadlineMs: number | null;
  /** Claims lost to crashes before the run fails. */
  readonly attempts: number;
  /** Runs that may be running at once, over all processes of a store; null: any number. */
  readonly maxActiveRuns: number | null;
  /** Runs that may be queued or waiting before no more are taken in; null: any number. */
  readonly maxQueued: number | null;
  /** What becomes of a start when so many are running. */
  readonly onBusy: "refuse" | "queue";
  /** "health": starts are refused while its last runs say that something is wrong (`policy/health/`). */
  readonly gate: "off" | "health";
  readonly module: string | null;
  /** In declaration order. */
  readonly stages: readonly StageDefinition[];
  readonly positions: ReadonlyMap<string, number>;
  /** True if any stage has a cache. */
  readonly hasCache: boolean;
  readonly outputs: readonly { readonly name: string; readonly stage: number }[];
  /** Names that must be provided, with the stages that need them. */
  readonly provided: readonly { readonly name: string; readonly stages: readonly string[] }[];
  readonly graph: Graph;
  /** Names, needs, kinds, options and versions; not code. 16 hex digits. */
  readonly hash: string;
  /** Canonical JSON of what the hash covers; stored once per hash. */
  readonly json: string;
}

/** One fault of a definition. */
export interface DefinitionFault {
  /** Where: `stages.score.retry.attempts`. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}
