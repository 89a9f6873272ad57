// Every reason why something is not running, as data: what `why` prints and the API returns.

/** Kinds of blocker. The first twelve can hold a whole run; the others hold a stage or item. */
export const BLOCKER_KINDS = [
  "due",
  "retry",
  "limit",
  "quota",
  "breaker",
  "budget",
  "busy",
  "policy",
  "no-worker",
  "paused",
  "interrupted",
  "local-resource",
  "needs",
  "slot",
  "position",
  "finished",
] as const;

/** Kind of a blocker. `finished`: nothing will run because it has ended. */
export type BlockerKind = (typeof BLOCKER_KINDS)[number];

/** One reason why something is not running. */
export interface Blocker {
  readonly kind: BlockerKind;
  /** Who or what stands in the way: a stage, a resource, a process. */
  readonly name: string;
  /** Key of a keyed resource, or of an item. */
  readonly key?: string;
  /** Since when, UTC ms; absent where nothing recorded it. */
  readonly sinceMs?: number;
  /** Others that are served before this one. */
  readonly ahead?: number;
  /** Who holds it now, at most 10. */
  readonly holders?: readonly string[];
  /** When it may clear, UTC ms. */
  readonly expectedAtMs?: number;
  /** How sure `expectedAtMs` is. */
  readonly basis: "exact" | "estimate" | "unknown";
  /** The whole reason in one sentence for people. */
  readonly text: string;
}
