// What the chapters of permits share: terms that say one thing only, uses, and asking and giving back in one line.

import assert from "node:assert/strict";
import type {
  BreakerDeclared,
  QuotaDeclared,
  ResourceTerms,
} from "../../../model/resource/resource.ts";
import { newCounts } from "../../../policy/breaker/breaker-counts.ts";
import type { CallOutcome } from "../../../policy/breaker/breaker-outcome.ts";
import type {
  PermitGrant,
  PermitResult,
  ReleasePermitsWrite,
  ResourceOrder,
  ResourceRecord,
  ReturnedCall,
  ReturnedUse,
  SetResourceWrite,
  TakenUse,
  TakePermitsWrite,
} from "../../../storage/permits/permit-write.ts";
import type { Store } from "../../../storage/store.ts";
import type { RunRecord } from "../../../model/run.ts";
import { apply, applyAll, applyRun, createRun, type Held } from "../fixture.ts";
import type { StoreBench, StoreMaker } from "../suite.ts";

/** A fresh store and a run in it that asks for permits: how a case begins. */
export interface PermitScene extends StoreBench {
  readonly run: RunRecord;
}

/** Makes a scene. */
export async function makeScene(make: StoreMaker): Promise<PermitScene> {
  const bench = await make();
  return { ...bench, run: await applyRun(bench.store, createRun()) };
}

/** Terms of a resource that declares nothing else. */
export function makeTerms(terms: Partial<ResourceTerms> = {}): ResourceTerms {
  return {
    name: "api",
    keyed: false,
    limit: null,
    limits: {},
    quotas: [],
    breaker: null,
    breakers: {},
    retryBudget: null,
    ...terms,
  };
}

/** One permit, whoever asks. */
export const ONE: ResourceTerms = makeTerms({ limit: 1 });

/** A quota of `rate` per second; its burst is its rate. */
export function perSecond(rate: number, quota: Partial<QuotaDeclared> = {}): QuotaDeclared {
  return { rate, perMs: 1_000, burst: rate, maxWaitMs: null, ...quota };
}

/** A breaker that one failure opens for ten seconds. */
export const BREAKER: BreakerDeclared = {
  threshold: 1,
  recoveryMs: 10_000,
  ratio: null,
  probes: 1,
  successes: 1,
  whenOpen: null,
};

/** A use of a resource by its terms. */
export function makeUse(terms: ResourceTerms, use: Partial<TakenUse> = {}): TakenUse {
  return {
    resource: terms.name,
    key: "",
    terms,
    costs: null,
    maxWaitMs: null,
    probeMs: 65_000,
    waitedMs: 0,
    waiting: 0,
    ...use,
  };
}

/** Asks for the permits of an item of stage "fetch", or of the stage itself (`item` null). */
export function takeOf(
  run: Held,
  item: string | null,
  ...uses: readonly TakenUse[]
): TakePermitsWrite {
  return {
    kind: "take-permits",
    runId: run.id,
    epoch: run.epoch,
    events: [],
    stage: "fetch",
    item,
    slot: 0,
    worker: "worker-1",
    uses,
  };
}

/** Gives back what `takeOf` took. */
export function releaseOf(
  run: Held,
  item: string | null,
  ...uses: readonly ReturnedUse[]
): ReleasePermitsWrite {
  return {
    kind: "release-permits",
    runId: run.id,
    epoch: run.epoch,
    events: [],
    stage: "fetch",
    item,
    slot: 0,
    uses,
  };
}

/** A use whose call ended so and moves no breaker. */
export function returned(use: Partial<ReturnedUse> = {}): ReturnedUse {
  return { resource: "api", key: "", outcome: "success", call: null, pauseMs: null, ...use };
}

/** A use whose call its breaker is told of, under the permit it had. */
export function called(
  outcome: CallOutcome,
  permit: Pick<PermitGrant, "generation" | "probe">,
  call: Partial<ReturnedCall> = {},
): ReturnedUse {
  const { generation, probe } = permit;
  const counts = newCounts();
  const told = { terms: BREAKER, counts, generation, probe, hintMs: null, chance: 0.5, ...call };
  return returned({ outcome, call: told });
}

/** What a write about permits answers. */
export async function ask(store: Store, write: TakePermitsWrite): Promise<PermitResult> {
  const result = await apply(store, write);
  assert.ok(result.kind === "permitted" || result.kind === "held-back", JSON.stringify(result));
  return result;
}

/** Permits that must be granted. */
export async function take(
  store: Store,
  write: TakePermitsWrite,
): Promise<Extract<PermitResult, { readonly kind: "permitted" }>> {
  const result = await ask(store, write);
  assert.ok(result.kind === "permitted", JSON.stringify(result));
  return result;
}

/** The first permit of those that must be granted. */
export async function takeOne(store: Store, write: TakePermitsWrite): Promise<PermitGrant> {
  const [permit] = (await take(store, write)).permits;
  assert.ok(permit !== undefined, "nothing was granted");
  return permit;
}

/** Permits that must be refused. */
export async function refused(
  store: Store,
  write: TakePermitsWrite,
): Promise<Extract<PermitResult, { readonly kind: "held-back" }>> {
  const result = await ask(store, write);
  assert.ok(result.kind === "held-back", JSON.stringify(result));
  return result;
}

/** Gives permits back. */
export async function release(store: Store, write: ReleasePermitsWrite): Promise<void> {
  await applyAll(store, write);
}

/** A person's order about "api". */
export function order(
  change: ResourceOrder,
  write: Partial<Omit<SetResourceWrite, "kind" | "change">> = {},
): SetResourceWrite {
  return {
    kind: "set-resource",
    resource: "api",
    key: "",
    change,
    actor: "ada",
    reason: "a test",
    ...write,
  };
}

/** An override of a limit. */
export function limitOf(limit: number | null, forMs: number | null = null): ResourceOrder {
  return { kind: "override", limit, quotas: null, forMs };
}

/** Does a person's order. */
export async function give(store: Store, write: SetResourceWrite): Promise<ResourceRecord> {
  const result = await apply(store, write);
  assert.ok(result.kind === "resource-set", JSON.stringify(result));
  return result.record;
}

/** How a key stands. */
export async function getResource(
  store: Store,
  key: string = "",
  resource: string = "api",
): Promise<ResourceRecord> {
  const record = await store.findResource({ resource, key });
  assert.ok(record !== undefined, `no resource ${resource}/${key}`);
  return record;
}

/** Events about resources, each as its type and what it says. */
export async function toldOf(
  store: Store,
): Promise<readonly (readonly [type: string, data: unknown])[]> {
  const events = await store.listEvents({ after: 0, limit: 500 });
  return events
    .filter(({ type }) => type.startsWith("breaker.") || type.startsWith("resource."))
    .map(({ type, data }) => [type, data]);
}
