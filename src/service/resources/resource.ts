// resource: declares an outside thing, and gives the declaration its methods, which are about the runs in memory of
// this process. Those of durable runs are methods of the mill: their resources are rows of its store.

import { isResourceKey } from "../../model/compile/resource-name.ts";
import { MillraceError } from "../../model/errors.ts";
import { CONCURRENCY_MAX, DURATION_MS_MAX } from "../../model/limits.ts";
import { declareResource } from "../../model/resource/make-resource.ts";
import type {
  Resource,
  ResourceAt,
  ResourceDeclaration,
  ResourceOptions,
  ResourceStats,
} from "../../model/resource/resource.ts";
import { findResourceOverride, keyTerms, NEW_RESOURCE_STATE } from "../../policy/admission.ts";
import {
  findOverride,
  newBreaker,
  openingEndsAtMs,
  presentBreaker,
} from "../../policy/breaker/breaker.ts";
import { quotaAvailable } from "../../policy/quota.ts";
import { systemClock } from "../../std/clock.ts";
import { parseDuration, type Duration } from "../../std/duration.ts";
import { systemRandom } from "../../std/random.ts";
import type { ResourceOrder, ResourceRecord } from "../../storage/permits/permit-write.ts";
import { findMemoryLimits, memoryName, type MemoryLimits } from "./memory-limits.ts";

/** Declares a resource. DEFINITION_INVALID names every impossible number at once. */
export function resource<K = never>(name: string, options: ResourceOptions<K> = {}): Resource<K> {
  const declared = declareResource(name, options);
  const locate = (at?: string | ResourceAt): Place => toPlace(declared.declaration, at);
  return Object.freeze({
    ...declared,
    stats: (at?: string | ResourceAt) => toStats(locate(at)),
    trip: (reason: string, until: Date | Duration, at?: string | ResourceAt) =>
      trip(locate(at), reason, until),
    reset: (at?: string | ResourceAt) => reset(locate(at)),
    setLimit: (limit: number, at?: string | ResourceAt) => setLimit(locate(at), limit),
  });
}

/** A resource or one key of it, and where runs in memory meet it. */
interface Place {
  readonly declaration: ResourceDeclaration;
  readonly key: string | null;
  readonly limits: MemoryLimits;
}

function toPlace(declaration: ResourceDeclaration, at: string | ResourceAt = {}): Place {
  const { key = null, clock = systemClock } = typeof at === "string" ? { key: at } : at;
  const { name, keyed } = declaration.terms;
  if (key !== null && !keyed)
    throw new MillraceError("USE_INVALID", `Resource "${name}" has no keys.`, {
      hint: `leave the key out, or declare its "key"`,
    });
  if (key !== null && !isResourceKey(key))
    throw new MillraceError("USE_INVALID", `Resource "${name}" has no key "${String(key)}".`);
  return { declaration, key, limits: findMemoryLimits(clock, systemRandom) };
}

function order(place: Place, change: ResourceOrder & { readonly reason: string }): void {
  const { declaration, key, limits } = place;
  limits.table.set({ declaration, key }, change);
  limits.gate.reopen({ resource: memoryName(declaration), key });
}

function setLimit(place: Place, limit: number): void {
  const { name } = place.declaration.terms;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > CONCURRENCY_MAX)
    throw new MillraceError(
      "OPTION_INVALID",
      `The limit of resource "${name}" is a whole number from 1 to ${CONCURRENCY_MAX}; got ${String(limit)}.`,
    );
  order(place, { kind: "override", limit, quotas: null, forMs: null, reason: "by hand" });
}

function trip(place: Place, reason: string, until: Date | Duration): void {
  const { terms } = place.declaration;
  if (terms.breaker === null && (place.key === null || !Object.hasOwn(terms.breakers, place.key)))
    throw new MillraceError("OPTION_INVALID", `Resource "${terms.name}" has no breaker to open.`, {
      hint: "declare it with breaker: {}",
    });
  if (terms.keyed && place.key === null)
    throw new MillraceError(
      "USE_INVALID",
      `Resource "${terms.name}" has a breaker for each key, and none was named.`,
    );
  order(place, { kind: "trip", forMs: toLeftMs(place, until), reason: String(reason) });
}

