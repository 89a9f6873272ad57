// What a failure does to the rest of a run in memory: critical or not, failFast or not, who is named, and what
// the verdict is.

import { expect, test } from "vitest";
import {
  definePipeline,
  map,
  pipeline,
  required,
  stage,
  type Context,
  type RunResult,
} from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

const boom = (): never => {
  throw new Error("boom");
};

const states = (result: RunResult<unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(result.stages).map(([name, one]) => [name, one.state]));

test("R22: an exception is a failed attempt; the run ends and the process lives on", async () => {
  const made = pipeline("p", { output: { a: stage("a", {}, boom) } });

  const result = await made.run(undefined);

  expect(result.state).toBe("failed");
  expect(result.stages["a"]).toMatchObject({
    state: "failed",
    attempts: 1,
    error: { class: "unknown", message: "boom", attempts: 1 },
  });
});

test.each([["a text"], [undefined], [null], [42], [Symbol("odd")], [{ odd: true }]])(
  "R22: %o thrown is a failed attempt like any error",
  async (thrown) => {
    const a = stage("a", {}, () => {
      throw thrown;
    });
    const b = stage("b", {}, () => Promise.reject(thrown));

    const result = await pipeline("p", { output: { a, b }, failFast: false }).run(undefined);

    expect(states(result)).toEqual({ a: "failed", b: "failed" });
    expect(result.stages["a"]?.error?.message).toContain("threw");
  },
);

test("what a stage returns may be any thenable, and one that misbehaves fails its own stage", async () => {
  const thenable = {
    // oxlint-disable-next-line unicorn/no-thenable -- a promise of a stranger's library
    then(done: (value: string) => void): void {
      done("first");
      done("second");
    },
  };
  const throwing = {
    // oxlint-disable-next-line unicorn/no-thenable -- the same, broken
    get then(): never {
      throw new Error("no then today");
    },
  };
  const good = stage("good", {}, () => thenable);
  const bad = stage("bad", { critical: false }, () => throwing);

  const result = await pipeline("p", { stages: [good, bad] }).run(undefined);

  expect(result.output("good")).toBe("first");
  expect(result.stages["bad"]?.error?.message).toBe("no then today");
});

test("R38 R66: a failure of a stage that is not critical is a warning and the rest goes on", async () => {
  const thumb = stage("thumb", { critical: false }, boom);
  const save = stage("save", { needs: { thumb } }, (needs) => needs.thumb.status);

  const result = await pipeline("p", { output: { save } }).run(undefined);

  expect(result.state).toBe("succeeded");
  expect(result.warnings).toBe(1);
  expect(result.failedStages).toEqual(["thumb"]);
  expect(result.errors).toMatchObject([{ stage: "thumb", critical: false }]);
  expect(result.unwrap().save).toBe("failed");
});

test("R38 R66: a critical failure fails the run", async () => {
  const a = stage("a", {}, boom);
  const result = await pipeline("p", { output: { a } }).run(undefined);
  expect(result).toMatchObject({ state: "failed", warnings: 0 });
  expect(result.errors).toMatchObject([{ stage: "a", critical: true }]);
});

test("R68: dependents of a failed stage are upstream_failed and name the stage that failed", async () => {
  const a = stage("a", {}, boom);
  const b = stage("b", { needs: { a } }, () => 1);
  const c = stage("c", { needs: { b } }, () => 1);

  for (const failFast of [true, false]) {
    const world = makeMemoryWorld();
    const result = await world.finish(pipeline("p", { output: { c } }), undefined, { failFast });

    expect(states(result)).toEqual({ a: "failed", b: "upstream_failed", c: "upstream_failed" });
    for (const name of ["b", "c"]) {
      expect(result.stages[name]?.error).toMatchObject({
        stage: "a",
        message: 'stage "a" failed: boom',
        attempts: 0,
      });
    }
    expect(world.told("stage.upstream_failed").map((event) => event.data?.["stage"])).toEqual([
      "a",
      "a",
    ]);
  }
});

test("R64: with failFast running stages finish, dependents are upstream_failed, the rest is cancelled", async () => {
  const world = makeMemoryWorld();
  const fails = stage("fails", {}, async (_needs, ctx) => {
    await ctx.sleep(10);
    boom();
  });
  const slow = stage("slow", {}, async (_needs, ctx) => {
    await ctx.sleep(100);
    return "kept";
  });
  const after = stage("after", { needs: { slow } }, () => 1);
  const behind = stage("behind", { needs: { fails, slow } }, () => 1);
  const made = pipeline("p", { stages: [after, behind] });

  const result = await world.finish(made, undefined);

  expect(result.state).toBe("failed");
  expect(states(result)).toEqual({
    fails: "failed",
    slow: "succeeded",
    after: "cancelled",
    behind: "upstream_failed",
  });
  expect(result.stages["after"]?.reason).toBe("fail_fast");
  expect(result.output(slow)).toBe("kept");
  expect(world.types("after")).toEqual(["stage.cancelled"]);
});

