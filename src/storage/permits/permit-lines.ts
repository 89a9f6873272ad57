// Who goes first among processes. Each one keeps a line of its own, and says to the others how many wait in it and
// since when; whoever finds that another one has waited clearly longer lets it go first.

import type { PermitBook, KeyEntry, WaitingLine } from "./permit-book.ts";
import type { TakenUse } from "./permit-write.ts";

/** A process lets the head of another one go first that has waited so much longer, ms. */
const TURN_MS = 100;
/** What a process says of its line holds for so long: saying it again would be a commit each time, ms. */
const SAY_MS = 1_000;
/** Silence after which the waiters of a process count no more, ms: three looks. */
export const LINE_SILENT_MS = 3_000;
/** Silence after which what a process said is forgotten: many end while somebody waits in them, ms. */
const LINE_KEPT_MS = 60_000;

/** One use of a write, and its key. */
export interface LinedUse {
  readonly use: TakenUse;
  readonly entry: KeyEntry;
}

/** Position of the use for which another process has waited clearly longer; -1: none. */
export function findRival(worker: string, uses: readonly LinedUse[], nowMs: number): number {
  return uses.findIndex(({ use, entry }) => {
    const sinceMs = nowMs - use.waitedMs;
    for (const line of entry.lines.values()) {
      const isThere = line.seenAtMs > nowMs - LINE_SILENT_MS;
      if (line.worker !== worker && isThere && line.sinceMs + TURN_MS < sinceMs) return true;
    }
    return false;
  });
}

/**
 * Says to other processes how many wait here, and since when; a process in whose line nobody is left has none.
 * `waitsFor`: position of the use for which the one who asks has to wait; -1: for none.
 */
export function noteLines(
  book: PermitBook,
  uses: readonly LinedUse[],
  { worker, waitsFor }: { readonly worker: string; readonly waitsFor: number },
): void {
  const { nowMs } = book;
  for (const [index, { use, entry }] of uses.entries()) {
    for (const line of entry.lines.values()) {
      if (line.seenAtMs <= nowMs - LINE_KEPT_MS) book.setLine(entry, line.worker, null);
    }
    const known = entry.lines.get(worker);
    const isHead = index === waitsFor;
    const waiting = use.waiting + (isHead ? 1 : 0);
    if (waiting === 0) {
      if (known !== undefined) book.setLine(entry, worker, null);
      continue;
    }
    // The next one in line began to wait after the one that was granted; when, it says as it asks.
    const sinceMs = isHead ? nowMs - use.waitedMs : nowMs;
    const line = { worker, waiting, sinceMs, seenAtMs: nowMs };
    if (!isSaid(known, line, nowMs)) book.setLine(entry, worker, line);
  }
}

/** Near enough to what was said last, and not long ago. */
function isSaid(known: WaitingLine | undefined, next: WaitingLine, nowMs: number): boolean {
  if (known === undefined || known.seenAtMs <= nowMs - SAY_MS) return false;
  return known.sinceMs <= next.sinceMs && next.sinceMs < known.sinceMs + TURN_MS / 2;
}

/** How many wait in all processes that were heard of since. */
export function countWaiting(lines: Iterable<WaitingLine>, nowMs: number): number {
  let waiting = 0;
  for (const line of lines) if (line.seenAtMs > nowMs - LINE_SILENT_MS) waiting += line.waiting;
  return waiting;
}
