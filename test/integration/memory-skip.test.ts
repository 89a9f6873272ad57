// Skips in memory: said by a stage, by its condition, by the operator, or because a need was skipped.

import { expect, test } from "vitest";
import { input, map, pipeline, required, skip, stage } from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

test("R54: skipped is a state of its own, with a reason and no output, and does not fail the run", async () => {
  const a = stage("a", { skips: true }, () => skip("nothing to do"));
  const b = stage("b", {}, () => 1);

  const result = await pipeline("p", { output: { a, b } }).run(undefined);

  expect(result.state).toBe("succeeded");
  expect(result.stages["a"]).toMatchObject({ state: "skipped", reason: "nothing to do" });
  expect(result.outputs).toEqual({ a: undefined, b: 1 });
  expect(result.errors).toEqual([]);
  expect(result.warnings).toBe(0);
});

test("R32: a soft need shows the skip and its reason; a required one skips the reader", async () => {
  const maybe = stage("maybe", { skips: true }, async () => skip("too early"));
  const soft = stage("soft", { needs: { maybe } }, (needs) => needs.maybe);
  const hard = stage("hard", { needs: { maybe: required(maybe) } }, () => 1);

  const result = await pipeline("p", { output: { soft, hard } }).run(undefined);

  expect(result.outputs.soft).toEqual({ status: "skipped", reason: "too early" });
  expect(result.stages["hard"]).toMatchObject({ state: "skipped", reason: "upstream_skipped" });
});

test("skip() without a text says that it was returned", async () => {
  const a = stage("a", { skips: true }, () => skip());
  const result = await pipeline("p", { output: { a } }).run(undefined);
  expect(result.stages["a"]?.reason).toBe("returned");
});

test("R39: a condition skips a stage from what came before, and its reason is kept", async () => {
  const claims = input<readonly string[]>();
  const rejected = stage("rejected", { needs: { claims } }, (needs) =>
    needs.claims.filter((claim) => claim.startsWith("!")),
  );
  const appeal = stage(
    "appeal",
    {
      needs: { rejected },
      when: (needs) => needs.rejected.length > 0 || skip("no_rejections"),
    },
    (needs) => needs.rejected.length,
  );
  const made = pipeline("review", { input: claims, output: { appeal } });

  const quiet = await made.run(["fine"]);
  expect(quiet.stages["appeal"]).toMatchObject({ state: "skipped", reason: "no_rejections" });
  expect((await made.run(["!no", "fine"])).outputs.appeal).toBe(1);
});

test("a condition that answers false skips with the reason condition", async () => {
  const a = stage("a", { when: async () => false }, () => 1);
  const result = await pipeline("p", { output: { a } }).run(undefined);
  expect(result.stages["a"]).toMatchObject({ state: "skipped", reason: "condition", attempts: 0 });
});

test("R53 R29: a condition is asked when the stage is reached and sees what its needs stored", async () => {
  const first = stage("first", {}, (_needs, ctx) => ctx.state.set("go", true));
  const second = stage(
    "second",
    { needs: { first }, when: (_needs, ctx) => ctx.state.get("go", false) },
    () => "went",
  );
  const result = await pipeline("p", { output: { second } }).run(undefined);
  expect(result.outputs.second).toBe("went");
});

test("a condition is asked once, and not again before a retry", async () => {
  let asked = 0;
  let calls = 0;
  const a = stage(
    "a",
    {
      retry: { attempts: 3, initialDelay: 10, jitter: "none" },
      when: () => {
        asked += 1;
        return true;
      },
    },
    () => {
      calls += 1;
      if (calls < 3) throw new Error("not yet");
      return "done";
    },
  );
  const result = await makeMemoryWorld().finish(pipeline("p", { output: { a } }), undefined);
  expect(result.unwrap().a).toBe("done");
  expect([asked, calls]).toEqual([1, 3]);
});

test("a condition of several entry stages is asked once each, whichever ends first", async () => {
  const asked: string[] = [];
  const quick = stage("quick", {}, () => 1);
  const slow = stage(
    "slow",
    {
      needs: { quick },
      when: async () => {
        await Promise.resolve();
        asked.push("slow");
        return true;
      },
    },
    () => 1,
  );
  const other = stage("other", {}, () => 1);
  await pipeline("p", { output: { slow, other } }).run(undefined);
  expect(asked).toEqual(["slow"]);
});

test.each([
  ["throws", () => Promise.reject(new Error("no db"))],
  [
    "throws at once",
    () => {
      throw new Error("no db");
    },
  ],
])("R55: a condition that %s fails its own stage alone and says so", async (_name, when) => {
  const a = stage("a", { when, critical: false }, () => 1);
  const b = stage("b", {}, () => 2);

  const result = await pipeline("p", { output: { a, b } }).run(undefined);

  expect(result.state).toBe("succeeded");
  expect(result.outputs.b).toBe(2);
  expect(result.stages["a"]?.error).toMatchObject({
    message: 'the condition (when) of "a" failed: no db',
    attempts: 0,
  });
});

