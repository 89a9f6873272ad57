// Which clock ends an attempt first: its own timeout, the deadline of its stage or item, or that of the run.

/** The limits of one attempt; null: none. All on one clock. */
export interface LimitOptions {
  /** Longest time of this attempt, ms, from `nowMs`. */
  readonly timeoutMs: number | null;
  /** When all attempts and waits of the stage or item must be over. */
  readonly deadlineAtMs: number | null;
  readonly runDeadlineAtMs: number | null;
  /** When user code starts. */
  readonly nowMs: number;
}

/** The limit that is met first. */
export interface Limit {
  readonly atMs: number;
  readonly kind: "timeout" | "deadline";
}

/**
 * The first limit, or null without any; it may lie in the past. At equal times the deadline counts, since a
 * timeout would be answered by a retry that has no time left.
 */
export function nextLimit(options: LimitOptions): Limit | null {
  const { timeoutMs, deadlineAtMs, runDeadlineAtMs, nowMs } = options;
  const deadlineMs = Math.min(deadlineAtMs ?? Infinity, runDeadlineAtMs ?? Infinity);
  const timeoutAtMs = timeoutMs === null ? Infinity : nowMs + timeoutMs;
  if (timeoutAtMs < deadlineMs) return { atMs: timeoutAtMs, kind: "timeout" };
  return deadlineMs === Infinity ? null : { atMs: deadlineMs, kind: "deadline" };
}
