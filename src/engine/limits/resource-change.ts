// What `onChange` of a resource hears, made from the events that tell the same to everybody else.

import type { EventDraft } from "../../model/event.ts";
import type {
  QuotaDeclared,
  ResourceChange,
  ResourceDeclaration,
  ResourceTerms,
} from "../../model/resource/resource.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Json } from "../../std/json.ts";
import { isRecord } from "../../std/record.ts";

/** Tells the listener of a resource what an event means for it. What it throws is its own affair. */
export function tellChange(declaration: ResourceDeclaration, draft: EventDraft): void {
  const { onChange } = declaration.hooks;
  if (onChange === null) return;
  for (const change of toChanges(declaration.terms, draft)) {
    try {
      const answer: unknown = onChange(change);
      if (answer instanceof Promise) answer.catch(() => undefined);
    } catch {
      // A listener is a guest: nothing that it does may reach those who use the resource.
    }
  }
}

/** True for events of resources. */
export function isResourceEvent({ type }: EventDraft): boolean {
  return type.startsWith("breaker.") || type.startsWith("resource.");
}

/** What an event of a resource changes; empty where it is none. */
function toChanges(
  terms: ResourceTerms,
  { type, data = {} }: EventDraft,
): readonly ResourceChange[] {
  const common = {
    resource: terms.name,
    key: textOf(data["key"]),
    actor: textOf(data["actor"]) ?? "",
    reason: textOf(data["reason"]) ?? "",
    untilMs: typeof data["untilMs"] === "number" ? data["untilMs"] : null,
  };
  if (type === "resource.set")
    return toSet(terms, data).map((change) => ({ ...common, ...change }));
  const moved = toMove(type, data);
  return moved === null ? [] : [{ ...common, ...moved }];
}

type Data = Readonly<Record<string, Json>>;
type Move = Pick<ResourceChange, "kind" | "from" | "to">;

function toMove(type: EventDraft["type"], data: Data): Move | null {
  if (type === "resource.paused") return { kind: "pause", from: "free", to: "paused" };
  if (type === "resource.reset") return { kind: "limit", from: "set", to: "declared" };
  if (!type.startsWith("breaker.")) return null;
  return { kind: "breaker", from: textOf(data["from"]) ?? "", to: textOf(data["to"]) ?? "" };
}

function toSet(terms: ResourceTerms, data: Data): readonly Move[] {
  const { limit, quotas, key, formerLimit, formerQuotas } = data;
  const changes: Move[] = [];
  if (typeof limit === "number") {
    const name = textOf(key) ?? "";
    const declared = Object.hasOwn(terms.limits, name) ? terms.limits[name] : terms.limit;
    const from = typeof formerLimit === "number" ? formerLimit : (declared ?? "none");
    changes.push({ kind: "limit", from: String(from), to: String(limit) });
  }
  if (Array.isArray(quotas)) {
    const declared = terms.quotas.map(describe).join(", ") || "none";
    const from = Array.isArray(formerQuotas) ? list(formerQuotas) : declared;
    changes.push({ kind: "quota", from, to: list(quotas) });
  }
  // What was set before and stays is named again.
  const isNews = (change: Move): boolean => change.from !== change.to;
  return changes.some(isNews) ? changes.filter(isNews) : changes;
}

function list(quotas: readonly Json[]): string {
  return quotas.map((quota) => (isRecord(quota) ? describe(quota) : "")).join(", ");
}

function describe({ rate, perMs }: Readonly<Record<string, unknown>> | QuotaDeclared): string {
  return `${String(rate)}/${formatDuration(Number(perMs))}`;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
