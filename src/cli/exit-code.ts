// What the process ends with: one number per ending, and one per error code. The record is over all codes, so
// a new one compiles only once it has an answer here.

import { isMillraceError, type ErrorCode } from "../model/errors.ts";

/** Every number the command ends with. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  warnings: 3,
  refused: 4,
  deadline: 5,
  internal: 6,
  work: 20,
  interrupted: 130,
  terminated: 143,
} as const;

/** An exit code. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const EXIT_BY_CODE: Readonly<Record<ErrorCode, ExitCode>> = {
  NODE_TOO_OLD: EXIT.usage,
  USAGE_INVALID: EXIT.usage,
  FLAG_UNKNOWN: EXIT.usage,
  VERB_UNKNOWN: EXIT.usage,
  CONFIG_NOT_FOUND: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  PIPELINE_NOT_FOUND: EXIT.usage,
  PIPELINE_FILE_INVALID: EXIT.usage,
  PIPELINE_UNKNOWN: EXIT.usage,
  PIPELINE_AMBIGUOUS: EXIT.usage,
  DEFINITION_INVALID: EXIT.usage,
  OPTION_INVALID: EXIT.usage,
  FEATURE_UNAVAILABLE: EXIT.usage,
  RESOURCE_UNKNOWN: EXIT.usage,
  RESOURCE_CONFLICT: EXIT.usage,
  USE_INVALID: EXIT.usage,
  USE_NESTED: EXIT.usage,
  BREAKER_OPEN: EXIT.failed,
  QUOTA_EXCEEDED: EXIT.failed,
  LIMIT_TIMEOUT: EXIT.failed,
  INPUT_INVALID: EXIT.usage,
  PROVIDED_MISSING: EXIT.usage,
  STAGE_UNKNOWN: EXIT.usage,
  ITEM_UNKNOWN: EXIT.usage,
  RUN_NOT_FOUND: EXIT.usage,
  RUN_BUSY: EXIT.refused,
  QUEUE_FULL: EXIT.refused,
  RUN_STATE_CONFLICT: EXIT.refused,
  RUN_KEY_CONFLICT: EXIT.refused,
  RUN_MOVE_ILLEGAL: EXIT.refused,
  CHECKPOINT_MISSING: EXIT.usage,
  DEFINITION_CHANGED: EXIT.usage,
  OUTPUT_MISSING: EXIT.failed,
  STAGE_FAILED: EXIT.failed,
  VALUE_NOT_STORABLE: EXIT.usage,
  VALUE_DAMAGED: EXIT.internal,
  LEASE_LOST: EXIT.internal,
  STORE_NOT_FOUND: EXIT.usage,
  STORE_INVALID: EXIT.usage,
  STORE_DAMAGED: EXIT.internal,
  STORE_BUSY: EXIT.internal,
  STORE_FULL: EXIT.internal,
  STORE_READ_ONLY: EXIT.internal,
  STORE_TOO_NEW: EXIT.refused,
  STORE_UNSUPPORTED: EXIT.usage,
  STORE_ON_NETWORK: EXIT.usage,
  STORE_CLOSED: EXIT.internal,
  STORE_FAILED: EXIT.internal,
  SQLITE_TOO_OLD: EXIT.usage,
  FILE_EXISTS: EXIT.refused,
  FILE_UNREADABLE: EXIT.usage,
  FILE_UNWRITABLE: EXIT.internal,
  ROUTE_NOT_FOUND: EXIT.usage,
  METHOD_NOT_ALLOWED: EXIT.usage,
  REQUEST_INVALID: EXIT.usage,
  BODY_INVALID: EXIT.usage,
  BODY_TOO_LARGE: EXIT.usage,
  UNAUTHENTICATED: EXIT.refused,
  FORBIDDEN: EXIT.refused,
  RATE_LIMITED: EXIT.refused,
  UNAVAILABLE: EXIT.internal,
  SUBSCRIBERS_FULL: EXIT.refused,
  IDEMPOTENCY_MISMATCH: EXIT.refused,
  IDEMPOTENCY_RUNNING: EXIT.refused,
  TOKEN_UNKNOWN: EXIT.usage,
  TOKEN_FILE_UNSAFE: EXIT.usage,
  SERVER_UNSAFE: EXIT.usage,
  PORT_IN_USE: EXIT.refused,
  SCHEDULE_UNKNOWN: EXIT.usage,
  SCHEDULE_INVALID: EXIT.usage,
  HEALTH_REFUSED: EXIT.refused,
  EVENT_INVALID: EXIT.usage,
  OPERATION_UNKNOWN: EXIT.usage,
  OPERATION_CHANGED: EXIT.refused,
  WORKER_UNKNOWN: EXIT.usage,
  TARGET_INVALID: EXIT.usage,
  FOLDER_UNWRITABLE: EXIT.internal,
  SHUTDOWN: EXIT.interrupted,
  INTERNAL: EXIT.internal,
};

/** Exit code of an error code. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  return EXIT_BY_CODE[code];
}

/** Exit code of anything thrown; what is none of our errors is a fault of ours. */
export function exitCodeOfError(error: unknown): ExitCode {
  if (isMillraceError(error) && error.details?.["signal"] === "SIGTERM") return EXIT.terminated;
  return isMillraceError(error) ? (EXIT_BY_CODE[error.code] ?? EXIT.internal) : EXIT.internal;
}

/** The order in which the endings of several runs decide: the first that applies. */
const WORST_FIRST: readonly number[] = [
  EXIT.interrupted,
  EXIT.terminated,
  EXIT.internal,
  EXIT.failed,
  EXIT.deadline,
  EXIT.refused,
  EXIT.warnings,
];

/** One exit code for several runs: the first of 130/143, 6, 1, 5, 4, 3, 0 that applies. */
export function worstExitCode(codes: readonly number[]): number {
  return WORST_FIRST.find((code) => codes.includes(code)) ?? EXIT.ok;
}