test("a condition that answers neither yes nor no fails its stage and says what it answered", async () => {
  const a = stage("a", { when: () => JSON.parse('"yes"') }, () => 1);
  const result = await pipeline("p", { output: { a } }).run(undefined);
  expect(result.stages["a"]?.error?.message).toBe(
    'the condition (when) of "a" failed: expected true, false or skip(...), got string',
  );
});

test("a condition keeps to the timeout of its stage", async () => {
  const world = makeMemoryWorld();
  const a = stage(
    "a",
    { timeout: 100, when: (_needs, ctx) => ctx.sleep("1h").then(() => true) },
    () => 1,
  );
  const result = await world.finish(pipeline("p", { output: { a } }), undefined);
  expect(world.now()).toBe(100);
  expect(result.stages["a"]).toMatchObject({ state: "failed", error: { class: "timeout" } });
});

test("R56: stages named to be skipped end skipped by the operator, and so do those that require them", async () => {
  const called: string[] = [];
  const note =
    <T>(name: string, value: T) =>
    (): T => {
      called.push(name);
      return value;
    };
  const extract = stage("extract", {}, note("extract", 1));
  const validate = stage("validate", { needs: { extract } }, note("validate", 2));
  const generate = stage("generate", { needs: { validate } }, note("generate", 3));
  const tidy = stage("tidy", { needs: { generate }, trigger: "all_done" }, note("tidy", 4));
  const made = pipeline("p", { output: { generate, tidy } });

  const result = await made.run(undefined, { skip: ["validate"] });

  expect(called).toEqual(["extract", "tidy"]);
  expect(result.state).toBe("succeeded");
  expect(result.stages["validate"]).toMatchObject({ state: "skipped", reason: "operator" });
  expect(result.stages["generate"]).toMatchObject({
    state: "skipped",
    reason: "upstream_skipped",
  });

  const two = await made.run(undefined, { skip: ["validate", "generate"] });
  expect(two.state).toBe("succeeded");
  expect(two.stages["generate"]?.reason).toBe("operator");
});

test("a skipped condition is not asked, and a skipped map reads no list", async () => {
  let asked = 0;
  const count = (): boolean => {
    asked += 1;
    return true;
  };
  const a = stage("a", { when: count }, () => 1);
  const m = map("m", { over: () => (count(), [1]) }, (item) => item);
  const result = await pipeline("p", { output: { a, m } }).run(undefined, { skip: ["a", "m"] });
  expect(asked).toBe(0);
  expect(result.state).toBe("skipped");
  expect(result.reason).toBe("operator");
});

test("only runs what is named; until runs a stage with all it needs", async () => {
  const a = stage("a", {}, () => 1);
  const b = stage("b", { needs: { a } }, (needs) => needs.a + 1);
  const c = stage("c", { needs: { b } }, (needs) => needs.b + 1);
  const d = stage("d", {}, () => 9);
  const made = pipeline("p", { output: { a, b, c, d } });

  const until = await made.run(undefined, { until: "b" });
  expect(until.outputs).toEqual({ a: 1, b: 2, c: undefined, d: undefined });
  expect(until.stages["c"]).toMatchObject({ state: "skipped", reason: "operator" });

  const only = await made.run(undefined, { only: ["a", "d"] });
  expect(only.outputs).toEqual({ a: 1, b: undefined, c: undefined, d: 9 });
});

test.each([{ skip: ["vlidate"] }, { only: ["vlidate"] }, { until: "vlidate" }])(
  "an unknown stage in %j is refused with the nearest name, before anything starts",
  async (choice) => {
    let started = false;
    const a = stage("validate", {}, () => void (started = true));
    const running = pipeline("p", { output: { a } }).run(undefined, choice);
    await expect(running).rejects.toMatchObject({
      code: "STAGE_UNKNOWN",
      hint: 'did you mean "validate"?',
    });
    expect(started).toBe(false);
  },
);

test("a run in which nothing succeeded and something was skipped is skipped", async () => {
  const a = stage("a", { skips: true }, () => skip("quiet day"));
  const b = stage("b", { needs: { a: required(a) } }, () => 1);
  const world = makeMemoryWorld();
  const result = await world.finish(pipeline("p", { output: { b } }), undefined);
  expect(result).toMatchObject({ state: "skipped", reason: "quiet day" });
  expect(world.types().at(-1)).toBe("run.skipped");
  expect(() => result.unwrap()).toThrow('Output "b" is missing: stage "b" ended skipped');
});
