// What a stage may need, and as what it arrives: values in the definition, types for the reader. `required` and
// `provided` are here; stages are in `stage.ts`.

import type { Schema } from "../schema.ts";
import type { Settled } from "../outcome.ts";
import type { TriggerRule } from "./trigger.ts";

declare const OUTPUT: unique symbol;
declare const SOFT: unique symbol;
declare const ITEM: unique symbol;

/** The least a stage is to those who need it: a name, and two types that exist for the compiler alone. */
export interface StageValue<Out = unknown, Soft extends boolean = boolean> {
  readonly kind: "stage" | "map" | "command";
  readonly name: string;
  readonly [OUTPUT]?: Out;
  readonly [SOFT]?: Soft;
}

/** A map stage; `Item` is what one item gives, unwrapped, to a map over it. */
export interface MapValue<
  Out = unknown,
  Soft extends boolean = boolean,
  Item = unknown,
> extends StageValue<Out, Soft> {
  readonly kind: "map";
  readonly [ITEM]?: Item;
}

/** The run's input. */
export interface Input<T = unknown> {
  readonly kind: "input";
  readonly schema: Schema<T> | null;
  readonly [OUTPUT]?: T;
}

/** A value the caller gives under this name at run time; never stored. */
export interface Provided<T = unknown> {
  readonly kind: "provided";
  readonly name: string;
  readonly [OUTPUT]?: T;
}

/** A soft need made hard: a skip or failure upstream ends the reader the same way. */
export interface RequiredNeed<S = unknown> {
  readonly kind: "required";
  readonly stage: S;
}

/** Anything that may stand in `needs`. */
export type Need =
  | StageValue
  | Input
  | Provided
  | RequiredNeed<StageValue>
  | readonly (StageValue | Input | Provided | RequiredNeed<StageValue>)[];

/** The needs of a stage, by local name. */
export type Needs = Readonly<Record<string, Need>>;

/** The value of a stage, input or provided need when it is there. */
export type OutputOf<N> =
  N extends StageValue<infer T, infer _Soft>
    ? T
    : N extends Input<infer T>
      ? T
      : N extends Provided<infer T>
        ? T
        : never;

/** As what one need arrives under `all_success`. */
export type Arriving<N> =
  N extends RequiredNeed<infer S>
    ? OutputOf<S>
    : N extends StageValue<infer T, infer Soft>
      ? false extends Soft
        ? true extends Soft
          ? Settled<T>
          : T
        : Settled<T>
      : N extends Input | Provided
        ? OutputOf<N>
        : N extends readonly unknown[]
          ? { readonly [K in keyof N]: Arriving<N[K]> }
          : never;

/** As what one need arrives under any other rule: stages are always `Settled`. */
export type ArrivingSettled<N> =
  N extends RequiredNeed<infer S>
    ? Settled<OutputOf<S>>
    : N extends StageValue<infer T, infer _Soft>
      ? Settled<T>
      : N extends Input | Provided
        ? OutputOf<N>
        : N extends readonly unknown[]
          ? { readonly [K in keyof N]: ArrivingSettled<N[K]> }
          : never;

/** The record a stage function receives. */
export type NeedsArriving<N, Trigger extends TriggerRule> = [Trigger] extends ["all_success"]
  ? { readonly [K in keyof N]: Arriving<N[K]> }
  : { readonly [K in keyof N]: ArrivingSettled<N[K]> };

/** True if any need is `required(...)`: then the stage itself is soft. */
export type HasRequired<N> = true extends {
  [K in keyof N]: N[K] extends RequiredNeed
    ? true
    : N[K] extends readonly (infer E)[]
      ? Extract<E, RequiredNeed> extends never
        ? false
        : true
      : false;
}[keyof N]
  ? true
  : false;

/**
 * Makes a soft need hard: it arrives as the plain value, and a skip or failure of `stage` ends the reader the
 * same way. The reader becomes soft itself.
 */
export function required<S extends StageValue>(stage: S): RequiredNeed<S> {
  return Object.freeze({ kind: "required" as const, stage });
}

/** A value that whoever runs the pipeline gives under `provide: { [name]: value }`. Never stored. */
export function provided<T>(name: string): Provided<T> {
  return Object.freeze({ kind: "provided" as const, name });
}

/** The run's input, checked by `schema` before the run starts; without one it is taken as it is. */
export function input<T>(schema?: Schema<T>): Input<T> {
  return Object.freeze({ kind: "input" as const, schema: schema ?? null });
}
