// Random graphs with failures, skips, conditions, rules and operators, against an oracle that knows only the
// written rules: every stage ends as it says, and only the stages it says are called.

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  definePipeline,
  pipeline,
  required,
  skip,
  stage,
  type Pipeline,
  type RunResult,
  type StageValue,
  type TriggerRule,
} from "millrace";
import { playRun, type RandomGraph, type RandomStage } from "../support/graph-oracle.ts";

const TRIGGERS: readonly TriggerRule[] = [
  "all_success",
  "all_done",
  "all_failed",
  "one_failed",
  "none_failed",
  "none_failed_min_one_success",
];

const often = <T>(usual: T, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 2, arbitrary: rare });

function stageAt(index: number, withRequired: boolean): fc.Arbitrary<RandomStage> {
  const need = fc.record({
    stage: fc.nat({ max: Math.max(0, index - 1) }),
    required: withRequired ? fc.boolean() : fc.constant(false),
  });
  return fc.record({
    needs:
      index === 0
        ? fc.constant([])
        : fc.uniqueArray(need, { maxLength: 4, selector: (one) => one.stage }),
    trigger: often<TriggerRule>("all_success", fc.constantFrom(...TRIGGERS)),
    critical: often(true, fc.constant(false)),
    does: often<RandomStage["does"]>("succeed", fc.constantFrom("fail", "skip")),
    declaresSkip: fc.boolean(),
    when: often(null, fc.constantFrom<RandomStage["when"]>(true, false, "throws")),
    left: often(false, fc.boolean()),
  });
}

function graphs(form: "typed" | "untyped"): fc.Arbitrary<RandomGraph> {
  return fc.integer({ min: 1, max: 14 }).chain((size) => {
    const places = Array.from({ length: size }, (_, index) => index);
    return fc.record({
      stages: fc.tuple(...places.map((index) => stageAt(index, form === "typed"))),
      // A typed stage is declared after what it needs; an untyped one stands anywhere.
      order:
        form === "typed"
          ? fc.constant(places)
          : fc.shuffledSubarray(places, { minLength: size, maxLength: size }),
      failFast: fc.boolean(),
    });
  });
}

const nameOf = (index: number): string => `s${index}`;

function makeOptions({ trigger, critical, declaresSkip, when }: RandomStage): object {
  const ask = (): boolean => {
    if (when === "throws") throw new Error("condition");
    return when === true;
  };
  return { trigger, critical, skips: declaresSkip, ...(when === null ? {} : { when: ask }) };
}

function makeRun(stages: readonly RandomStage[], index: number, called: number[]): () => unknown {
  return () => {
    called.push(index);
    if (stages[index]?.does === "fail") throw new Error(`no ${index}`);
    return stages[index]?.does === "skip" ? skip("said so") : index;
  };
}

function makeUntyped({ stages, order }: RandomGraph, called: number[]): Pipeline {
  const list = stages.map((one, index) => ({
    id: nameOf(index),
    needs: one.needs.map((need) => nameOf(need.stage)),
    run: makeRun(stages, index, called),
    ...makeOptions(one),
  }));
  const place = (index: number): number => order[index] ?? 0;
  const declared = list
    .map((one, index) => ({ one, at: place(index) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one);
  return definePipeline({ name: "random", stages: declared });
}

function makeTyped({ stages }: RandomGraph, called: number[]): Pipeline {
  const values: StageValue[] = [];
  for (const [index, one] of stages.entries()) {
    const needs = one.needs.flatMap((need) => {
      const value = values[need.stage];
      if (value === undefined) return [];
      // Some needs stand in lists: they count like any other.
      const shape = need.required ? required(value) : value;
      return [[nameOf(need.stage), need.stage % 3 === 0 ? [shape] : shape] as const];
    });
    const options = { ...makeOptions(one), needs: Object.fromEntries(needs) };
    values.push(stage(nameOf(index), options, makeRun(stages, index, called)));
  }
  // What the compiler cannot know of a graph made by dice.
  return pipeline("random", { stages: values }) as unknown as Pipeline;
}

function describeEndings(graph: RandomGraph, result: RunResult): unknown {
  return graph.stages.map((_one, index) => {
    const { state, reason, error } = result.stages[nameOf(index)] ?? {};
    const origin = state === "upstream_failed" ? error?.stage : undefined;
    return { state, reason, origin };
  });
}

async function compare(graph: RandomGraph, form: "typed" | "untyped"): Promise<void> {
  const called: number[] = [];
  const made = form === "typed" ? makeTyped(graph, called) : makeUntyped(graph, called);
  const skipped = graph.stages.flatMap(({ left }, index) => (left ? [nameOf(index)] : []));
  const result = await made.run(undefined, {
    concurrency: 1,
    failFast: graph.failFast,
    skip: skipped,
  });
  const expected = playRun(graph);

  expect(describeEndings(graph, result)).toEqual(
    expected.endings.map(({ state, reason, origin }) => ({
      state,
      reason,
      origin: origin === undefined ? undefined : nameOf(origin),
    })),
  );
  expect(called.toSorted((a, b) => a - b)).toEqual(
    expected.endings.flatMap((ending, index) => (ending.called ? [index] : [])),
  );
  expect({ state: result.state, warnings: result.warnings }).toEqual({
    state: expected.state,
    warnings: expected.warnings,
  });
}

test("R64 R65 R66 R68: 500 random graphs end as the written rules say, whatever their order", async () => {
  await fc.assert(
    fc.asyncProperty(graphs("untyped"), (graph) => compare(graph, "untyped")),
    { numRuns: 500, seed: 14 },
  );
});

test("500 random graphs of values, with required needs and lists, end as the written rules say", async () => {
  await fc.assert(
    fc.asyncProperty(graphs("typed"), (graph) => compare(graph, "typed")),
    { numRuns: 500, seed: 15 },
  );
});

test("with failFast off 300 random graphs end the same, however many attempts there are at once", async () => {
  await fc.assert(
    fc.asyncProperty(
      graphs("untyped"),
      fc.integer({ min: 1, max: 8 }),
      async (graph, concurrency) => {
        const slow = { ...graph, failFast: false };
        const made = makeUntyped(slow, []);
        const left = slow.stages.flatMap((one, index) => (one.left ? [nameOf(index)] : []));
        const result = await made.run(undefined, { concurrency, failFast: false, skip: left });
        expect(
          Object.fromEntries(Object.entries(result.stages).map(([name, one]) => [name, one.state])),
        ).toEqual(
          Object.fromEntries(
            playRun(slow).endings.map(({ state }, index) => [nameOf(index), state]),
          ),
        );
      },
    ),
    { numRuns: 300, seed: 16 },
  );
});
