// Random pipelines of every kind of stage (functions, lists, streams, maps that follow maps, conditions, limits of
// every kind), with a watch over what was called. How they are ended is up to the test.

import fc from "fast-check";
import { expect } from "vitest";
import type { Context, RunResult, StageById } from "millrace";
import type { MemoryWorld } from "./memory-world.ts";

interface Behaviour {
  readonly ms: number;
  readonly ends: "well" | "badly" | "never";
  /** Sleeps without its signal: an abort does not reach it. */
  readonly isDeaf: boolean;
}

interface RandomPart {
  readonly kind: "stage" | "list" | "stream" | "follower";
  readonly needs: readonly number[];
  readonly behaviours: readonly Behaviour[];
  readonly when: Behaviour | null;
  readonly attempts: number;
  readonly timeout: number | null;
  readonly deadline: number | null;
  readonly queueTimeout: number | null;
  readonly critical: boolean;
  readonly trigger: "all_success" | "all_done" | "one_failed" | "none_failed";
  readonly tolerant: boolean;
  readonly concurrency: number;
  readonly stopAfter: number | null;
}

/** A pipeline, its choices, and how it is to be ended. */
export interface RandomCase {
  readonly parts: readonly RandomPart[];
  readonly concurrency: number;
  readonly failFast: boolean;
  readonly ending: { readonly by: "itself" | "cancel" | "deadline"; readonly atMs: number };
}

const rarely = <T>(rare: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: rare });

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  ms: fc.nat({ max: 60 }),
  ends: fc.oneof(
    { weight: 7, arbitrary: fc.constant("well" as const) },
    { weight: 3, arbitrary: fc.constant("badly" as const) },
    { weight: 1, arbitrary: fc.constant("never" as const) },
  ),
  isDeaf: fc.oneof(
    { weight: 5, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
});

const partAt = (index: number): fc.Arbitrary<RandomPart> =>
  fc.record({
    kind: fc.constantFrom("stage", "stage", "list", "stream", "follower"),
    needs:
      index === 0 ? fc.constant([]) : fc.uniqueArray(fc.nat({ max: index - 1 }), { maxLength: 2 }),
    behaviours: fc.array(behaviour, { minLength: 1, maxLength: 5 }),
    when: rarely(behaviour),
    attempts: fc.integer({ min: 1, max: 3 }),
    timeout: rarely(fc.integer({ min: 1, max: 80 })),
    deadline: rarely(fc.integer({ min: 1, max: 200 })),
    queueTimeout: rarely(fc.integer({ min: 1, max: 80 })),
    critical: fc.boolean(),
    trigger: fc.constantFrom("all_success", "all_success", "all_done", "one_failed", "none_failed"),
    tolerant: fc.boolean(),
    concurrency: fc.integer({ min: 1, max: 3 }),
    stopAfter: rarely(fc.integer({ min: 1, max: 3 })),
  });

/** Any of them. */
export const cases: fc.Arbitrary<RandomCase> = fc.integer({ min: 1, max: 7 }).chain((size) =>
  fc.record({
    parts: fc.tuple(...Array.from({ length: size }, (_, index) => partAt(index))),
    concurrency: fc.integer({ min: 1, max: 5 }),
    failFast: fc.boolean(),
    ending: fc.record({
      by: fc.constantFrom("itself", "cancel", "deadline"),
      atMs: fc.nat({ max: 300 }),
    }),
  }),
);

/** What was called, and whether anything was ever called beside itself. */
export class Watch {
  readonly calls: Map<string, number> = new Map();
  readonly #working: Set<string> = new Set();
  overlaps: number = 0;

