// A wait for a resource, as rows and events keep it: which gate stands in the way, since when, and the waits that are
// over. The gate is one text, `limit:host/example.com`, which this file alone writes and reads.

import type { BlockerKind } from "../blocker.ts";

/** Kinds of blocker that a resource has. */
export const GATE_KINDS: readonly ["limit", "quota", "breaker", "budget"] = [
  "limit",
  "quota",
  "breaker",
  "budget",
] as const satisfies readonly BlockerKind[];

/** How long something waits for a resource before that is stored and told, ms. */
export const GATE_TOLD_MS = 1_000;
/** Items of one stage whose waits for resources are stored at a time; further ones are counted. */
export const GATE_ROWS_MAX = 100;
/** Waits that a row keeps of those that are over, the longest ones. */
export const PAST_WAITS_MAX = 8;

/** What of which resource something waits for. */
export interface GateBlocker {
  readonly kind: (typeof GATE_KINDS)[number];
  /** As it was declared. */
  readonly resource: string;
  /** Null: the resource has no keys. */
  readonly key: string | null;
}

/** A wait that is over. */
export interface PastWait {
  /** As `writeGateBlocker` writes it. */
  readonly blocker: string;
  /** UTC ms of the store. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A wait for a resource that goes on. */
export interface PresentWait {
  /** UTC ms of the store. */
  readonly sinceMs: number;
  /** How many were before it in line when it was told; null: nobody counted. */
  readonly ahead: number | null;
  /** Number of the attempt of which a block waits. Absent: the attempt that waits has not begun. */
  readonly block?: number;
}

/** What a row keeps of waits for resources besides their sums. */
export interface WaitTrail {
  /** The oldest first, at most PAST_WAITS_MAX, none shorter than GATE_TOLD_MS. */
  readonly past: readonly PastWait[];
  /** Null: it does not wait for a resource. */
  readonly now: PresentWait | null;
}

/** `limit:api`, `breaker:host/example.com`. */
export function writeGateBlocker(blocker: GateBlocker): string {
  return `${blocker.kind}:${nameGate(blocker)}`;
}

/** Reads what `writeGateBlocker` wrote; null: it is something else, such as `retry`. */
export function parseGateBlocker(text: string | null): GateBlocker | null {
  const cut = text?.indexOf(":") ?? -1;
  if (text === null || cut < 0) return null;
  const kind = GATE_KINDS.find((one) => one === text.slice(0, cut));
  const name = text.slice(cut + 1);
  const slash = name.indexOf("/");
  if (kind === undefined || name === "" || slash === 0) return null;
  if (slash < 0) return { kind, resource: name, key: null };
  return { kind, resource: name.slice(0, slash), key: name.slice(slash + 1) };
}

/** `api`, `host/example.com`. */
export function nameGate({ resource, key }: Pick<GateBlocker, "resource" | "key">): string {
  return key === null ? resource : `${resource}/${key}`;
}

/** Under which cause its time is counted: keys may be many, resources are few. `limit:host`. */
export function waitCause({ kind, resource }: Pick<GateBlocker, "kind" | "resource">): string {
  return `${kind}:${resource}`;
}
