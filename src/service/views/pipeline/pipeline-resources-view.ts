// The resources of a pipeline as `show` and the API tell them: what holds, where each setting came from, and which stages use it.
// What a stage's function decides at run time is not known before.

import { nameResource } from "../../../model/compile/resource-name.ts";
import type { PipelineDefinition, StageDefinition } from "../../../model/definition.ts";
import type {
  BreakerDeclared,
  QuotaDeclared,
  ResourceSetting,
  ResourceTerms,
} from "../../../model/resource/resource.ts";
import type { DeclaredResources } from "../../../engine/limits/declared-resources.ts";
import { formatDuration } from "../../../std/duration.ts";
import type { ShownSetting } from "./setting-view.ts";

/** A resource with its settings and its users. */
export interface ShownResource {
  readonly resource: string;
  /** Each key is counted apart. */
  readonly keyed: boolean;
  /** Stages by name, each with the key that it names. */
  readonly users: readonly { readonly stage: string; readonly key?: string }[];
  /** `limit`, `limit of KEY`, `quota`, `breaker`, `breaker of KEY`, `retryBudget`. */
  readonly settings: Readonly<Record<string, ShownSetting>>;
}

/** What is declared in the process, and in words where it has its settings of resources from. */
export interface ResourceOrigin {
  readonly declared: Pick<DeclaredResources, "list" | "settingsOf">;
  readonly origin: string;
}

/** The resources that stages name in their lists, in order of name. */
export function toShownResources(
  definition: PipelineDefinition,
  { declared, origin }: ResourceOrigin,
): readonly ShownResource[] {
  return declared.list().flatMap(({ terms }) => {
    const users = definition.stages.flatMap((stage) => listUses(stage, terms.name));
    return users.length === 0
      ? []
      : [toShown({ terms, users, own: declared.settingsOf(terms.name), origin, definition })];
  });
}

/** What a stage uses, as its setting: names, or that a function decides. `origin`: not its pipeline said so. */
export function toUsesSetting(
  { uses }: StageDefinition,
  origin: string = "pipeline",
): Readonly<Record<string, ShownSetting>> {
  if (uses === null || (typeof uses !== "function" && uses.length === 0)) return {};
  const value = typeof uses === "function" ? "as its function says" : uses.map(nameResource);
  return { uses: { value, origin } };
}

function listUses({ name, uses }: StageDefinition, resource: string): ShownResource["users"] {
  if (uses === null || typeof uses === "function") return [];
  return uses
    .filter((use) => use.resource === resource)
    .map(({ key }) => (key === null ? { stage: name } : { stage: name, key }));
}

interface Found {
  readonly terms: ResourceTerms;
  readonly users: ShownResource["users"];
  readonly own: ResourceSetting;
  readonly origin: string;
  readonly definition: PipelineDefinition;
}

function toShown({ terms, users, own, origin, definition }: Found): ShownResource {
  const { name, keyed, limit, limits, quotas, breaker, breakers, retryBudget } = terms;
  const isInCode = definition.stages.some(
    ({ uses }) =>
      Array.isArray(uses) && uses.some((use) => use.resource === name && use.declaration !== null),
  );
  const from = (key: keyof ResourceSetting, isSet: boolean, isMerged = false): string => {
    const code = isInCode && isSet ? "pipeline" : "default";
    if (own[key] === undefined) return code;
    return isMerged && isInCode
      ? `${origin}.${name}.${key}, over the pipeline`
      : `${origin}.${name}.${key}`;
  };
  const shown: Record<string, ShownSetting> = {
    limit: { value: limit, origin: from("limit", limit !== null) },
  };
  for (const [key, value] of Object.entries(limits)) {
    const isOwn = own.limits?.[key] !== undefined;
    shown[`limit of ${key}`] = { value, origin: isOwn ? from("limits", true) : "pipeline" };
  }
  shown["quota"] = {
    value: quotas.length === 0 ? null : quotas.map(sayQuota),
    origin: from("quota", quotas.length > 0),
  };
  shown["breaker"] = {
    value: breaker === null ? null : sayBreaker(breaker),
    origin: from("breaker", breaker !== null, true),
  };
  for (const [key, value] of Object.entries(breakers))
    shown[`breaker of ${key}`] = { value: sayBreaker(value), origin: from("breaker", true, true) };
  if (retryBudget !== null) {
    const value = `${retryBudget.share} of first tries, and ${retryBudget.minPerSecond} per second`;
    shown["retryBudget"] = { value, origin: from("retryBudget", true) };
  }
  return { resource: name, keyed, users, settings: shown };
}

function sayQuota({ rate, perMs, burst, maxWaitMs }: QuotaDeclared): string {
  const wait = maxWaitMs === null ? "" : `, waits at most ${formatDuration(maxWaitMs)}`;
  return `${rate} per ${formatDuration(perMs)}, burst ${burst}${wait}`;
}

function sayBreaker({ threshold, recoveryMs, ratio, whenOpen }: BreakerDeclared): string {
  const share =
    ratio === null
      ? ""
      : `, or ${ratio.of} of ${ratio.minCalls} or more in ${formatDuration(ratio.windowMs)}`;
  const then = whenOpen === null ? "" : `, callers ${whenOpen}`;
  return `opens after ${threshold} in a row${share}, for ${formatDuration(recoveryMs)}${then}`;
}
