// The schedulers of a process, so that a change made here is seen at once. One of another process sees it within 30 s.

import type { MillContext } from "../mill-context.ts";

/** What can be woken, and asked how late it is. */
export interface Wakeable {
  /** Ms. */
  readonly lateMs: number;
  wake(): void;
}

const running = new WeakMap<MillContext, Set<Wakeable>>();

/** Those that were started with a mill. */
export function schedulersOf(mill: MillContext): Set<Wakeable> {
  const known = running.get(mill) ?? new Set<Wakeable>();
  running.set(mill, known);
  return known;
}

/** Lets each look again now. */
export function wakeSchedulers(mill: MillContext): void {
  for (const scheduler of schedulersOf(mill)) scheduler.wake();
}
