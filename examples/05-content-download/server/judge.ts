// Reads the server's log as a judge: what was asked at the same time, what was asked too soon, what should not have
// been asked. Knows nothing of the programs that asked.
import type { LogEntry } from "./server.ts";

/** Most requests that one host answered at the same time. */
export function countParallelMax(entries: readonly LogEntry[], host: string): number {
  const marks = entries
    .filter((entry) => entry.host === host)
    .flatMap(({ startMs, endMs }) => [
      { atMs: startMs, change: 1 },
      { atMs: endMs, change: -1 },
    ])
    // Of two marks of one millisecond the end counts first: the log is no finer than that.
    .toSorted((a, b) => a.atMs - b.atMs || a.change - b.change);
  let now = 0;
  let most = 0;
  for (const { change } of marks) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}

/** How long an answer may take to be read, noted and told to every process, ms. */
const TOLD_MS = 50;

/** A wait that a host asked for, and what it got. Both from the moment the answer began: its headers went first. */
export interface Wait {
  readonly entry: LogEntry;
  readonly askedMs: number;
  /** Until the next request to the host (or to the address), ms; Infinity when there was none. */
  readonly gotMs: number;
}

/**
 * All waits that were asked for with Retry-After. `of` says what must wait. Default: the whole host, but for what was
 * on its way already.
 */
export function listWaits(entries: readonly LogEntry[], of: "host" | "address" = "host"): Wait[] {
  const asking = entries.filter(({ retryAfter }) => retryAfter !== null);
  return asking.map((entry) => {
    const later = entries.filter(
      ({ id, host, path, startMs }) =>
        id > entry.id &&
        host === entry.host &&
        (of === "host" ? startMs > entry.endMs + TOLD_MS : path === entry.path),
    );
    const nextMs = Math.min(...later.map(({ startMs }) => startMs));
    return { entry, askedMs: toWaitMs(entry), gotMs: nextMs - entry.startMs };
  });
}

/** A date counts from the second that the answer's own Date header names. */
function toWaitMs({ retryAfter, startMs }: LogEntry): number {
  const text = retryAfter ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  return Date.parse(text) - Math.floor(startMs / 1_000) * 1_000;
}

/** The addresses of a host that were asked for, as `METHOD path`, in order. */
export function listAsked(entries: readonly LogEntry[], host: string): string[] {
  return entries
    .filter((entry) => entry.host === host)
    .toSorted((a, b) => a.id - b.id)
    .map(({ method, path }) => `${method} ${path}`);
}

/**
 * Requests that reached a host too soon: within `forMs` after it had failed for at least so many times in a row. What
 * was on its way already is not.
 */
export function listTooSoon(
  entries: readonly LogEntry[],
  host: string,
  breaker: { readonly threshold: number; readonly forMs: number },
): LogEntry[] {
  const own = entries.filter((entry) => entry.host === host);
  let inARow = 0;
  const closedAtMs: number[] = [];
  for (const entry of own.toSorted((a, b) => a.endMs - b.endMs)) {
    inARow = entry.status >= 500 ? inARow + 1 : 0;
    if (inARow >= breaker.threshold) closedAtMs.push(entry.endMs);
  }
  return own.filter(({ startMs }) =>
    closedAtMs.some((fromMs) => startMs > fromMs && startMs < fromMs + breaker.forMs),
  );
}
