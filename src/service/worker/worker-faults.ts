// Which faults end no worker.

import { MillraceError } from "../../model/errors.ts";

/** The run is not ours any more; nothing is wrong with the worker. */
export function isGivenUp(error: unknown): boolean {
  return (
    error instanceof MillraceError && (error.code === "LEASE_LOST" || error.code === "SHUTDOWN")
  );
}

/** Busy, by another process: nothing is in doubt, and the next look tries again. */
export function isRetryable(error: unknown): boolean {
  return error instanceof MillraceError && error.retryable;
}
