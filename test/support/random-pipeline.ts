// Pipelines that a property test makes up: graphs of stages and maps that fail, skip, retry, follow each other and
// give large outputs, all by rules that depend on names and attempts alone, so that every passage ends the same.

import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Context } from "../../src/model/context.ts";
import { definePipeline, skip } from "../../src/exports/index.ts";
import type { Pipeline, StageById } from "../../src/exports/index.ts";

/** What is decided about one stage. */
export interface StagePlan {
  readonly kind: "plain" | "literal" | "follow" | "list" | "stream";
  /** Earlier stages, counted back from this one; beyond the first stage there are none. */
  readonly needs: readonly number[];
  readonly critical: boolean;
  readonly persist: boolean;
  readonly trigger: string;
  readonly when: "none" | "yes" | "no" | "state";
  readonly attempts: number;
  /** Attempts that fail, of the stage or of one item in three. */
  readonly failures: number;
  readonly skips: boolean;
  readonly isLarge: boolean;
  readonly isTolerant: boolean;
  readonly isSlow: boolean;
  readonly items: number;
}

const TRIGGERS = [
  "all_success",
  "all_success",
  "all_success",
  "all_done",
  "none_failed",
  "one_failed",
  "none_failed_min_one_success",
];

/** Plans of a whole pipeline. */
export const plans: fc.Arbitrary<readonly StagePlan[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("plain", "plain", "literal", "follow", "follow", "list", "stream"),
    needs: fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    critical: fc.boolean(),
    persist: fc.boolean(),
    trigger: fc.constantFrom(...TRIGGERS),
    when: fc.constantFrom("none", "none", "none", "yes", "no", "state"),
    attempts: fc.integer({ min: 1, max: 3 }),
    failures: fc.constantFrom(0, 0, 0, 1, 2, 5),
    skips: fc.constantFrom(false, false, false, true),
    isLarge: fc.boolean(),
    isTolerant: fc.boolean(),
    isSlow: fc.boolean(),
    items: fc.integer({ min: 0, max: 5 }),
  }),
  { minLength: 2, maxLength: 6 },
);

/** How user code behaves. */
export interface Behaviour {
  /** Told of every piece of user code that begins. */
  readonly onCall?: (ctx: Context) => void;
  /** True while nothing fails any more, whatever was planned. Default: never. */
  readonly isHealed?: () => boolean;
  /** True: every stage whose output is stored has a cache. Default: none has. */
  readonly isCached?: boolean;
}

/** Makes the pipeline of these plans. */
export function makeRandomPipeline(
  stagePlans: readonly StagePlan[],
  behaviour: Behaviour = {},
): Pipeline {
  const kinds: StagePlan["kind"][] = [];
  const stages = stagePlans.map((given, index): StageById => {
    const plan = calm(given);
    const needs = plan.needs.map((back) => index - back).filter((at) => at >= 0);
    const kind = chooseKind(plan, stagePlans[index - 1], kinds[index - 1]);
    kinds.push(kind);
    const common = {
      id: `s${index}`,
      needs: needs.map((at) => `s${at}`),
      critical: plan.critical,
      persist: plan.persist,
      ...(behaviour.isCached === true && plan.persist ? { cache: true } : {}),
      retry: { attempts: plan.attempts, initialDelay: 1, jitter: "none" },
      ...(plan.trigger === "all_success" || kind === "follow" ? {} : { trigger: plan.trigger }),
      ...(plan.when === "none" || kind === "follow"
        ? {}
        : { when: makeCondition(plan.when, needs[0]) }),
    };
    if (kind === "plain")
      return {
        ...common,
        skips: plan.skips,
        run: (given: unknown, ctx: Context) => work(plan, { given, ctx, behaviour }),
      };
    return {
      ...common,
      over: makeOver(kind, plan, index),
      ...(kind === "follow" ? {} : { key: (item: string) => item }),
      onItemFailure: plan.isTolerant ? "continue" : "fail",
      concurrency: 2,
      run: (item: unknown, given: unknown, ctx: Context) =>
        work(plan, { given: [item, given], ctx, behaviour }),
    };
  });
  return definePipeline({
    name: "random",
    stages,
    failFast: false,
    // What is not stored can be read in the process that made it, and nowhere else.
    output: Object.fromEntries(
      stagePlans.flatMap(({ persist }, index) => (persist ? [[`s${index}`, `s${index}`]] : [])),
    ),
  });
}

/** Where one failure cancels the other items, which ones is a matter of time: such a map does not fail for good. */
function calm(plan: StagePlan): StagePlan {
  const isMap = plan.kind !== "plain";
  if (!isMap || plan.isTolerant || plan.failures < plan.attempts) return plan;
  return { ...plan, failures: plan.attempts - 1 };
}

/** A map can only follow a tolerant map that is there. */
function chooseKind(
  plan: StagePlan,
  before: StagePlan | undefined,
  kindBefore: StagePlan["kind"] | undefined,
): StagePlan["kind"] {
  if (plan.kind !== "follow" && plan.kind !== "list") return plan.kind;
  if (before === undefined || kindBefore === undefined || kindBefore === "plain") return "literal";
  const isSure =
    before.critical &&
    (kindBefore === "follow" || (before.trigger === "all_success" && before.when === "none"));
  if (!isSure) return "literal";
  return before.isTolerant === (plan.kind === "follow") ? plan.kind : "literal";
}

function makeOver(kind: StagePlan["kind"], plan: StagePlan, index: number): unknown {
  const names = Array.from({ length: plan.items }, (_, n) => `i${n}`);
  if (kind === "literal") return names;
  if (kind === "follow" || kind === "list") return `s${index - 1}`;
  return async function* () {
    for (const name of names) yield await Promise.resolve(name);
  };
}

function makeCondition(
  when: StagePlan["when"],
  need: number | undefined,
): (needs: unknown, ctx: Context) => boolean {
  // Only what a need has set is there for sure.
  if (when === "state" && need !== undefined)
    return (_needs, ctx) => ctx.state.get(`s${need}`) === "was here";
  return () => when === "yes";
}

async function work(
  plan: StagePlan,
  call: { readonly given: unknown; readonly ctx: Context; readonly behaviour: Behaviour },
): Promise<unknown> {
  const { given, ctx, behaviour } = call;
  behaviour.onCall?.(ctx);
  const isHealed = behaviour.isHealed?.() === true;
  const name = `${ctx.stage}/${ctx.item?.key ?? ""}`;
  const isUnlucky = ctx.item === undefined || hashOf(name).charCodeAt(0) % 3 === 0;
  ctx.metric.increment(ctx.stage);
  ctx.state.set(ctx.stage, "was here");
  const half = await ctx.memo("half", () => hashOf(name));
  if (plan.isSlow) await ctx.sleep(1);
  if (isUnlucky && !isHealed && ctx.attempt <= plan.failures)
    throw new Error(`${name} fails ${ctx.attempt}`);
  if (plan.skips && isUnlucky) return skip(`${name} has nothing to do`);
  const text = hashOf(half + JSON.stringify(plain(given)));
  return plan.isLarge ? text.repeat(5_000) : text;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** A value without what two passages may differ in: the details of failures. */
export function plain(given: unknown): unknown {
  return JSON.parse(
    JSON.stringify(given ?? null, (key, value: unknown) => (key === "error" ? "error" : value)),
  ) as unknown;
}
