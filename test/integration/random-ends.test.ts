// Random pipelines of every kind of stage, ended in random ways at random moments: by themselves, by a cancel, by
// a deadline, by failFast. Whatever happens, the run ends, everything in it has ended, and nothing is left.

import fc from "fast-check";
import { expect, test } from "vitest";
import { definePipeline, type Context, type MillraceEvent, type RunResult } from "millrace";
import { makeMemoryWorld, passTime, type MemoryWorld } from "../support/memory-world.ts";

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

interface RandomCase {
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

const cases: fc.Arbitrary<RandomCase> = fc.integer({ min: 1, max: 7 }).chain((size) =>
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
class Watch {
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

function makePart(
  random: RandomCase,
  index: number,
  hands: { readonly watch: Watch; readonly world: MemoryWorld },
): Readonly<Record<string, unknown>> {
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
  const stopping = part.stopAfter === null ? {} : { stopAfter: { inARow: part.stopAfter } };
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

const OVER = ["succeeded", "failed", "skipped", "cancelled", "upstream_failed"];

function checkResult(result: RunResult): void {
  for (const { state, items } of Object.values(result.stages)) {
    expect(OVER).toContain(state);
    if (items === undefined) continue;
    expect(items).toMatchObject({ pending: 0, running: 0, waiting: 0 });
    const { total, ...counts } = items;
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(total);
  }
}

function checkEvents(events: readonly MillraceEvent[], result: RunResult): void {
  const isEnd = ({ type }: MillraceEvent): boolean =>
    OVER.some((word) => type.endsWith(`.${word}`));
  const ends = events.filter(isEnd);
  const named = ends.map(({ type, stage, item }) => [type.split(".")[0], stage, item].join(" "));
  expect(new Set(named).size).toBe(named.length);
  for (const name of Object.keys(result.stages)) expect(named).toContain(`stage ${name} `);
  expect(events.at(-1)?.type).toBe(`run.${result.state}`);
  expect(events.filter(({ type }) => type.startsWith("run."))).toHaveLength(2);
}

async function play(random: RandomCase): Promise<void> {
  const world = makeMemoryWorld();
  const watch = new Watch();
  const stages = random.parts.map((_part, index) => makePart(random, index, { watch, world }));
  const made = definePipeline({ name: "random", stages: stages as never });
  const { by, atMs } = random.ending;
  const controller = new AbortController();
  const running = made.run(undefined, {
    ...world.options,
    signal: controller.signal,
    concurrency: random.concurrency,
    failFast: random.failFast,
    ...(by === "deadline" ? { deadline: atMs + 1 } : {}),
  });
  if (by === "cancel") {
    await world.clock.advance(atMs);
    controller.abort();
  }
  const never = random.parts.some(({ behaviours, when }) =>
    [...behaviours, ...(when === null ? [] : [when])].some(({ ends }) => ends === "never"),
  );
  const result = await endFor(world, running, { controller, never });

  checkResult(result);
  checkEvents(world.events, result);
  expect(watch.overlaps).toBe(0);
  for (const [name, calls] of watch.calls) {
    const index = Number(name.slice(1, name.indexOf("/")));
    expect(calls).toBeLessThanOrEqual(random.parts[index]?.attempts ?? 0);
  }
  const told = world.events.length;
  await world.clock.advance(40 * 86_400_000);
  expect(world.events).toHaveLength(told);
  expect(world.clock.pendingTimers).toBe(0);
}

/** A run with something that never ends by itself is cancelled after a while. */
async function endFor(
  world: MemoryWorld,
  running: Promise<RunResult>,
  more: { readonly controller: AbortController; readonly never: boolean },
): Promise<RunResult> {
  if (more.never || world.clock.nextTimerMs === undefined) {
    await world.clock.advance(100_000);
    more.controller.abort();
  }
  return await passTime(world.clock, running);
}

test("800 random runs end with everything in them ended once, and leave nothing behind", async () => {
  await fc.assert(fc.asyncProperty(cases, play), { numRuns: 800, seed: 7 });
});
