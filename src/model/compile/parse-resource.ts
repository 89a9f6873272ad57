// From a resource as written to its terms: every number checked, all faults at once, so that an impossible limit is
// found where it is written and not at night.

import { formatDuration, parseDuration } from "../../std/duration.ts";
import {
  BREAKER_PROBES_DEFAULT,
  BREAKER_RECOVERY_MS_DEFAULT,
  BREAKER_SUCCESSES_DEFAULT,
  BREAKER_THRESHOLD_DEFAULT,
  BUDGET_PER_SECOND_DEFAULT,
  BUDGET_SHARE_DEFAULT,
} from "../defaults.ts";
import type { DefinitionFault } from "../definition.ts";
import {
  BREAKER_PROBES_MAX,
  CONCURRENCY_MAX,
  QUOTA_FILL_US_MAX,
  QUOTA_UNITS_MAX,
  RESOURCE_KEYS_LISTED_MAX,
  RESOURCE_QUOTAS_MAX,
} from "../limits.ts";
import { ERROR_CLASSES } from "../outcome.ts";
import type {
  BreakerDeclared,
  QuotaDeclared,
  ResourceDeclaration,
  ResourceHooks,
  ResourceTerms,
} from "../resource/resource.ts";
import { describeValue, isPlainRecord, OptionReader } from "./option-reader.ts";

const RESOURCE_KEYS = ["limit", "quota", "breaker", "retryBudget", "key", "onChange"];
const QUOTA_KEYS = ["rate", "per", "burst", "cost", "maxWait"];
const BREAKER_KEYS = [
  "threshold",
  "recovery",
  "ratio",
  "probes",
  "successes",
  "exclude",
  "whenOpen",
];

const US_PER_MS = 1_000;
const US_PER_YEAR = 365 * 86_400_000_000;

/** Where a resource is read from. */
export interface ResourceSource {
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Gets every fault. */
  readonly faults: DefinitionFault[];
  /** What the values change; null: nothing is declared yet. */
  readonly base: ResourceDeclaration | null;
}

/** Reads a resource; the result is meaningful only without faults. */
export function parseResource({ name, values, faults, base }: ResourceSource): ResourceDeclaration {
  const reader = new OptionReader(values, `resources.${name}`, faults);
  reader.refuseUnknown(RESOURCE_KEYS);
  const limit = parseLimit(reader, base?.terms ?? null);
  const breaker = parseBreakers(reader, base?.terms ?? null);
  const terms: ResourceTerms = {
    name,
    keyed: reader.has("key") || base?.terms.keyed === true,
    limit: limit.all,
    limits: limit.keys,
    quotas: reader.has("quota") ? parseQuotas(reader, faults) : (base?.terms.quotas ?? []),
    breaker: breaker.all,
    breakers: breaker.keys,
    retryBudget: reader.has("retryBudget")
      ? parseBudget(reader.nested("retryBudget"))
      : (base?.terms.retryBudget ?? null),
  };
  reader.function("key");
  return Object.freeze({ terms: Object.freeze(terms), hooks: parseHooks(reader, base) });
}

function parseHooks(reader: OptionReader, base: ResourceDeclaration | null): ResourceHooks {
  return {
    exclude: parseExclude(reader.nested("breaker")) ?? base?.hooks.exclude ?? [],
    onChange:
      reader.function<NonNullable<ResourceHooks["onChange"]>>("onChange") ??
      base?.hooks.onChange ??
      null,
  };
}

/** What is not said stays as declared, for each key apart. */
function parseLimit(
  reader: OptionReader,
  base: ResourceTerms | null,
): { readonly all: number | null; readonly keys: Readonly<Record<string, number>> } {
  const value = reader.raw("limit");
  const before = { all: base?.limit ?? null, keys: base?.limits ?? {} };
  const bounds = { min: 1, max: CONCURRENCY_MAX };
  if (value === undefined) return before;
  if (!isPlainRecord(value)) return { ...before, all: reader.number("limit", bounds) ?? null };
  const nested = reader.nested("limit");
  nested?.refuseUnknown(["default", "keys"]);
  const all = nested?.number("default", bounds) ?? before.all;
  const byKey = nested?.nested("keys");
  const keys: Record<string, number> = { ...before.keys };
  for (const key of listKeys(byKey, value["keys"])) {
    const limit = byKey?.number(key, bounds);
    if (limit !== undefined) keys[key] = limit;
  }
  return { all, keys };
}

function listKeys(reader: OptionReader | undefined, value: unknown): readonly string[] {
  if (!isPlainRecord(value)) return [];
  const keys = Object.keys(value);
  if (keys.length > RESOURCE_KEYS_LISTED_MAX) {
    reader?.fault(
      "",
      `expected at most ${RESOURCE_KEYS_LISTED_MAX} keys with settings of their own; got ${keys.length}`,
    );
  }
  return keys.slice(0, RESOURCE_KEYS_LISTED_MAX);
}

function parseQuotas(reader: OptionReader, faults: DefinitionFault[]): readonly QuotaDeclared[] {
  const value = reader.raw("quota");
  if (!Array.isArray(value)) {
    const one = reader.nested("quota");
    return one === undefined ? [] : parseQuota(one);
  }
  if (value.length > RESOURCE_QUOTAS_MAX || value.length === 0) {
    reader.fault("quota", `expected 1 to ${RESOURCE_QUOTAS_MAX} quotas; got ${value.length}`);
  }
  return value.slice(0, RESOURCE_QUOTAS_MAX).flatMap((entry: unknown, index) => {
    if (isPlainRecord(entry))
      return parseQuota(new OptionReader(entry, reader.pathOf(`quota.${index}`), faults));
    reader.fault(`quota.${index}`, `expected a record of options; got ${describeValue(entry)}`);
    return [];
  });
}

