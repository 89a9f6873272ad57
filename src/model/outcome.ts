// How an attempt, a stage or an item ended, and how that reaches its readers (`Settled`). Failures of user
// code are data here: classified, bounded, stored; they are never thrown through the engine.

import type { ErrorEnvelope } from "../std/error/error-envelope.ts";
import type { EncodedValue } from "../std/value.ts";

/** Every state a stage or item can have. */
export const STAGE_STATES = [
  "pending",
  "running",
  "waiting",
  "succeeded",
  "failed",
  "skipped",
  "cancelled",
  "upstream_failed",
] as const;

/** State of a stage or item. */
export type StageState = (typeof STAGE_STATES)[number];

/** The states that end a stage or item. */
export type StageEndState = "succeeded" | "failed" | "skipped" | "cancelled" | "upstream_failed";

/** How a success came about: worked for, found in the cache, or taken from a checkpoint. */
export type Via = "run" | "cache" | "checkpoint";

/** Classes of failure; what each means for retries stands in `policy/classify/`. */
export const ERROR_CLASSES = [
  "unreachable",
  "dns-missing",
  "broken",
  "timeout",
  "throttled",
  "server",
  "replay-later",
  "auth",
  "tls-config",
  "permanent",
  "already-done",
  "no-verdict",
  "data-loss",
  "db-conflict",
  "db-away",
  "db-full",
  "local-resource",
  "local-config",
  "subprocess",
  "crash",
  "bug",
  "cancelled",
  "fenced",
  "deadline",
  "ambiguous",
  "breaker-open",
  "deferral-exhausted",
  "poison",
  "unknown",
] as const;

/** Class of a failure. */
export type ErrorClass = (typeof ERROR_CLASSES)[number];

/** A failure as data. */
export interface Failure {
  readonly class: ErrorClass;
  /** Message of the last error, at most 16 KiB. */
  readonly message: string;
  /** `code` of the error, an HTTP status or exit code in words (`HTTP 502`, `exit 3`), if it had one. */
  readonly code?: string;
  /** Attempts really made. 0: failed before user code started. */
  readonly attempts: number;
  /** Message of the first error where it differs from the last one, at most 16 KiB. */
  readonly firstMessage?: string;
  /** How many different messages there were over all attempts. */
  readonly distinct?: number;
  /** Equal failures of different items have equal fingerprints. */
  readonly fingerprint: string;
  /** Of `upstream_failed`: the stage that failed. Of a run: the stage that failed it. */
  readonly stage?: string;
  /** Of a stage that failed because of items, or of a run: the first failed item's key and position. */
  readonly item?: { readonly key: string; readonly index: number };
  /** The error itself with causes, as plain data, at most 16 KiB as text. */
  readonly error?: ErrorEnvelope;
}

/** How a stage or item ended, as its readers see it. */
export type Ending =
  | { readonly state: "succeeded"; readonly via: Via }
  | { readonly state: "skipped"; readonly reason: string }
  | { readonly state: "failed"; readonly failure: Failure }
  | { readonly state: "upstream_failed"; readonly failure: Failure }
  | { readonly state: "cancelled"; readonly reason: string; readonly failure?: Failure };

/**
 * What a soft need arrives as: the stage's value, or why there is none. `status` says which; `value` may be
 * read without asking first and is undefined unless the stage succeeded.
 */
export type Settled<T> =
  | { readonly status: "succeeded"; readonly value: T }
  | { readonly status: "skipped"; readonly reason: string; readonly value?: undefined }
  | {
      readonly status: "failed" | "upstream_failed" | "cancelled";
      readonly error?: Failure;
      readonly value?: undefined;
    };

/** One item of a map stage with `onItemFailure: "continue"`, in input order. */
export type ItemOutcome<T> = { readonly key: string; readonly index: number } & Settled<T>;

/** Where a stored value is: in the row, or in a blob named by its content. */
export type StoredValue =
  | { readonly kind: "inline"; readonly text: EncodedValue }
  | { readonly kind: "blob"; readonly blob: string; readonly bytes: number };

const skipMark: unique symbol = Symbol.for("millrace.skip");

/** What a stage returns to say "nothing to do here"; made by `skip`. */
export interface Skip {
  readonly [skipMark]: true;
  readonly reason: string;
}

/**
 * Ends the stage or item `skipped` with this reason when returned from a stage or its `when`.
 * @param reason Shown to people and stored; 1 to 500 characters, default "returned".
 */
export function skip(reason: string = "returned"): Skip {
  return Object.freeze({ [skipMark]: true as const, reason });
}

/** True for a value made by `skip`, also by another copy of the package. */
export function isSkip(value: unknown): value is Skip {
  return typeof value === "object" && value !== null && skipMark in value;
}