test("R65: with failFast off every stage whose needs succeeded still runs", async () => {
  const left = stage("left", {}, boom);
  const leftEnd = stage("leftEnd", { needs: { left } }, () => 1);
  const right = stage("right", {}, () => 2);
  const rightEnd = stage("rightEnd", { needs: { right } }, (needs) => needs.right + 1);
  const made = pipeline("p", { failFast: false, output: { leftEnd, rightEnd } });

  const result = await made.run(undefined);

  expect(result.state).toBe("failed");
  expect(states(result)).toEqual({
    left: "failed",
    leftEnd: "upstream_failed",
    right: "succeeded",
    rightEnd: "succeeded",
  });
  expect(result.outputs).toEqual({ leftEnd: undefined, rightEnd: 3 });
});

test("failFast of the run goes before that of the pipeline, both ways", async () => {
  const first = stage("first", {}, boom);
  const second = stage("second", {}, () => 2);
  for (const ofPipeline of [true, false]) {
    const made = pipeline("p", { failFast: ofPipeline, stages: [first, second] });
    for (const failFast of [true, false]) {
      const result = await made.run(undefined, { failFast, concurrency: 1 });
      expect(result.stages["second"]?.state).toBe(failFast ? "cancelled" : "succeeded");
    }
  }
});

test("after failFast what tolerates failures still runs, with what depends only on it", async () => {
  const fails = stage("fails", {}, boom);
  const other = stage("other", {}, () => 1);
  const report = stage("report", { needs: { fails, other }, trigger: "all_done" }, (needs) => [
    needs.fails.status,
    needs.other.status,
  ]);
  const alarm = stage("alarm", { needs: { fails }, trigger: "one_failed" }, () => "rang");
  const sent = stage("sent", { needs: { report, alarm } }, () => "sent");
  const mixed = stage("mixed", { needs: { report, other } }, () => 1);
  const none = stage("none", { needs: { fails, other }, trigger: "none_failed" }, () => 1);
  const all = stage("all", { needs: { fails, other }, trigger: "all_failed" }, () => 1);
  const made = pipeline("p", { stages: [sent, mixed, none, all] });

  const result = await made.run(undefined, { concurrency: 1 });

  expect(states(result)).toEqual({
    fails: "failed",
    other: "cancelled",
    report: "succeeded",
    alarm: "succeeded",
    sent: "succeeded",
    mixed: "cancelled",
    none: "upstream_failed",
    // A cancelled need has neither failed nor succeeded.
    all: "skipped",
  });
  expect(result.output(report)).toEqual(["failed", "cancelled"]);
  expect(result.state).toBe("failed");
});

test("after failFast a reader that requires a failed soft stage is upstream_failed", async () => {
  const soft = stage("soft", { critical: false }, boom);
  const slow = stage("slow", {}, (_needs, ctx) => ctx.sleep(100));
  const reader = stage("reader", { needs: { soft: required(soft), slow } }, () => 1);
  const fails = stage("fails", {}, async (_needs, ctx) => {
    await ctx.sleep(10);
    boom();
  });
  const made = pipeline("p", { stages: [reader, fails] });

  const result = await makeMemoryWorld().finish(made, undefined);

  expect(result.stages["reader"]).toMatchObject({
    state: "upstream_failed",
    error: { stage: "soft" },
  });
});

test("a stage that waits for its retry when failFast strikes does not start again", async () => {
  const world = makeMemoryWorld();
  let calls = 0;
  const retried = stage("retried", { retry: { attempts: 5, jitter: "none" } }, () => {
    calls += 1;
    boom();
  });
  const fails = stage("fails", {}, async (_needs, ctx) => {
    await ctx.sleep(10);
    boom();
  });

  const result = await world.finish(pipeline("p", { stages: [retried, fails] }), undefined);

  expect(calls).toBe(1);
  expect(result.stages["retried"]).toMatchObject({ state: "cancelled", reason: "fail_fast" });
  expect(world.now()).toBe(10);
  expect(world.clock.pendingTimers).toBe(0);
});

test("an attempt that fails after failFast struck is not repeated", async () => {
  const world = makeMemoryWorld();
  const retried = stage("retried", { retry: 5 }, async (_needs, ctx) => {
    await ctx.sleep(20);
    boom();
  });
  const fails = stage("fails", {}, async (_needs, ctx) => {
    await ctx.sleep(10);
    boom();
  });

  const result = await world.finish(pipeline("p", { stages: [retried, fails] }), undefined);

  expect(result.stages["retried"]).toMatchObject({
    state: "cancelled",
    reason: "fail_fast",
    attempts: 1,
    error: { message: "boom" },
  });
  expect(world.now()).toBe(20);
});

