// Random pipelines that use random resources, fail, are retried and cancelled: limits are never exceeded, quotas hold
// in every window, every permit comes back, and every run ends.

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  definePipeline,
  resource,
  type Context,
  type Pipeline,
  type Resource,
  type ResourceUse,
  type StageById,
} from "millrace";
import type { VirtualClock } from "../../../src/std/virtual-clock.ts";
import { makeScene, type Place } from "../../support/resources/gate-scene.ts";
import { httpError } from "../../support/resources/gate-world.ts";
import { passTime } from "../../support/memory-world.ts";

interface ResourcePlan {
  readonly limit: number | null;
  readonly quota: { readonly rate: number; readonly per: number; readonly burst: number } | null;
  readonly breaker: { readonly threshold: number; readonly recovery: number } | null;
  readonly keys: number;
}

interface StagePlan {
  readonly items: number;
  readonly concurrency: number;
  readonly uses: readonly number[];
  /** As blocks of its code, one after the other, instead of for the whole attempt. */
  readonly inBlocks: boolean;
  readonly failures: number;
  readonly attempts: number;
  readonly ms: number;
  readonly timeout: number | null;
  readonly follows: boolean;
}

interface Plan {
  readonly resources: readonly ResourcePlan[];
  readonly stages: readonly StagePlan[];
  readonly slots: number;
  /** For each run, when it is cancelled, ms; null: never. */
  readonly runs: readonly (number | null)[];
}