function parseQuota(reader: OptionReader): readonly QuotaDeclared[] {
  reader.refuseUnknown(QUOTA_KEYS);
  const rate = reader.number("rate", { min: 1e-6, max: QUOTA_UNITS_MAX, whole: false });
  const perMs = reader.durationMs("per");
  const burst = reader.number("burst", { min: 1, max: QUOTA_UNITS_MAX });
  const maxWaitMs = reader.durationMs("maxWait", 0) ?? null;
  reader.function("cost");
  if (!reader.has("rate")) reader.fault("rate", "expected a number above 0");
  if (!reader.has("per")) reader.fault("per", 'expected a duration such as "1s"');
  if (rate === undefined || perMs === undefined) return [];
  const quota = { rate, perMs, burst: burst ?? Math.max(1, Math.ceil(rate)), maxWaitMs };
  refuseSlow(reader, quota);
  return [quota];
}

/** Times of quotas are whole µs that a double must hold; who asks for decades has mistaken a unit. */
function refuseSlow(reader: OptionReader, { rate, perMs, burst }: QuotaDeclared): void {
  const fillUs = burst * Math.ceil((perMs * US_PER_MS) / rate);
  if (fillUs <= QUOTA_FILL_US_MAX) return;
  reader.fault(
    reader.has("burst") ? "burst" : "rate",
    `expected a burst that fills within ${toYears(QUOTA_FILL_US_MAX)} years; ${burst} at ${rate} per ${formatDuration(perMs)} takes ${toYears(fillUs)}`,
  );
}

function toYears(us: number): number {
  return Math.floor(us / US_PER_YEAR);
}

function parseBreakers(
  reader: OptionReader,
  base: ResourceTerms | null,
): {
  readonly all: BreakerDeclared | null;
  readonly keys: Readonly<Record<string, BreakerDeclared>>;
} {
  const nested = reader.nested("breaker");
  const before = { all: base?.breaker ?? null, keys: base?.breakers ?? {} };
  if (nested === undefined) return before;
  nested.refuseUnknown([...BREAKER_KEYS, "keys"]);
  const all = parseBreaker(nested, before.all);
  const byKey = nested.nested("keys");
  const keys: Record<string, BreakerDeclared> = { ...before.keys };
  for (const key of listKeys(byKey, nested.raw("keys"))) {
    const own = byKey?.nested(key);
    if (own === undefined) continue;
    own.refuseUnknown(BREAKER_KEYS.filter((option) => option !== "exclude"));
    keys[key] = parseBreaker(own, all);
  }
  return { all, keys };
}

const HOUSE_BREAKER: BreakerDeclared = {
  threshold: BREAKER_THRESHOLD_DEFAULT,
  recoveryMs: BREAKER_RECOVERY_MS_DEFAULT,
  ratio: null,
  probes: BREAKER_PROBES_DEFAULT,
  successes: BREAKER_SUCCESSES_DEFAULT,
  whenOpen: null,
};

function parseBreaker(reader: OptionReader, base: BreakerDeclared | null): BreakerDeclared {
  const under = base ?? HOUSE_BREAKER;
  return {
    threshold: reader.number("threshold", { min: 1, max: 1_000_000 }) ?? under.threshold,
    recoveryMs: reader.durationMs("recovery") ?? under.recoveryMs,
    ratio: parseRatio(reader.nested("ratio")) ?? under.ratio,
    probes: reader.number("probes", { min: 1, max: BREAKER_PROBES_MAX }) ?? under.probes,
    successes: reader.number("successes", { min: 1, max: 1_000_000 }) ?? under.successes,
    whenOpen: reader.oneOf("whenOpen", ["wait", "fail"]) ?? under.whenOpen,
  };
}

function parseRatio(reader: OptionReader | undefined): BreakerDeclared["ratio"] {
  if (reader === undefined) return null;
  reader.refuseUnknown(["of", "window", "minCalls"]);
  const of = reader.number("of", { min: Number.MIN_VALUE, max: 1, whole: false });
  const windowMs = reader.durationMs("window", 10);
  const minCalls = reader.number("minCalls", { min: 1, max: 1_000_000 });
  for (const key of ["of", "window", "minCalls"])
    if (!reader.has(key)) reader.fault(key, "expected a value: a ratio has no defaults");
  if (of === undefined || windowMs === undefined || minCalls === undefined) return null;
  return { of, windowMs, minCalls };
}

function parseExclude(reader: OptionReader | undefined): ResourceHooks["exclude"] | null {
  const value = reader?.raw("exclude");
  if (reader === undefined || value === undefined) return null;
  if (typeof value === "function")
    return reader.function<(error: unknown) => boolean>("exclude") ?? null;
  const classes = reader.texts("exclude", ERROR_CLASSES.length) ?? [];
  return classes.flatMap((name) => {
    const known = ERROR_CLASSES.find((one) => one === name);
    if (known !== undefined) return [known];
    reader.fault("exclude", `"${name}" is no error class`, `known: ${ERROR_CLASSES.join(", ")}`);
    return [];
  });
}

function parseBudget(reader: OptionReader | undefined): ResourceTerms["retryBudget"] {
  if (reader === undefined) return null;
  reader.refuseUnknown(["share", "minPerSecond"]);
  return {
    share: reader.number("share", { min: 0, max: 100, whole: false }) ?? BUDGET_SHARE_DEFAULT,
    minPerSecond:
      reader.number("minPerSecond", { min: 0, max: 1_000_000, whole: false }) ??
      BUDGET_PER_SECOND_DEFAULT,
  };
}

/** A duration of one use, ms; a sentence where it is none. */
export function readMaxWait(value: unknown): number | string {
  const parsed = parseDuration(value);
  return parsed.ok ? parsed.value : parsed.error;
}
