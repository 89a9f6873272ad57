// stage, map and command: the three ways to write a stage. Each keeps what the author said as data; names,
// options and graph are checked when the pipeline is made, all faults at once. One of the few places for `as`:
// the types that only the compiler sees are put on here.

import type { Context } from "../context.ts";
import type {
  HasRequired,
  Input,
  MapValue,
  Needs,
  NeedsArriving,
  OutputOf,
  Provided,
  RequiredNeed,
  StageValue,
} from "./need.ts";
import type { ItemOutcome, Skip } from "../outcome.ts";
import type {
  CommandOptions,
  CommandParse,
  MapOptions,
  OnItemFailure,
  SkipOnExit,
  StageOptions,
  WhenOption,
} from "./stage-options.ts";
import type { TriggerRule } from "./trigger.ts";

/** What the author said, unchecked. Read by `compile.ts` alone. */
export interface StageSpec {
  readonly kind: "stage" | "map" | "command";
  readonly name: string;
  /** Position in the order of writing; ready stages start in this order. */
  readonly order: number;
  readonly options: Readonly<Record<string, unknown>>;
  readonly run: ((...args: never[]) => unknown) | null;
  /** `record`: run(needs, ctx). The others are the untyped form: run(input, ctx). */
  readonly arrival: "record" | "single" | "input";
}

const SPEC: unique symbol = Symbol.for("millrace.stage");

interface SpecHolder {
  readonly [SPEC]: StageSpec;
}

let written = 0;

/** Makes the frozen value that other stages need. */
function makeStageValue(spec: Omit<StageSpec, "order">): StageValue {
  const holder = { kind: spec.kind, name: spec.name, [SPEC]: { ...spec, order: written } };
  written += 1;
  return Object.freeze(holder) as StageValue;
}

/** What the author said of a stage; undefined for anything that is no stage. */
export function findSpec(value: unknown): StageSpec | undefined {
  if (typeof value !== "object" || value === null || !(SPEC in value)) return undefined;
  return (value as SpecHolder)[SPEC];
}

/** The result of a stage function without the promise and without `skip`. */
type ResultOf<R> = Exclude<Awaited<R>, Skip>;

/** A stage that may return `skip` must say so, or its readers could not know: asks for a parameter otherwise. */
type SkipDeclared<R, Soft> = [Extract<Awaited<R>, Skip>] extends [never]
  ? []
  : Soft extends true
    ? []
    : ["add `skips: true` to the options of a stage that returns skip(...)"];

type Softness<N, Trigger, Critical, Skips> = [Trigger] extends ["all_success"]
  ? Critical extends false
    ? true
    : Skips extends true
      ? true
      : HasRequired<N>
  : true;

type StageRun<N, Trigger extends TriggerRule, R> = (
  needs: NeedsArriving<N, Trigger>,
  context: Context,
) => R;

/** A stage: one unit of a pipeline. With `when` it is soft: readers get `Settled`. */
export function stage<
  const N extends Needs = Record<never, never>,
  Trigger extends TriggerRule = "all_success",
  Critical extends boolean = true,
  Skips extends boolean = false,
  R = unknown,
>(
  name: string,
  options: StageOptions<N, Trigger, Critical, Skips> & WhenOption<N, Trigger>,
  run: StageRun<N, Trigger, R>,
): StageValue<ResultOf<R>, true>;
/** A stage: one unit of a pipeline. */
export function stage<
  const N extends Needs = Record<never, never>,
  Trigger extends TriggerRule = "all_success",
  Critical extends boolean = true,
  Skips extends boolean = false,
  R = unknown,
>(
  name: string,
  options: StageOptions<N, Trigger, Critical, Skips> & { readonly when?: never },
  run: StageRun<N, Trigger, R>,
  // The fourth is for the compiler alone: its absence is the message that a skip must be declared.
  ...undeclared: SkipDeclared<R, Softness<N, Trigger, Critical, Skips>>
): StageValue<ResultOf<R>, Softness<N, Trigger, Critical, Skips>>;
export function stage(name: string, options: object, run: unknown): StageValue {
  return makeStageValue({
    kind: "stage",
    name,
    options: options as Record<string, unknown>,
    run: run as StageSpec["run"],
    arrival: "record",
  });
}

/** What a map may run over. */
export type Over<N extends Needs, Trigger extends TriggerRule> =
  | StageValue<readonly unknown[] | null, false>
  | MapValue
  | Input<readonly unknown[]>
  | Provided<readonly unknown[]>
  | RequiredNeed<StageValue<readonly unknown[]>>
  | readonly unknown[]
  | ((
      needs: NeedsArriving<N, Trigger>,
      context: Context,
    ) => AsyncIterable<unknown> | Iterable<unknown> | Promise<Iterable<unknown>>);