test("a condition that is being asked when failFast strikes starts nothing", async () => {
  const world = makeMemoryWorld();
  let ran = false;
  const asked = stage(
    "asked",
    {
      when: async (_needs, ctx) => {
        await ctx.sleep(20);
        return true;
      },
    },
    () => void (ran = true),
  );
  const fails = stage("fails", {}, async (_needs, ctx) => {
    await ctx.sleep(10);
    boom();
  });

  const result = await world.finish(pipeline("p", { stages: [asked, fails] }), undefined);

  expect(ran).toBe(false);
  expect(result.stages["asked"]).toMatchObject({ state: "cancelled", reason: "fail_fast" });
});

test("R67: results and metrics of all stages that ran are kept after a failure", async () => {
  const fails = stage("fails", {}, (_needs, ctx) => {
    ctx.metric.increment("tried");
    boom();
  });
  const works = stage("works", {}, (_needs, ctx) => {
    ctx.metric.increment("worked", 3);
    return 7;
  });
  const made = pipeline("p", { failFast: false, output: { works }, stages: [fails] });

  const result = await made.run(undefined);

  expect(result.state).toBe("failed");
  expect(result.outputs.works).toBe(7);
  expect(result.stages["works"]?.state).toBe("succeeded");
  expect(result.metrics).toEqual({ tried: 1, worked: 3 });
});

test("a green clean-up hides no failure", async () => {
  const fails = stage("fails", {}, boom);
  const cleanup = stage("cleanup", { needs: { fails }, trigger: "all_done" }, () => "clean");
  const result = await pipeline("p", { output: { cleanup } }).run(undefined);
  expect(result.state).toBe("failed");
  expect(result.output(cleanup)).toBe("clean");
});

test("warnings count failed soft stages, what stands behind them, and tolerated items", async () => {
  const soft = stage("soft", { critical: false }, boom);
  const behind = stage("behind", { needs: { soft: required(soft) } }, () => 1);
  const further = stage("further", { needs: { behind: required(behind) } }, () => 1);
  const items = map("items", { over: [1, 2, 3, 4], onItemFailure: "continue" }, (item) => {
    if (item % 2 === 0) boom();
    return item;
  });
  const made = pipeline("p", { stages: [further, items] });

  const result = await made.run(undefined);

  expect(result.state).toBe("succeeded");
  expect(result.warnings).toBe(5);
});

test("what stands behind a critical failure is no warning", async () => {
  const hard = stage("hard", {}, boom);
  const behind = stage("behind", { needs: { hard } }, () => 1);
  const result = await pipeline("p", { stages: [behind] }).run(undefined);
  expect(result).toMatchObject({ state: "failed", warnings: 0 });
});

test("the first critical failure is the one of the run, in order of completion", async () => {
  const world = makeMemoryWorld();
  const failing = (duration: number) => async (_needs: unknown, ctx: Context) => {
    await ctx.sleep(duration);
    boom();
  };
  const late = stage("late", {}, failing(50));
  const soft = stage("soft", { critical: false }, failing(5));
  const early = stage("early", {}, failing(10));
  const made = pipeline("p", { stages: [late, soft, early] });

  const result = await world.finish(made, undefined);

  expect(result.errors.map(({ stage: name }) => name)).toEqual(["soft", "early", "late"]);
  expect(() => result.unwrap()).toThrow('Stage "early" failed');
  expect(world.told("run.failed")[0]?.data).toMatchObject({ stage: "early", message: "boom" });
});

test("a failed critical stage is the run's failure also behind thousands of tolerated items", async () => {
  const items = Array.from({ length: 1_500 }, (_, index) => index);
  const many = map("many", { over: items, onItemFailure: "continue", minSuccess: 0 }, boom);
  const last = stage("last", { needs: { many } }, () => {
    throw new Error("the real reason");
  });
  const world = makeMemoryWorld();

  const result = await world.finish(pipeline("p", { output: { last } }), undefined);

  expect(result.errors).toHaveLength(1_000);
  expect(() => result.unwrap()).toThrow("the real reason");
  expect(world.told("run.failed")[0]?.data).toMatchObject({ stage: "last" });
});

test("a run in the untyped form fails the same way", async () => {
  const made = definePipeline({
    name: "p",
    stages: [
      { id: "a", run: boom },
      { id: "b", needs: ["a"], run: () => 1 },
    ],
  });
  expect(states(await made.run(undefined))).toEqual({ a: "failed", b: "upstream_failed" });
});
