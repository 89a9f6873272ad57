// The catalogue of operating faults: one code each, one class for all. Codes know no transport; the command
// and the API each keep a record from code to exit code or status that the compiler holds complete.

import type { Json } from "../std/json.ts";

/** Every code. Noun, then fault. Never renamed; a code that is no longer thrown stays listed. */
export const ERROR_CODES = [
  "NODE_TOO_OLD",
  "USAGE_INVALID",
  "FLAG_UNKNOWN",
  "VERB_UNKNOWN",
  "CONFIG_NOT_FOUND",
  "CONFIG_INVALID",
  "PIPELINE_NOT_FOUND",
  "PIPELINE_FILE_INVALID",
  "PIPELINE_UNKNOWN",
  "PIPELINE_AMBIGUOUS",
  "DEFINITION_INVALID",
  "OPTION_INVALID",
  "FEATURE_UNAVAILABLE",
  "RESOURCE_UNKNOWN",
  "RESOURCE_CONFLICT",
  "USE_INVALID",
  "USE_NESTED",
  "BREAKER_OPEN",
  "QUOTA_EXCEEDED",
  "LIMIT_TIMEOUT",
  "INPUT_INVALID",
  "PROVIDED_MISSING",
  "STAGE_UNKNOWN",
  "ITEM_UNKNOWN",
  "RUN_NOT_FOUND",
  "RUN_BUSY",
  "QUEUE_FULL",
  "RUN_STATE_CONFLICT",
  "RUN_KEY_CONFLICT",
  "RUN_MOVE_ILLEGAL",
  "CHECKPOINT_MISSING",
  "DEFINITION_CHANGED",
  "OUTPUT_MISSING",
  "STAGE_FAILED",
  "VALUE_NOT_STORABLE",
  "VALUE_DAMAGED",
  "LEASE_LOST",
  "STORE_NOT_FOUND",
  "STORE_INVALID",
  "STORE_DAMAGED",
  "STORE_BUSY",
  "STORE_FULL",
  "STORE_READ_ONLY",
  "STORE_TOO_NEW",
  "STORE_UNSUPPORTED",
  "STORE_ON_NETWORK",
  "STORE_CLOSED",
  "STORE_FAILED",
  "SQLITE_TOO_OLD",
  "FILE_EXISTS",
  "FILE_UNREADABLE",
  "FILE_UNWRITABLE",
  "ROUTE_NOT_FOUND",
  "METHOD_NOT_ALLOWED",
  "REQUEST_INVALID",
  "BODY_INVALID",
  "BODY_TOO_LARGE",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "RATE_LIMITED",
  "UNAVAILABLE",
  "SUBSCRIBERS_FULL",
  "IDEMPOTENCY_MISMATCH",
  "IDEMPOTENCY_RUNNING",
  "TOKEN_UNKNOWN",
  "TOKEN_FILE_UNSAFE",
  "SERVER_UNSAFE",
  "PORT_IN_USE",
  "SCHEDULE_UNKNOWN",
  "SCHEDULE_INVALID",
  "HEALTH_REFUSED",
  "EVENT_INVALID",
  "OPERATION_UNKNOWN",
  "OPERATION_CHANGED",
  "WORKER_UNKNOWN",
  "TARGET_INVALID",
  "FOLDER_UNWRITABLE",
  "SHUTDOWN",
  "INTERNAL",
] as const;

/** Code of an operating fault. */
export type ErrorCode = (typeof ERROR_CODES)[number];

const errorMark = Symbol.for("millrace.error");

/** What may be said besides code and message. */
export interface MillraceErrorOptions {
  /** What to do now, in a sentence. */
  readonly hint?: string;
  /** A command that works as it stands. */
  readonly next?: string;
  /** True where the same call may succeed later. Default false. */
  readonly retryable?: boolean;
  /** Bounded facts for programs: lists of faults, known names, expected and given. */
  readonly details?: Readonly<Record<string, Json>>;
  readonly cause?: unknown;
}

/** Every operating fault that millrace throws. Tell them apart by `code`. */
export class MillraceError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly next: string | undefined;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, Json>> | undefined;

  constructor(code: ErrorCode, message: string, options: MillraceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "MillraceError";
    this.code = code;
    this.hint = options.hint;
    this.next = options.next;
    this.retryable = options.retryable ?? false;
    this.details = options.details;
    // By symbol, so that two copies of the package recognise each other's errors.
    Object.defineProperty(this, errorMark, { value: true });
  }
}

/** True for a MillraceError of this or another copy of the package. */
export function isMillraceError(error: unknown): error is MillraceError {
  return typeof error === "object" && error !== null && errorMark in error;
}

/** Makes an error that came from another thread or process one of ours again, where its name and code say so. */
export function markMillraceError(error: Error): Error {
  const code: unknown = Reflect.get(error, "code");
  const isOurs = error.name === "MillraceError" && ERROR_CODES.some((known) => known === code);
  if (isOurs && !isMillraceError(error)) Object.defineProperty(error, errorMark, { value: true });
  return error;
}

/** Thrown by a stage: worth another attempt, whatever else the error says. */
export class TransientError extends Error {
  readonly millraceClass = "server" as const;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TransientError";
  }
}

/** Thrown by a stage: never worth another attempt. */
export class PermanentError extends Error {
  readonly millraceClass = "permanent" as const;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PermanentError";
  }
}

/** Thrown by a stage: the other side asks for less. Waits at least `retryAfter` and costs no attempt. */
export class ThrottledError extends Error {
  readonly millraceClass = "throttled" as const;
  /** Ms, duration text ("30s"), or the text of a Retry-After header: seconds ("30") or a date. Undefined, or none of
   *  these: the policy's own delay. */
  readonly retryAfter: number | string | undefined;
  /** `retryAfter: null`, as a header that is absent reads, is the same as none. */
  constructor(
    message: string,
    options: ErrorOptions & { readonly retryAfter?: number | string | null | undefined } = {},
  ) {
    super(message, options);
    this.name = "ThrottledError";
    this.retryAfter = options.retryAfter ?? undefined;
  }
}