type ElementOf<L> = L extends readonly (infer E)[]
  ? E
  : L extends AsyncIterable<infer E>
    ? E
    : L extends Iterable<infer E>
      ? E
      : never;

/** One item of what a map runs over. */
export type ItemOf<O> =
  O extends MapValue<infer _Out, infer _Soft, infer Item>
    ? Item
    : O extends RequiredNeed<infer S>
      ? S extends MapValue<infer _Out, infer _Soft, infer Item>
        ? Item
        : ElementOf<OutputOf<S>>
      : O extends StageValue | Input | Provided
        ? ElementOf<OutputOf<O>>
        : O extends (...args: never[]) => infer R
          ? ElementOf<Awaited<R>>
          : ElementOf<O>;

type MapResult<R, OnFailure> = OnFailure extends "continue"
  ? readonly ItemOutcome<ResultOf<R>>[]
  : readonly ResultOf<R>[];

type MapRun<O, N, Trigger extends TriggerRule, R> = (
  item: ItemOf<O>,
  needs: NeedsArriving<N, Trigger>,
  context: Context,
) => R;

/** A stage that runs once per item of a list. With `when` it is soft: readers get `Settled`. */
export function map<
  const O extends Over<N, Trigger>,
  const N extends Needs = Record<never, never>,
  Trigger extends TriggerRule = "all_success",
  Critical extends boolean = true,
  OnFailure extends OnItemFailure = "fail",
  R = unknown,
>(
  name: string,
  options: MapOptions<ItemOf<O>, N, Trigger, Critical, OnFailure> &
    WhenOption<N, Trigger> & { readonly over: O },
  run: MapRun<O, N, Trigger, R>,
): MapValue<MapResult<R, OnFailure>, true, ResultOf<R>>;
/** A stage that runs once per item of a list. */
export function map<
  const O extends Over<N, Trigger>,
  const N extends Needs = Record<never, never>,
  Trigger extends TriggerRule = "all_success",
  Critical extends boolean = true,
  OnFailure extends OnItemFailure = "fail",
  R = unknown,
>(
  name: string,
  options: MapOptions<ItemOf<O>, N, Trigger, Critical, OnFailure> & {
    readonly over: O;
    readonly when?: never;
  },
  run: MapRun<O, N, Trigger, R>,
): MapValue<MapResult<R, OnFailure>, MapSoftness<O, N, Trigger, Critical>, ResultOf<R>>;
export function map(name: string, options: object, run: unknown): MapValue {
  return makeStageValue({
    kind: "map",
    name,
    options: options as Record<string, unknown>,
    run: run as StageSpec["run"],
    arrival: "record",
  }) as MapValue;
}

type MapSoftness<O, N, Trigger, Critical> = O extends RequiredNeed
  ? true
  : Softness<N, Trigger, Critical, false>;

type CommandResult<Parse> = Parse extends "json"
  ? unknown
  : Parse extends "jsonl"
    ? readonly unknown[]
    : Parse extends "text"
      ? string
      : undefined;

type CommandSoftness<N, Trigger, Critical, SkipOn> = SkipOn extends SkipOnExit
  ? true
  : Softness<N, Trigger, Critical, false>;

/** A stage that is a child process: no shell, its own process group. With `when` it is soft. */
export function command<
  const N extends Needs = Record<never, never>,
  Trigger extends TriggerRule = "all_success",
  Critical extends boolean = true,
  Parse extends CommandParse = "none",
  SkipOn extends SkipOnExit | undefined = undefined,
>(
  name: string,
  options: CommandOptions<N, Trigger, Critical, Parse, SkipOn> & WhenOption<N, Trigger>,
): StageValue<CommandResult<Parse>, true>;
/** A stage that is a child process: no shell, its own process group. Exit 0 is success. */
export function command<
  const N extends Needs = Record<never, never>,
  Trigger extends TriggerRule = "all_success",
  Critical extends boolean = true,
  Parse extends CommandParse = "none",
  SkipOn extends SkipOnExit | undefined = undefined,
>(
  name: string,
  options: CommandOptions<N, Trigger, Critical, Parse, SkipOn> & { readonly when?: never },
): StageValue<CommandResult<Parse>, CommandSoftness<N, Trigger, Critical, SkipOn>>;
export function command(name: string, options: object): StageValue {
  return makeStageValue({
    kind: "command",
    name,
    options: options as Record<string, unknown>,
    run: null,
    arrival: "record",
  });
}
