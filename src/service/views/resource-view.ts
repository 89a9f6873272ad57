// A key of a resource as documents show it: what is declared and what holds now, who has it, how its quotas and its
// breaker stand, and what was set by hand.

import type { QuotaDeclared, ResourceTerms } from "../../model/resource/resource.ts";
import {
  findResourceOverride,
  keyTerms,
  type ResourceOverride,
  type ResourceState,
} from "../../policy/admission.ts";
import {
  findOverride,
  newBreaker,
  openingEndsAtMs,
  presentBreaker,
  type BreakerState,
  type BreakerTerms,
} from "../../policy/breaker/breaker.ts";
import { quotaAvailable } from "../../policy/quota.ts";
import type { ResourceRecord } from "../../storage/permits/permit-write.ts";
import { toIso } from "./time-view.ts";

/** One key of a resource, or a resource without keys. */
export interface ResourceView {
  readonly name: string;
  /** Absent: the resource has none, or this line stands for all of them. */
  readonly key?: string;
  /** Holders at once, as it holds now. Absent: any number. */
  readonly limit?: number;
  /** As declared. */
  readonly declaredLimit?: number;
  readonly held: number;
  /** Over all processes, as they last said. */
  readonly waiting: number;
  readonly quotas: readonly QuotaView[];
  /** Absent: it has none. */
  readonly breaker?: BreakerView;
  /** The other side asked for a pause. */
  readonly pausedUntil?: string;
  /** Set by hand and in force. */
  readonly override?: ResourceOverrideView;
  readonly totals: ResourceTotalsView;
  /** Absent: nothing that its breaker counts has failed yet. */
  readonly lastFailureAt?: string;
  /** Absent: nobody has used it yet. */
  readonly usedAt?: string;
  /** Who has it, the longest first, at most 10. */
  readonly holders: readonly HolderView[];
}

/** A quota, as it holds now. */
export interface QuotaView {
  readonly rate: number;
  readonly perMs: number;
  readonly burst: number;
  /** Whole units that could be taken now. */
  readonly available: number;
}

/** How a breaker stands. */
export interface BreakerView {
  readonly state: BreakerState["state"];
  /** Counted failures in a row that open it. */
  readonly threshold: number;
  readonly recoveryMs: number;
  /** Counted failures since the key was first used. */
  readonly failures: number;
  /** Openings since it was last closed for five minutes. */
  readonly openings: number;
  /** Absent: it has never been anything but closed. */
  readonly since?: string;
  /** How long it has been so, ms. */
  readonly sinceMs?: number;
  /** When a probe may go. */
  readonly openUntil?: string;
  /** Held open, or closed, by hand. */
  readonly forced?: { readonly until: string; readonly actor: string; readonly reason: string };
}

/** What was set by hand. */
export interface ResourceOverrideView {
  readonly limit?: number;
  readonly quotas?: readonly Omit<QuotaView, "available">[];
  /** Absent: until it is reset. */
  readonly until?: string;
  readonly actor: string;
  readonly reason: string;
}

/** Counts since the key was first used; a store forgets one that is at rest and unused for a day. */
export interface ResourceTotalsView {
  readonly granted: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Refused for good, as they would have waited too long. */
  readonly throttled: number;
  /** Units, of all quotas. */
  readonly consumed: number;
}

/** Who has a permit. */
export interface HolderView {
  /** Id of its run. */
  readonly run: string;
  /** Short name of its run. */
  readonly name: string;
  readonly stage: string;
  readonly item?: string;
  readonly since: string;
  /** Its call decides whether the breaker closes. */
  readonly probe: boolean;
}

/** What a view is made of. */
export interface ResourceFacts {
  readonly record: ResourceRecord;
  /** Null: nobody has declared it, and it was only set by hand. */
  readonly terms: ResourceTerms | null;
  /** How the whole of a resource with keys stands; null: it has no keys, or nothing was set. */
  readonly whole: ResourceState | null;
  readonly holders: readonly HolderView[];
  readonly nowMs: number;
}

