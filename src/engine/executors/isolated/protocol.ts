// What an isolated process and its worker say to each other. The process is told of one attempt, asks for what only
// the worker has (memos, artifacts), and ends with one result; a process that ends without one has crashed.

import type { StateEntry, MetricChange } from "../../../model/checkpoint.ts";
import type { AbortKind, ArtifactReference } from "../../../model/context.ts";
import type { ErrorEnvelope } from "../../../std/error/error-envelope.ts";
import type { Json } from "../../../std/json.ts";
import type { EncodedValue } from "../../../std/value.ts";

/** One attempt, as the process is told of it. */
export interface IsolatedCall {
  /** Address of the module that exports the pipeline. */
  readonly module: string;
  readonly pipeline: string;
  readonly stage: string;
  readonly item: {
    readonly key: string;
    readonly index: number;
    readonly value: EncodedValue;
  } | null;
  readonly needs: EncodedValue;
  readonly runId: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  /** UTC ms; null: no schedule started it. */
  readonly scheduled: { readonly atMs: number; readonly fromMs: number } | null;
  readonly dir: string;
  /** Null: a value that cannot leave its process, which only a run in memory may have. */
  readonly state: readonly { readonly key: string; readonly value: EncodedValue | null }[];
}

/** What the worker says. */
export type Order =
  | { readonly kind: "call"; readonly call: IsolatedCall }
  | { readonly kind: "abort"; readonly abort: AbortKind; readonly message: string }
  /** The memo is not known: it has to be made. */
  | { readonly kind: "make"; readonly id: number }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer };

/** The end of a question. */
export type Answer =
  | { readonly kind: "value"; readonly value: EncodedValue }
  | { readonly kind: "artifact"; readonly reference: ArtifactReference }
  | { readonly kind: "threw"; readonly error: ErrorEnvelope };

/** What the process says. */
export type Report =
  /** The stage is found: what happens from now on is its doing. */
  | { readonly kind: "begun" }
  /** It cannot be called here. */
  | { readonly kind: "unavailable"; readonly reason: string }
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly data: Readonly<Record<string, Json>> | undefined;
    }
  | {
      readonly kind: "progress";
      readonly done: number;
      readonly total: number | undefined;
      readonly note: string | undefined;
    }
  | { readonly kind: "emit"; readonly name: string; readonly data: Readonly<Record<string, Json>> }
  | { readonly kind: "metric"; readonly name: string; readonly change: MetricChange }
  | { readonly kind: "memo"; readonly id: number; readonly name: string }
  | { readonly kind: "made"; readonly id: number; readonly answer: Answer }
  | {
      readonly kind: "artifact";
      readonly id: number;
      readonly name: string;
      readonly data: Uint8Array | string;
    }
  | {
      readonly kind: "returned";
      readonly value: EncodedValue;
      readonly state: readonly Omit<StateEntry, "stage">[];
    }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "threw"; readonly error: ErrorEnvelope };
