// The six trigger rules as the engine keeps them: judged once all needs are finished, on endings that really
// happened in a run.

import { expect, test } from "vitest";
import { definePipeline, skip, type TriggerRule } from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

type Ending = "succeeded" | "failed" | "skipped" | "upstream_failed";

/** A need that ends in a given way, with what must stand before it. */
function makeNeed(id: string, ending: Ending): readonly Record<string, unknown>[] {
  const run = (): unknown => {
    if (ending === "failed") throw new Error(`${id} broke`);
    return ending === "skipped" ? skip("said so") : id;
  };
  if (ending !== "upstream_failed") return [{ id, run }];
  const broken = (): never => {
    throw new Error(`${id} has no ground`);
  };
  return [
    { id: `${id}-before`, run: broken },
    { id, needs: [`${id}-before`], run },
  ];
}

/** The state of a reader under a rule, over needs that ended so. */
async function readerOver(trigger: TriggerRule, endings: readonly Ending[]): Promise<unknown> {
  const needs = endings.map((_, index) => `n${index}`);
  const stages = endings.flatMap((ending, index) => makeNeed(`n${index}`, ending));
  const made = definePipeline({
    name: "p",
    failFast: false,
    stages: [...stages, { id: "reader", needs, trigger, run: () => "ran" } as never] as never,
  });
  const result = await made.run(undefined);
  for (const [index, ending] of endings.entries()) {
    expect(result.stages[`n${index}`]?.state).toBe(ending);
  }
  const { state, reason, error } = result.stages["reader"] ?? {};
  return state === "succeeded" ? "ran" : { state, because: reason ?? error?.stage };
}

const skipped = { state: "skipped", because: "upstream_skipped" };
const behind = (stage: string): object => ({ state: "upstream_failed", because: stage });

const CASES: readonly [TriggerRule, readonly Ending[], unknown][] = [
  ["all_success", ["succeeded", "succeeded"], "ran"],
  ["all_success", ["succeeded", "skipped"], skipped],
  ["all_success", ["succeeded", "failed"], behind("n1")],
  ["all_success", ["skipped", "failed"], behind("n1")],
  ["all_success", ["upstream_failed", "succeeded"], behind("n0-before")],
  ["all_done", ["failed", "skipped"], "ran"],
  ["all_done", ["upstream_failed"], "ran"],
  ["all_done", ["succeeded"], "ran"],
  ["all_failed", ["failed", "upstream_failed"], "ran"],
  ["all_failed", ["failed", "succeeded"], skipped],
  ["all_failed", ["failed", "skipped"], skipped],
  ["one_failed", ["failed", "succeeded", "skipped"], "ran"],
  ["one_failed", ["upstream_failed", "succeeded"], "ran"],
  ["one_failed", ["succeeded", "skipped"], skipped],
  ["none_failed", ["succeeded", "skipped"], "ran"],
  ["none_failed", ["skipped", "skipped"], "ran"],
  ["none_failed", ["skipped", "failed"], behind("n1")],
  ["none_failed", ["succeeded", "upstream_failed"], behind("n1-before")],
  ["none_failed_min_one_success", ["succeeded", "skipped"], "ran"],
  ["none_failed_min_one_success", ["skipped", "skipped"], skipped],
  ["none_failed_min_one_success", ["succeeded", "failed"], behind("n1")],
];

test.each(CASES)("%s over %j", async (trigger, endings, expected) => {
  expect(await readerOver(trigger, endings)).toEqual(expected);
});

test.each(["all_success", "all_done", "none_failed"] as const)(
  "a stage without needs runs under %s",
  async (trigger) => {
    expect(await readerOver(trigger, [])).toBe("ran");
  },
);

test.each(["all_failed", "one_failed", "none_failed_min_one_success"] as const)(
  "a stage without needs is skipped under %s",
  async (trigger) => {
    expect(await readerOver(trigger, [])).toEqual(skipped);
  },
);

test.each(["one_failed", "all_done"] as const)(
  "%s is judged when all needs are finished and not before",
  async (trigger) => {
    const world = makeMemoryWorld();
    const made = definePipeline({
      name: "p",
      failFast: false,
      stages: [
        {
          id: "fast",
          run: () => {
            throw new Error("boom");
          },
        },
        {
          id: "slow",
          run: (_input: unknown, ctx: { sleep(ms: number): unknown }) => ctx.sleep(500),
        },
        {
          id: "reader",
          needs: ["fast", "slow"],
          trigger,
          run: (_needs: unknown, ctx: { now(): number }) => ctx.now(),
        },
      ],
    });

    const result = await world.finish(made, undefined);

    expect(result.output("reader")).toBe((world.events[0]?.atMs ?? 0) + 500);
  },
);

test("a rule after a branch: the taken branch goes on, the other one is skipped", async () => {
  const made = definePipeline({
    name: "branch",
    stages: [
      { id: "choose", run: (input: unknown) => input },
      { id: "left", needs: ["choose"], when: (side: unknown) => side === "left", run: () => "L" },
      { id: "right", needs: ["choose"], when: (side: unknown) => side === "right", run: () => "R" },
      {
        id: "join",
        needs: ["left", "right"],
        trigger: "none_failed_min_one_success",
        run: (sides: Record<string, { value?: unknown }>) => [
          sides["left"]?.value,
          sides["right"]?.value,
        ],
      },
    ],
  });

  expect((await made.run("left")).output("join")).toEqual(["L", undefined]);
  expect((await made.run("right")).output("join")).toEqual([undefined, "R"]);
  const neither = await made.run("up");
  expect(neither.stages["join"]).toMatchObject({ state: "skipped", reason: "upstream_skipped" });
});