/** The view of a key. */
export function toResourceView(facts: ResourceFacts): ResourceView {
  const { record, terms, whole, nowMs, holders } = facts;
  const { resource, key, held, waiting, state, totals, usedAtMs } = record;
  const override = findResourceOverride(state, whole, nowMs);
  const known = terms ?? { ...UNDECLARED, name: resource };
  const { limit, breaker } = keyTerms(known, key === "" ? null : key, override);
  const declaredLimit = keyTerms(known, key === "" ? null : key, null).limit;
  const { granted, succeeded, failed, throttled, consumed, lastFailureAtMs } = totals;
  const isPaused = state.pausedUntilMs !== null && nowMs < state.pausedUntilMs;
  return {
    name: resource,
    ...(key === "" ? {} : { key }),
    ...(limit === null ? {} : { limit }),
    ...(declaredLimit === null ? {} : { declaredLimit }),
    held,
    waiting,
    quotas: toQuotaViews(facts, override),
    ...(breaker === null ? {} : { breaker: toBreakerView(breaker, record, nowMs) }),
    ...(isPaused ? { pausedUntil: toIso(state.pausedUntilMs ?? 0) } : {}),
    ...(override === null ? {} : { override: toOverrideView(override) }),
    totals: { granted, succeeded, failed, throttled, consumed },
    ...(lastFailureAtMs === null ? {} : { lastFailureAt: toIso(lastFailureAtMs) }),
    ...(granted === 0 ? {} : { usedAt: toIso(usedAtMs) }),
    holders,
  };
}

const UNDECLARED: Omit<ResourceTerms, "name"> = {
  keyed: false,
  limit: null,
  limits: {},
  quotas: [],
  breaker: null,
  breakers: {},
  retryBudget: null,
};

function toQuotaViews(
  { record, terms, nowMs }: ResourceFacts,
  override: ResourceOverride | null,
): readonly QuotaView[] {
  const declared = override?.quotas ?? terms?.quotas ?? [];
  const known = { ...UNDECLARED, name: record.resource, quotas: declared };
  const { quotas } = keyTerms(known, null, null);
  return declared.map(({ rate, perMs, burst }, index) => {
    const state = record.state.quotas[index];
    const inNumbers = quotas[index];
    const available =
      inNumbers === undefined ? burst : quotaAvailable(inNumbers, state, nowMs * 1_000);
    return { rate, perMs, burst, available };
  });
}

function toBreakerView(
  terms: BreakerTerms,
  { state: { breaker }, totals }: ResourceRecord,
  nowMs: number,
): BreakerView {
  const stored = breaker ?? newBreaker(0);
  // An opening whose time is over is a breaker that waits for its probe, whoever will store that.
  const state = presentBreaker(terms, stored, nowMs);
  const forced = findOverride(stored, nowMs);
  const endsMs = stored.state === "open" ? openingEndsAtMs(terms, stored) : 0;
  const untilMs = Math.max(endsMs, forced?.untilMs ?? 0);
  const isLapsed = stored.state === "open" && state.state === "half_open";
  const sinceMs = isLapsed ? Math.max(endsMs, stored.override?.untilMs ?? 0) : stored.sinceMs;
  return {
    state: state.state,
    threshold: terms.threshold,
    recoveryMs: terms.recoveryMs,
    failures: totals.failed,
    openings: stored.openings,
    ...(breaker === null ? {} : { since: toIso(sinceMs), sinceMs: Math.max(0, nowMs - sinceMs) }),
    ...(state.state === "open" ? { openUntil: toIso(untilMs) } : {}),
    ...(forced === null
      ? {}
      : { forced: { until: toIso(forced.untilMs), actor: forced.actor, reason: forced.reason } }),
  };
}

function toOverrideView(override: ResourceOverride): ResourceOverrideView {
  const { limit, quotas, untilMs, actor, reason } = override;
  return {
    ...(limit === null ? {} : { limit }),
    ...(quotas === null ? {} : { quotas: quotas.map(toTold) }),
    ...(untilMs === null ? {} : { until: toIso(untilMs) }),
    actor,
    reason,
  };
}

function toTold({ rate, perMs, burst }: QuotaDeclared): Omit<QuotaView, "available"> {
  return { rate, perMs, burst };
}
