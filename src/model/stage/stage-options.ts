// What an author may say about a stage, a map stage and a command stage. Meanings, defaults and limits are
// those the engine keeps; `parse-options.ts` checks them, all faults at once.

import type { Duration } from "../../std/duration.ts";
import type { Context } from "../context.ts";
import type { Needs, NeedsArriving } from "./need.ts";
import type { ErrorClass, Skip } from "../outcome.ts";
import type { ResourceUse, UseList } from "../resource/resource.ts";
import type { RetryOptions } from "../retry.ts";
import type { Schema } from "../schema.ts";
import type { Secret } from "../secret.ts";
import type { TriggerRule } from "./trigger.ts";

/** A check of what an attempt gave; throwing means: not really done, a failed attempt. */
export type VerifyFunction = {
  // A method, so that an author may write the parameter's real type.
  check(output: unknown, context: Context): void | Promise<void>;
}["check"];

/** Sets state and metrics from a result. Done when it returns. */
export type RecordFunction = {
  // A method, so that an author may write the parameter's real type.
  note(output: unknown, context: Context): void;
}["note"];

/** Files that must exist, be made or changed by this run, and not be empty. */
export interface VerifyFiles {
  /** Paths relative to the working folder, at most 1,000. */
  readonly files: readonly string[];
}

/** How results are reused in later runs. `Args`: what `key` is called with. */
export interface CacheOptions<Args extends readonly unknown[] = readonly unknown[]> {
  /** Age at which a result no longer counts, from when it was made. Default: none. */
  readonly ttl?: Duration;
  /** Part of the key; declared here or as the stage's `version`, it stands for the code. */
  readonly version?: string;
  /** Names what the result depends on, in 1 to 10,000 characters, instead of needs, item and variables. */
  // A method, so that the untyped form may hold a function of any parameters.
  readonly key?: { of(...args: Args): string }["of"];
}

/** What a probe gets. */
export interface ProbeContext {
  /** Aborted when its time is over. */
  readonly signal: AbortSignal;
}

/** `true`; a ttl; or the options one by one. */
type CacheOption<Args extends readonly unknown[]> = boolean | Duration | CacheOptions<Args>;

/** Ends a map stage early when failures pile up: `inARow` items failed for good without a success between them, or a
 *  `share` (above 0, up to 1) of the last `of` that ended. Counts: 1 to 100,000. Items that were skipped do not count,
 *  retries do not; what failed before a crash does. */
export type StopAfter =
  | { readonly inARow: number }
  | { readonly share: number; readonly of: number };

/** How the failure of a map begins that its `stopAfter` ended; the rule's reason follows, then what failed. */
export const STOPPED_EARLY = "stopped early (stopAfter)";

/** Options that stages, maps and commands share. */
export interface CommonOptions<
  N extends Needs,
  Trigger extends TriggerRule,
  Critical extends boolean,
> {
  /** Stages, inputs, provided values or lists of them, by the local name the function reads. Default none. */
  readonly needs?: N;
  /** When the stage runs, judged once all needs are finished. Default "all_success". */
  readonly trigger?: Trigger;
  /** False: its failure is a warning and reaches readers as `Settled`. Default true. */
  readonly critical?: Critical;
  /** How failed attempts are repeated; a number is `attempts`. Default: one attempt. */
  readonly retry?: RetryOptions | number;
  /** Names an error's class, or undefined for the built-in table. One that throws counts as undefined, with an event;
   *  one that names no class fails the stage. `classifyText` is one that goes by words. */
  readonly classify?: (error: unknown) => ErrorClass | undefined;
  /** Longest time of one attempt, from the start of user code. Default none (commands: 1 h). */
  readonly timeout?: Duration;
  /** Longest wait of one attempt for a slot; it fails without being called. Of a map: of the stage, before its
   *  list is opened. Default none. */
  readonly queueTimeout?: Duration;
  /** Longest time of all attempts and waits together, from when the stage is ready. Default none. */
  readonly deadline?: Duration;
  /** False: the output stays in the process by reference and is made again on resume if needed. Default true. */
  readonly persist?: boolean;
  /** Part of what a checkpoint is compatible with: change it and the stage is done again on resume. */
  readonly version?: string;
  /** False: never silently repeated after a crash; the start is recorded first. Default true. */
  readonly idempotent?: boolean;
  /** Schema of the result; a result that does not match is a failed attempt. */
  readonly output?: Schema;
  /** Not really done is a failed attempt; results of an earlier run never satisfy it. */
  readonly verify?: VerifyFunction | VerifyFiles;
  /** Called with each result, of a map with that of each item: what it sets with `ctx.state` and `ctx.metric` is kept
   *  with the result, and a cache hit brings it back. What it throws is a warning; the result stands. Default none. */
  readonly record?: RecordFunction;
  /** "thread": the function is called in a worker thread, where it may be busy as long as it likes. Its pipeline names
   *  its `module`; needs, item and result are plain data. Default "main". */
  readonly runIn?: "main" | "thread";
  /** Says whether what the stage depends on is there, for `doctor` and health: good unless it throws, returns false, or
   *  takes longer than its time (5 s). Not asked when the stage runs. Default: there is nothing to ask. */
  readonly health?: (probe: ProbeContext) => unknown;
  readonly description?: string;
  /** For people, at most 64. */
  readonly tags?: readonly string[];
}