  async play(plan: Behaviour, ctx: Context, world: MemoryWorld): Promise<void> {
    const name = `${ctx.stage}/${ctx.item?.index ?? ""}`;
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    if (this.#working.has(name)) this.overlaps += 1;
    this.#working.add(name);
    try {
      await act(plan, ctx, world);
    } finally {
      this.#working.delete(name);
    }
  }
}

async function act(plan: Behaviour, ctx: Context, world: MemoryWorld): Promise<void> {
  if (plan.ends === "never" && plan.isDeaf) await new Promise(() => {});
  else if (plan.isDeaf) await world.clock.sleep(plan.ms);
  else await ctx.sleep(plan.ends === "never" ? "30d" : plan.ms);
  if (plan.ends === "badly") throw new Error(`no ${ctx.stage}`);
}

/** The stages of a random pipeline, for `definePipeline`. */
export function makeParts(
  random: RandomCase,
  hands: { readonly watch: Watch; readonly world: MemoryWorld },
): readonly StageById[] {
  return random.parts.map((_part, index) => makePart(random, index, hands));
}

/** True if something in it never ends by itself. */
export function hasEndless({ parts }: RandomCase): boolean {
  return parts.some(({ behaviours, when }) =>
    [...behaviours, ...(when === null ? [] : [when])].some(({ ends }) => ends === "never"),
  );
}

function makePart(
  random: RandomCase,
  index: number,
  hands: { readonly watch: Watch; readonly world: MemoryWorld },
): StageById {
  const { watch, world } = hands;
  const part = random.parts[index];
  if (part === undefined) throw new RangeError("no such part");
  const first = part.behaviours[0] ?? { ms: 1, ends: "well", isDeaf: false };
  const perItem = (at: number): Behaviour => part.behaviours[at] ?? first;
  const above = part.needs.find((need) => isFollowable(random, need));
  const kind = part.kind === "follower" && above === undefined ? "list" : part.kind;
  const common = {
    id: `s${index}`,
    needs: part.needs
      .filter((need) => kind !== "follower" || need !== above)
      .map((need) => `s${need}`),
    trigger: part.trigger,
    critical: part.critical,
    retry: { attempts: part.attempts, initialDelay: 7, jitter: "none" },
    ...(part.timeout === null ? {} : { timeout: part.timeout }),
    ...(part.deadline === null ? {} : { deadline: part.deadline }),
    ...(part.queueTimeout === null ? {} : { queueTimeout: part.queueTimeout }),
    ...makeCondition(part.when, world),
  };
  if (kind === "stage") {
    return { ...common, run: (_needs: unknown, ctx: Context) => watch.play(first, ctx, world) };
  }
  const tolerance = part.tolerant ? { onItemFailure: "continue", minSuccess: 0 } : {};
  const isStopping = part.tolerant && part.stopAfter !== null;
  const stopping = isStopping ? { stopAfter: { inARow: part.stopAfter } } : {};
  return {
    ...common,
    ...tolerance,
    ...stopping,
    concurrency: part.concurrency,
    over: makeOver(kind, part, `s${above}`),
    run: async (_item: unknown, _needs: unknown, ctx: Context) => {
      await watch.play(perItem(ctx.item?.index ?? 0), ctx, world);
      return ctx.item?.index;
    },
  };
}

function makeCondition(plan: Behaviour | null, world: MemoryWorld): object {
  if (plan === null) return {};
  return {
    when: async (_needs: unknown, ctx: Context) => {
      await act(plan, ctx, world);
      return plan.ms % 3 !== 0;
    },
  };
}

function makeOver(kind: "list" | "stream" | "follower", part: RandomPart, above: string): unknown {
  if (kind === "follower") return above;
  const items = part.behaviours.map((_one, at) => at);
  if (kind === "list") return items;
  return async function* (_needs: unknown, ctx: Context) {
    for (const at of items) {
      await ctx.sleep(part.behaviours[at]?.ms ?? 1);
      yield at;
    }
    if (part.behaviours[0]?.ends === "badly") throw new Error("the list broke off");
  };
}

/** Only a map that is no soft one may be run over. */
function isFollowable({ parts }: RandomCase, index: number): boolean {
  const part = parts[index];
  if (part === undefined || part.kind === "stage" || part.kind === "follower") return false;
  return part.critical && part.when === null && part.trigger === "all_success";
}

/** Every state that ends a stage or item. */
export const END_STATES: readonly string[] = [
  "succeeded",
  "failed",
  "skipped",
  "cancelled",
  "upstream_failed",
];

/** Everything in the result has ended, and the counts of items agree. */
export function checkEnded(result: RunResult): void {
  for (const { state, items } of Object.values(result.stages)) {
    expect(END_STATES).toContain(state);
    if (items === undefined) continue;
    expect(items).toMatchObject({ pending: 0, running: 0, waiting: 0 });
    const { total, ...counts } = items;
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(total);
  }
}

/** Nothing was called beside itself, or more often than it may be. */
export function checkCalls(watch: Watch, { parts }: RandomCase): void {
  expect(watch.overlaps).toBe(0);
  for (const [name, calls] of watch.calls) {
    const index = Number(name.slice(1, name.indexOf("/")));
    expect(calls).toBeLessThanOrEqual(parts[index]?.attempts ?? 0);
  }
}
