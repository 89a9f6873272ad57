// What a person's order does to one key of a resource, or to the whole of it.

import type { EventDraft } from "../../model/event.ts";
import type { QuotaDeclared } from "../../model/resource/resource.ts";
import { findResourceOverride, type ResourceOverride } from "../../policy/admission.ts";
import { newBreaker } from "../../policy/breaker/breaker.ts";
import { resetBreaker, tripBreaker } from "../../policy/breaker/override-breaker.ts";
import type { Json } from "../../std/json.ts";
import type { PermitBook } from "./permit-book.ts";
import type { SetResourceWrite } from "./permit-write.ts";
import { nameOf, tellBreaker } from "./resource-news.ts";

/** Does what a person asked for, and tells it where it changes anything. */
export function setResource(book: PermitBook, write: SetResourceWrite): readonly EventDraft[] {
  const entry = book.find(write);
  const { nowMs } = book;
  const { change, actor, reason } = write;
  const before = entry.state.breaker;
  book.changed(entry);
  if (change.kind !== "trip") book.noteRoom(entry, "all");
  if (change.kind === "override") {
    const untilMs = change.forMs === null ? null : nowMs + change.forMs;
    const { limit, quotas } = change;
    const whole = entry.key === "" ? null : book.find({ ...write, key: "" }).state;
    const former = findResourceOverride(entry.state, whole, nowMs);
    entry.state = { ...entry.state, override: { limit, quotas, untilMs, actor, reason } };
    const data = {
      ...nameOf(entry),
      ...(limit === null ? {} : { limit }),
      ...(quotas === null ? {} : { quotas: quotas.map(toNumbers) }),
      ...(former === null ? {} : describeFormer(former)),
      ...(untilMs === null ? {} : { untilMs }),
      actor,
      reason,
    };
    return [{ type: "resource.set", data }];
  }
  const known = before ?? newBreaker(nowMs);
  if (change.kind === "trip") {
    const order = { reason, actor, untilMs: nowMs + change.forMs };
    entry.state = { ...entry.state, breaker: tripBreaker(known, order, nowMs) };
    return tellBreaker(entry, before, { actor, reason });
  }
  const isClosed = before === null || (before.state === "closed" && before.override === null);
  const breaker = isClosed ? before : resetBreaker(known, nowMs);
  const { pausedUntilMs } = entry.state;
  const isOverridden = findResourceOverride(entry.state, null, nowMs) !== null;
  entry.state = { ...entry.state, breaker, override: null, pausedUntilMs: null };
  const told = tellBreaker(entry, before, { actor, reason });
  const isLifted = isOverridden || (pausedUntilMs !== null && nowMs < pausedUntilMs);
  if (!isLifted) return told;
  return [{ type: "resource.reset", data: { ...nameOf(entry), actor, reason } }, ...told];
}

/** What held by hand until then; what it does not say was as declared. */
function describeFormer({ limit, quotas }: ResourceOverride): Readonly<Record<string, Json>> {
  return {
    ...(limit === null ? {} : { formerLimit: limit }),
    ...(quotas === null ? {} : { formerQuotas: quotas.map(toNumbers) }),
  };
}

function toNumbers({ rate, perMs }: QuotaDeclared): { rate: number; perMs: number } {
  return { rate, perMs };
}
