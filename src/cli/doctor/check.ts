// One check of `doctor`: what was looked at, what was found, what to do.

/** How a check ended. */
export type CheckStatus = "ok" | "warn" | "fail";

/** One check. */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found, in a few words. */
  readonly value: string;
  readonly hint?: string;
  /** A command that works. */
  readonly next?: string;
}