function toLeftMs({ declaration, limits }: Place, until: Date | Duration): number {
  const read = until instanceof Date ? null : parseDuration(until);
  const forMs =
    read === null ? Number(until) - limits.table.nowMs() : read.ok ? read.value : Number.NaN;
  if (forMs >= 1 && forMs <= DURATION_MS_MAX) return Math.ceil(forMs);
  throw new MillraceError(
    "OPTION_INVALID",
    `The breaker of resource "${declaration.terms.name}" can be opened until a time within 366 days from now; got ${String(until)}.`,
    { hint: `give a duration such as "10m", or a date` },
  );
}

function reset(place: Place): void {
  const { declaration, key, limits } = place;
  const change = { kind: "reset" as const, reason: "by hand" };
  if (key === null)
    for (const record of limits.table.list(declaration))
      if (record.key !== "") limits.table.set({ declaration, key: record.key }, change);
  order(place, change);
}

const UNUSED: Omit<ResourceRecord, "resource" | "key"> = {
  state: NEW_RESOURCE_STATE,
  totals: {
    granted: 0,
    succeeded: 0,
    failed: 0,
    throttled: 0,
    consumed: 0,
    lastFailureAtMs: null,
  },
  held: 0,
  waiting: 0,
  terms: null,
  usedAtMs: 0,
};

function toStats(place: Place): ResourceStats {
  const { declaration, key, limits } = place;
  const records = limits.table.list(declaration);
  const own = records.find((record) => record.key === (key ?? "")) ?? UNUSED;
  const counted = key === null ? records : [own];
  const whole = records.find((record) => record.key === "") ?? UNUSED;
  const nowMs = limits.table.nowMs();
  const override = findResourceOverride(own.state, whole.state, nowMs);
  const { limit, quotas } = keyTerms(declaration.terms, key, override);
  const isWhole = declaration.terms.keyed && key === null;
  const sum = (pick: (record: typeof UNUSED) => number): number =>
    counted.reduce((total, record) => total + pick(record), 0);
  const { pausedUntilMs } = own.state;
  const failures = counted.flatMap(({ totals }) => totals.lastFailureAtMs ?? []);
  return {
    limit,
    held: sum(({ held }) => held),
    waiting: countWaiting(place, records),
    available: isWhole
      ? []
      : quotas.map((quota, index) => quotaAvailable(quota, own.state.quotas[index], nowMs * 1_000)),
    breaker: isWhole ? null : toBreaker(place, own, nowMs),
    pausedUntilMs: pausedUntilMs !== null && nowMs < pausedUntilMs ? pausedUntilMs : null,
    granted: sum(({ totals }) => totals.granted),
    succeeded: sum(({ totals }) => totals.succeeded),
    failed: sum(({ totals }) => totals.failed),
    throttled: sum(({ totals }) => totals.throttled),
    consumed: sum(({ totals }) => totals.consumed),
    lastFailureAtMs: failures.length === 0 ? null : Math.max(...failures),
  };
}

function countWaiting(
  { declaration, key, limits }: Place,
  records: readonly ResourceRecord[],
): number {
  const named = memoryName(declaration);
  const keys = !declaration.terms.keyed
    ? [null]
    : key === null
      ? records.map((one) => one.key)
      : [key];
  return keys.reduce((sum, one) => sum + limits.gate.waitingFor({ resource: named, key: one }), 0);
}

function toBreaker(
  { declaration, key }: Place,
  { state }: typeof UNUSED,
  nowMs: number,
): ResourceStats["breaker"] {
  const { breaker: terms } = keyTerms(declaration.terms, key, null);
  if (terms === null) return null;
  const stored = state.breaker ?? newBreaker(nowMs);
  // An opening whose time is over waits for its probe.
  const now = presentBreaker(terms, stored, nowMs);
  const forcedMs = findOverride(stored, nowMs)?.untilMs ?? 0;
  return {
    state: now.state,
    threshold: terms.threshold,
    recoveryMs: terms.recoveryMs,
    openUntilMs: now.state === "open" ? Math.max(openingEndsAtMs(terms, now), forcedMs) : null,
  };
}