const ms = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const rarely = <T>(what: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(what, { freq: 1 });

const plans: fc.Arbitrary<Plan> = fc.record({
  resources: fc.array(
    fc.record({
      limit: fc.option(ms(3), { freq: 3 }),
      quota: rarely(fc.record({ rate: ms(5), per: ms(300), burst: ms(4) })),
      breaker: rarely(fc.record({ threshold: ms(3), recovery: ms(200) })),
      keys: fc.nat({ max: 3 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  stages: fc.array(
    fc.record({
      items: fc.nat({ max: 6 }),
      concurrency: ms(6),
      uses: fc.uniqueArray(fc.nat({ max: 2 }), { maxLength: 3 }),
      inBlocks: fc.boolean(),
      failures: fc.constantFrom(0, 0, 1, 2),
      attempts: ms(3),
      ms: fc.nat({ max: 40 }),
      timeout: rarely(fc.integer({ min: 10, max: 200 })),
      follows: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  slots: ms(6),
  runs: fc.array(fc.option(fc.nat({ max: 300 }), { freq: 2 }), { minLength: 1, maxLength: 3 }),
});

/** What was seen of one key of a resource. */
interface Seen {
  readonly plan: ResourcePlan;
  now: number;
  most: number;
  readonly calls: number[];
}

interface Made {
  readonly pipeline: Pipeline<undefined, unknown>;
  readonly seen: Map<string, Seen>;
}

function makePlanned(plan: Plan, clock: VirtualClock): Made {
  const seen = new Map<string, Seen>();
  const resources = plan.resources.map((one, index) => makeResource(one, index));
  const usesOf = (stage: StagePlan, at: number): readonly ResourceUse[] =>
    stage.uses.flatMap((index) => {
      const [one, made] = [plan.resources[index], resources[index]];
      if (one === undefined || made === undefined) return [];
      return [one.keys === 0 ? made : made.for(`k${(at + index) % one.keys}`)];
    });
  const hold = async (uses: readonly ResourceUse[], body: () => Promise<void>): Promise<void> => {
    const mine = uses.map(({ resource: name, key }) => {
      const address = `${name}/${key ?? ""}`;
      const known = plan.resources[Number(name.slice(1))];
      if (known === undefined) throw new Error(`There is no resource ${name}.`);
      const found = seen.get(address) ?? { plan: known, now: 0, most: 0, calls: [] };
      seen.set(address, found);
      return found;
    });
    for (const one of mine) {
      one.now += 1;
      one.most = Math.max(one.most, one.now);
      one.calls.push(clock.monotonicMs());
    }
    try {
      await body();
    } finally {
      for (const one of mine) one.now -= 1;
    }
  };
  const work = async (stage: StagePlan, ctx: Context): Promise<string> => {
    const uses = usesOf(stage, ctx.item?.index ?? 0);
    const call = async (): Promise<void> => {
      if (stage.ms > 0) await clock.sleep(stage.ms, ctx.signal);
      if (ctx.attempt <= stage.failures) throw httpError(503);
    };
    if (!stage.inBlocks) await hold(uses, call);
    else for (const use of uses) await ctx.use(use, () => hold([use], call));
    return "done";
  };
  const stages = plan.stages.map((stage, index): StageById => {
    const common = {
      id: `s${index}`,
      needs: stage.follows && index > 0 ? [`s${index - 1}`] : [],
      critical: false,
      retry: { attempts: stage.attempts, initialDelay: 5, jitter: "none" as const },
      ...(stage.timeout === null ? {} : { timeout: stage.timeout }),
    };
    if (stage.items === 0)
      return {
        ...common,
        ...(stage.inBlocks ? {} : { uses: () => usesOf(stage, 0) }),
        run: (_needs: unknown, ctx: Context) => work(stage, ctx),
      };
    const over = Array.from({ length: stage.items }, (_, at) => `i${at}`);
    return {
      ...common,
      over,
      onItemFailure: "continue",
      concurrency: stage.concurrency,
      ...(stage.inBlocks ? {} : { uses: (item: string) => usesOf(stage, Number(item.slice(1))) }),
      run: (_item: unknown, _needs: unknown, ctx: Context) => work(stage, ctx),
    };
  });
  return { pipeline: definePipeline({ name: "random", stages }), seen };
}

function makeResource(plan: ResourcePlan, index: number): Resource<string> {
  return resource(`r${index}`, {
    ...(plan.limit === null ? {} : { limit: plan.limit }),
    ...(plan.quota === null ? {} : { quota: plan.quota }),
    ...(plan.breaker === null ? {} : { breaker: { ...plan.breaker, whenOpen: "wait" } }),
    ...(plan.keys === 0 ? {} : { key: (name: string) => name }),
  });
}

/** At most the burst, and one unit per interval, in every window. */
function expectQuota({ plan: { quota }, calls }: Seen): void {
  if (quota === null) return;
  const intervalMs = quota.per / quota.rate;
  const burst = quota.burst;
  for (const [first, fromMs] of calls.entries())
    for (let last = first; last < calls.length; last += 1) {
      const windowMs = (calls[last] ?? 0) - fromMs;
      expect(last - first + 1).toBeLessThanOrEqual(burst + windowMs / intervalMs + 1e-6);
    }
}

async function check(place: Place, plan: Plan): Promise<void> {
  const scene = makeScene(place);
  const { clock } = scene;
  const { pipeline, seen } = makePlanned(plan, clock);
  await scene.open([pipeline], { concurrency: plan.slots });
  const results = [];
  for (const cancelAtMs of plan.runs) {
    const started = await scene.start(pipeline, { concurrency: plan.slots });
    if (cancelAtMs !== null) clock.setTimer(cancelAtMs, () => started.cancel());
    results.push(started.result);
  }
  const ended = await passTime(clock, Promise.all(results));
  for (const [index, { state }] of ended.entries()) {
    expect(["succeeded", "failed", "cancelled"]).toContain(state);
    if (plan.runs[index] === null) expect(state).not.toBe("cancelled");
  }
  for (const one of seen.values()) {
    expect(one.now).toBe(0);
    if (one.plan.limit !== null) expect(one.most).toBeLessThanOrEqual(one.plan.limit);
    expectQuota(one);
  }
  await scene.expectEmpty();
}

test("limits and quotas hold, every permit comes back and every run ends, in memory", async () => {
  await fc.assert(
    fc.asyncProperty(plans, (plan) => check("in memory", plan)),
    { numRuns: 150 },
  );
});

test("limits and quotas hold, every permit comes back and every run ends, on the memory store", async () => {
  await fc.assert(
    fc.asyncProperty(plans, (plan) => check("on the memory store", plan)),
    { numRuns: 40 },
  );
});
