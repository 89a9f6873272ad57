// What is told of a key of a resource: its breaker moved, or the other side asked for a pause.

import type { EventDraft } from "../../model/event.ts";
import type { BreakerState } from "../../policy/breaker/breaker.ts";
import type { KeyEntry } from "./permit-book.ts";
import type { ResourceAddress } from "./permit-write.ts";

const BREAKER_EVENTS = {
  open: "breaker.opened",
  half_open: "breaker.half_opened",
  closed: "breaker.closed",
} as const;

/** An event for a real change of state, and for nothing else. */
export function tellBreaker(
  entry: KeyEntry,
  before: BreakerState | null,
  { actor, reason }: { readonly actor: string; readonly reason: string },
): readonly EventDraft[] {
  const { breaker } = entry.state;
  const from = before?.state ?? "closed";
  if (breaker === null || breaker.state === from) return [];
  const forced = breaker.override?.untilMs ?? 0;
  const untilMs = breaker.state === "open" ? Math.max(breaker.openUntilMs, forced) : null;
  const data = {
    ...nameOf(entry),
    from,
    to: breaker.state,
    ...(untilMs === null ? {} : { untilMs }),
    actor,
    reason,
  };
  return [{ type: BREAKER_EVENTS[breaker.state], data }];
}

/** A key as events name it. */
export function nameOf({ resource, key }: ResourceAddress): { resource: string; key?: string } {
  return key === "" ? { resource } : { resource, key };
}

/** Nobody gets the key for so long; a pause only ever gets longer. */
export function pauseFor(entry: KeyEntry, pauseMs: number, nowMs: number): readonly EventDraft[] {
  const untilMs = Math.ceil(nowMs + pauseMs);
  const before = entry.state.pausedUntilMs ?? 0;
  if (untilMs <= before) return [];
  entry.state = { ...entry.state, pausedUntilMs: untilMs };
  // A pause that is only made longer is no news.
  if (before > nowMs) return [];
  const reason = "the other side asked for it, or refused our credentials";
  return [
    { type: "resource.paused", data: { ...nameOf(entry), untilMs, actor: "server", reason } },
  ];
}