/** Options of `stage`. */
export interface StageOptions<
  N extends Needs,
  Trigger extends TriggerRule,
  Critical extends boolean,
  Skips extends boolean,
> extends CommonOptions<N, Trigger, Critical> {
  /** True: the function may return `skip(...)`, so readers get `Settled`. Default false. */
  readonly skips?: Skips;
  /** Reuses the result of an earlier run that was made from the same. Durable runs only. Default off. */
  readonly cache?: CacheOption<readonly [needs: NeedsArriving<N, Trigger>]>;
  /** Resources held during an attempt, all together; a name stands for one of the configuration. Default none. */
  readonly uses?: UseList | ((needs: NeedsArriving<N, Trigger>) => readonly ResourceUse[]);
}

/** Asked when the stage is reached: false or `skip("reason")` means not run. */
export interface WhenOption<N extends Needs, Trigger extends TriggerRule> {
  readonly when: (
    needs: NeedsArriving<N, Trigger>,
    context: Context,
  ) => boolean | Skip | Promise<boolean | Skip>;
}

/** What a failed item means for the map stage. */
export type OnItemFailure = "fail" | "continue";

/** Options of `map` besides `over`. */
export interface MapOptions<
  Item,
  N extends Needs,
  Trigger extends TriggerRule,
  Critical extends boolean,
  OnFailure extends OnItemFailure,
> extends CommonOptions<N, Trigger, Critical> {
  /** Stable identity of an item: 1 to 512 bytes, unique in the stage. Several parts are joined with "/".
   *  Default: a hash of the item's content. */
  readonly key?: (item: Item, index: number) => string | readonly string[];
  /** Items at once, or "none" for the limit of the process alone. Default 4. */
  readonly concurrency?: number | "none";
  /** "fail": the first final failure ends the stage. "continue": all run, readers get every outcome. Default
   *  "fail". */
  readonly onItemFailure?: OnFailure;
  /** Failures a "continue" map bears: a count, or a share such as "10%". Default all. */
  readonly tolerate?: number | `${number}%`;
  /** Successes a "continue" map needs. Default 1. */
  readonly minSuccess?: number;
  /** Longest list. Default 100,000, at most 10,000,000. */
  readonly maxItems?: number;
  /** Stops early when failures pile up: running items finish, the rest is cancelled, the stage fails. Only with
   *  `onItemFailure: "continue"`. Default off. */
  readonly stopAfter?: StopAfter;
  /** What an empty list means. Default "succeed". */
  readonly onEmpty?: "succeed" | "skip" | "fail";
  /** Reuses the results of items that earlier runs made from the same. Durable runs only. Default off. */
  readonly cache?: CacheOption<readonly [item: Item, needs: NeedsArriving<N, Trigger>]>;
  readonly uses?:
    | UseList
    | ((item: Item, needs: NeedsArriving<N, Trigger>) => readonly ResourceUse[]);
}

/** How a command's stdout becomes the stage's output. */
export type CommandParse = "json" | "jsonl" | "text" | "none";

/** Options of `command`. */
export interface CommandOptions<
  N extends Needs,
  Trigger extends TriggerRule,
  Critical extends boolean,
  Parse extends CommandParse,
  SkipOn extends SkipOnExit | undefined,
> extends CommonOptions<N, Trigger, Critical> {
  /** Program and arguments, passed as they are: there is no shell. */
  readonly argv: readonly string[] | ((needs: NeedsArriving<N, Trigger>) => readonly string[]);
  /** Written to the child's stdin, which is then closed. Default: closed at once. */
  readonly stdin?: string | ((needs: NeedsArriving<N, Trigger>) => string | Uint8Array);
  /** What stdout is. Default "none": the output is undefined and the lines are kept as a log only. */
  readonly parse?: Parse;
  /** Variables the child gets besides the basic ones; nothing else is passed on. Of a secret it gets the value. */
  readonly env?:
    | Readonly<Record<string, string | Secret>>
    | ((needs: NeedsArriving<N, Trigger>) => Readonly<Record<string, string | Secret>>);
  /** Names of variables passed on from our own environment. Default none. */
  readonly passEnv?: readonly string[];
  /** Working folder. Default: that of the process. */
  readonly cwd?: string | ((needs: NeedsArriving<N, Trigger>) => string);
  /** A line of stdout or stderr that means "done": the child gets `doneGrace`, is then ended, and succeeded. */
  readonly doneWhen?: RegExp | string;
  /** Default 30 s. */
  readonly doneGrace?: Duration;
  /** Silence worth an event. Default 5 min. */
  readonly silence?: Duration;
  /** Time between two progress events. Default 60 s. */
  readonly progressEvery?: Duration;
  /** Exit codes that mean "skipped". */
  readonly skipOn?: SkipOn;
  /** Reuses the output of an earlier run that was made from the same. Durable runs only. Default off. */
  readonly cache?: CacheOption<readonly [needs: NeedsArriving<N, Trigger>]>;
  readonly uses?: UseList | ((needs: NeedsArriving<N, Trigger>) => readonly ResourceUse[]);
}

/** Exit codes of a command that mean "skipped". */
export interface SkipOnExit {
  readonly exitCode: number | readonly number[];
}
