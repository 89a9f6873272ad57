// The cache: results of earlier runs of a pipeline stand for new ones that would be made from the same, whatever
// run or input they come from. Nothing that goes wrong with it fails a stage, and nothing wrong is ever given.

import { describe, expect, test } from "vitest";
import {
  command,
  definePipeline,
  input,
  map,
  pipeline,
  required,
  stage,
} from "../../src/exports/index.ts";
import type { PipelineByIdOptions } from "../../src/service/pipeline.ts";
import { planPipeline } from "../../src/service/plan/plan.ts";
import { readPlanBasis } from "../../src/service/queries/plan-basis.ts";
import { makeVirtualClock } from "../../src/std/virtual-clock.ts";
import { run } from "../support/cached-run.ts";
import { makeDurableWorld, STORES, type SomePipeline } from "../support/durable/durable-world.ts";

/** A list of files, a map that reads each, and a sum; what was called stands in `calls`. */
function makeReading(): { readonly reading: SomePipeline; readonly take: () => string[] } {
  const calls: string[] = [];
  const files = input<{ name: string; text: string }[]>();
  const read = map(
    "read",
    { over: files, key: (file) => file.name, cache: true },
    (file, _needs, ctx) => {
      calls.push(file.name);
      ctx.metric.increment("characters", file.text.length);
      ctx.state.set(`length of ${file.name}`, file.text.length);
      return file.text.length;
    },
  );
  const sum = stage("sum", { needs: { read }, cache: true }, ({ read: lengths }) => {
    calls.push("sum");
    return lengths.reduce((total, length) => total + length, 0);
  });
  const told = stage("told", { needs: { sum } }, (_needs, ctx) => {
    const entries = ["a", "b", "c"].map((name) => ctx.state.get(`length of ${name}`, null));
    return entries.join(" ");
  });
  const reading = pipeline("reading", { input: files, output: { sum, told } });
  return { reading, take: () => calls.splice(0) };
}

const FILES = [
  { name: "a", text: "one" },
  { name: "b", text: "three" },
  { name: "c", text: "seven" },
];

describe.each(STORES)("the cache on %s", (kind) => {
  test("R268 R269 R270: a second run finds everything, a changed item is done again, and no other", async () => {
    const { reading, take } = makeReading();
    const mill = await makeDurableWorld(kind).open([reading]);

    const first = await run(mill, reading, { input: FILES });
    expect(take().toSorted()).toEqual(["a", "b", "c", "sum"]);
    expect(first.metrics).toMatchObject({ characters: 13, "cache.miss": 4, "cache.added": 4 });

    const second = await run(mill, reading, { input: FILES });
    expect(take()).toEqual([]);
    expect(second.outputs).toEqual(first.outputs);
    expect(second.outputs).toEqual({ sum: 13, told: "3 5 5" });
    expect(second.stages["read"]).toMatchObject({ state: "succeeded", via: "cache", attempts: 0 });
    expect(second.stages["sum"]).toMatchObject({ state: "succeeded", via: "cache", attempts: 0 });
    expect(second.metrics).toEqual({ characters: 13, "cache.hit": 4 });
    // Whoever resumes it finds the state that was given back in the store.
    expect(await mill.store.listState(second.id)).toMatchObject([
      { key: "length of a", stage: "read" },
      { key: "length of b", stage: "read" },
      { key: "length of c", stage: "read" },
    ]);

    const changed = FILES.with(1, { name: "b", text: "two" });
    const third = await run(mill, reading, { input: changed });
    expect(take()).toEqual(["b", "sum"]);
    expect(third.outputs).toEqual({ sum: 11, told: "3 3 5" });
    expect(third.metrics).toMatchObject({ "cache.hit": 2, "cache.miss": 2, "cache.changed": 2 });
    expect(third.stages["read"]).toMatchObject({ via: "run" });

    const added = await run(mill, reading, { input: [...changed, { name: "d", text: "" }] });
    expect(take()).toEqual(["d", "sum"]);
    expect(added.metrics).toMatchObject({ "cache.hit": 3, "cache.added": 1, "cache.changed": 1 });
  });

  test("R270: another version is a miss, the old entry is kept, and why names what changed", async () => {
    const calls: string[] = [];
    const make = (version: string): SomePipeline => {
      const a = stage("a", { cache: true, version }, () => {
        calls.push(version);
        return version;
      });
      return pipeline("versions", { output: { a } });
    };
    const [one, two] = [make("1"), make("2")];
    const mill = await makeDurableWorld(kind).open([one]);

    await run(mill, one);
    const second = await run(mill, two);
    expect(second.outputs).toEqual({ a: "2" });
    expect((await mill.why(second.name, "a")).summary).toMatch(
      /^2\/a succeeded in .*; not taken from the cache: its version changed from "1" to "2" since run 1\.$/,
    );
    const third = await run(mill, one);
    expect(third.stages["a"]).toMatchObject({ via: "cache" });
    expect(third.outputs).toEqual({ a: "1" });
    expect(calls).toEqual(["1", "2"]);
    expect((await mill.why("1", "a")).summary).toContain("the cache had nothing of it yet");
    expect((await mill.why(third.name, "a")).summary).toContain("found in the cache");
  });

  test("R268: changed code and changed needs are done again, and why says which", async () => {
    const mill = await makeDurableWorld(kind).open([]);
    const number = input<number>();
    const plus = stage("a", { needs: { number }, cache: true }, (needs) => needs.number + 1);
    const minus = stage("a", { needs: { number }, cache: true }, (needs) => needs.number - 1);
    const first = pipeline("code", { input: number, output: { a: plus } });
    const second = pipeline("code", { input: number, output: { a: minus } });

    await run(mill, first, { input: 1 });
    const changed = await run(mill, second, { input: 1 });
    expect(changed.outputs).toEqual({ a: 0 });
    expect((await mill.why(changed.name, "a")).summary).toContain("its code changed since run 1");
    const other = await run(mill, second, { input: 2 });
    expect(other.outputs).toEqual({ a: 1 });
    expect((await mill.why(other.name, "a")).summary).toContain(
      'its need "number" changed since run 2',
    );
  });

  test("a stage whose needs gave the same again is not done again, whatever became of them", async () => {
    let calls = 0;
    const make = (salt: string): SomePipeline => {
      const a = stage("a", { version: salt }, () => ({ even: true, salt: salt.length }));
      const b = stage("b", { needs: { a }, cache: { version: "1" } }, (needs) => {
        calls += 1;
        return needs.a.even;
      });
      return pipeline("early", { output: { b } });
    };
    const [one, same, other] = [make("x"), make("y"), make("zz")];
    const mill = await makeDurableWorld(kind).open([]);

    await run(mill, one);
    const equal = await run(mill, same);
    expect(equal.stages["a"]).toMatchObject({ via: "run" });
    expect(equal.stages["b"]).toMatchObject({ via: "cache" });
    expect(calls).toBe(1);
    expect((await run(mill, other)).stages["b"]).toMatchObject({ via: "run" });
  });

  test("what a found stage gave is known, so that those after it are found, too", async () => {
    const a = stage("a", { cache: true }, () => 1);
    const b = stage("b", { needs: { a }, cache: true }, (needs) => needs.a + 1);
    const c = stage("c", { needs: { b }, cache: true }, (needs) => needs.b + 1);
    const made = pipeline("chain", { output: { c } });
    const mill = await makeDurableWorld(kind).open([made]);
    await run(mill, made);
    const second = await run(mill, made);
    expect(second).toMatchObject({ outputs: { c: 3 }, metrics: { "cache.hit": 3 } });
  });

  test("a value and the same value as `Settled` are not the same", async () => {
    const soft = stage("soft", { critical: false }, () => 1);
    const read = (needs: { soft: unknown }): string => JSON.stringify(needs.soft);
    const settled = stage("read", { needs: { soft }, cache: true }, read);
    const plain = stage("read", { needs: { soft: required(soft) }, cache: true }, read);
    const mill = await makeDurableWorld(kind).open([]);
    const first = await run(mill, pipeline("arrival", { output: { read: settled } }));
    expect(first.outputs).toEqual({ read: '{"status":"succeeded","value":1}' });
    const second = await run(mill, pipeline("arrival", { output: { read: plain } }));
    expect(second.outputs).toEqual({ read: "1" });
  });

  test("a list of the same values leaves who reads it alone, although its items are other ones", async () => {
    let calls = 0;
    const words = input<string[]>();
    const lengths = map("lengths", { over: words, cache: true }, (word) => word.length);
    const sum = stage("sum", { needs: { lengths }, cache: true }, (needs) => {
      calls += 1;
      return needs.lengths.length;
    });
    const made = pipeline("lists", { input: words, output: { sum } });
    const mill = await makeDurableWorld(kind).open([made]);
    await run(mill, made, { input: ["a", "bb"] });
    const second = await run(mill, made, { input: ["c", "dd"] });
    expect(second.stages["lengths"]).toMatchObject({ via: "run" });
    expect(second.stages["sum"]).toMatchObject({ via: "cache" });
    await run(mill, made, { input: ["dd", "c"] });
    expect(calls).toBe(2);
  });

  test("an entry counts for its ttl, from when it was made and not from when it was used", async () => {
    const clock = makeVirtualClock();
    const a = stage("a", { cache: "7d" }, (_needs, ctx) => ctx.now());
    const made = pipeline("ageing", { output: { a } });
    const world = makeDurableWorld(kind);
    const machine = {
      bootId: "boot",
      isGone: () => undefined,
      processStart: "1",
      host: "h",
      pid: 1,
    };
    const mill = await world.open([made], {
      clock,
      machine: { ...machine, environment: {}, sharedMonotonicMs: () => clock.monotonicMs() },
    });
    const day = 24 * 3_600_000;

    const go = async () => {
      const done = run(mill, made);
      let over = false;
      void done.finally(() => (over = true));
      while (!over) await clock.advance(1);
      return await done;
    };
    const first = await go();
    await clock.advance(6.9 * day);
    const second = await go();
    expect(second.stages["a"]).toMatchObject({ via: "cache" });
    expect(second.outputs).toEqual(first.outputs);
    await clock.advance(0.2 * day);
    const third = await go();
    expect(third.stages["a"]).toMatchObject({ via: "run" });
    expect((await mill.why(third.name, "a")).summary).toContain(
      "what run 1 made of it has expired",
    );
    expect((await go()).outputs).toEqual(third.outputs);
  });

  test("R272: only successes are kept: what failed or was skipped is done again", async () => {
    const made: string[] = [];
    const options: PipelineByIdOptions = {
      name: "ends",
      failFast: false,
      stages: [
        {
          id: "bad",
          critical: false,
          cache: true,
          run: () => {
            made.push("bad");
            throw new Error("no");
          },
        },
        {
          id: "none",
          cache: true,
          when: () => {
            made.push("none");
            return false;
          },
          run: () => 1,
        },
      ],
    };
    const ends = definePipeline(options);
    const mill = await makeDurableWorld(kind).open([ends]);
    await run(mill, ends);
    const second = await run(mill, ends);
    expect(made.toSorted()).toEqual(["bad", "bad", "none", "none"]);
    expect(second.stages["bad"]).toMatchObject({ state: "failed" });
    expect(second.stages["none"]).toMatchObject({ state: "skipped" });
  });

  test("force does the named stages again and keeps the new results, and nothing else", async () => {
    let count = 0;
    const a = stage("a", { cache: true }, () => (count += 1));
    const b = stage("b", { cache: { key: () => "always" } }, () => (count += 1));
    const made = pipeline("forced", { output: { a, b } });
    const mill = await makeDurableWorld(kind).open([made]);

    const first = await run(mill, made);
    const named = await run(mill, made, { force: ["b"] });
    expect(named.stages["a"]).toMatchObject({ via: "cache" });
    expect(named.stages["b"]).toMatchObject({ via: "run" });
    expect(named.outputs["b"]).toBe(3);
    expect(named.metrics).toMatchObject({ "cache.hit": 1, "cache.off": 1 });
    expect((await mill.why(named.name, "b")).summary).toContain("asked by force");
    expect((await run(mill, made)).outputs).toEqual({ a: first.outputs["a"], b: 3 });
    const all = await run(mill, made, { force: true });
    expect(all.metrics).toMatchObject({ "cache.off": 2 });
    await expect(run(mill, made, { force: ["c"] })).rejects.toMatchObject({
      code: "STAGE_UNKNOWN",
    });
  });

  test("R273: what the cache did is counted by stage: hit, miss, off, error", async () => {
    const opaque = stage("opaque", { persist: false }, () => () => 1);
    const off = stage("off", { needs: { opaque }, cache: true }, () => 1);
    const broken = stage("broken", { cache: { key: () => "" } }, () => 1);
    const fine = stage("fine", { cache: true }, () => 1);
    const made = pipeline("outcomes", { output: { off, broken, fine } });
    const mill = await makeDurableWorld(kind).open([made]);

    const first = await run(mill, made);
    expect(first).toMatchObject({ state: "succeeded", warnings: 1 });
    const metrics = async (name: string): Promise<Record<string, unknown>> => {
      const records = await mill.store.listStages((await mill.run(name)).id);
      return Object.fromEntries(records.map((record) => [record.stage, record.metrics]));
    };
    expect(await metrics("1")).toEqual({
      opaque: {},
      off: { "cache.off": 1 },
      broken: { "cache.error": 1 },
      fine: { "cache.miss": 1, "cache.added": 1 },
    });
    await run(mill, made);
    expect(await metrics("2")).toMatchObject({ fine: { "cache.hit": 1 }, off: { "cache.off": 1 } });
    const { id } = await mill.run("1");
    const events = await mill.store.listEvents({ runId: id, after: 0, limit: 1000 });
    const told = events.filter(({ type }) => type === "stage.logged");
    expect(told.map(({ data }) => data?.["message"])).toEqual([
      'the cache of "broken" could not be asked: cache.key: expected text of 1 to 10000 characters; got 0 characters',
    ]);
  });

  test("an author's key decides alone, by item and by stage", async () => {
    const calls: unknown[] = [];
    const rows = input<{ id: number; note: string }[]>();
    const each = map(
      "each",
      { over: rows, key: (row) => String(row.id), cache: { key: (row) => `row ${row.id}` } },
      (row) => {
        calls.push(row);
        return row.note;
      },
    );
    const made = pipeline("keyed", { input: rows, output: { each } });
    const mill = await makeDurableWorld(kind).open([made]);
    await run(mill, made, { input: [{ id: 1, note: "old" }] });
    const second = await run(mill, made, { input: [{ id: 1, note: "new" }] });
    expect(second.outputs).toEqual({ each: ["old"] });
    expect(calls).toHaveLength(1);
  });

  test("a resume asks the cache for what is left, and a cached result is a checkpoint like any other", async () => {
    let broken = true;
    const calls: string[] = [];
    const a = stage("a", { cache: true }, () => (calls.push("a"), 1));
    const b = stage("b", { needs: { a }, cache: true }, (needs) => {
      calls.push("b");
      if (broken) throw new Error("no");
      return needs.a + 1;
    });
    const made = pipeline("again", { output: { b } });
    const mill = await makeDurableWorld(kind).open([made]);
    await run(mill, made);
    const second = await run(mill, made);
    expect(second).toMatchObject({ state: "failed", stages: { a: { via: "cache" } } });
    broken = false;
    const resumed = await (await mill.resume(second.name, { here: true })).result();
    expect(resumed).toMatchObject({ state: "succeeded", outputs: { b: 2 } });
    expect(resumed.stages["a"]).toMatchObject({ via: "checkpoint" });
    expect(calls).toEqual(["a", "b", "b", "b"]);
  });

  test("maps that follow each other are found item by item", async () => {
    const calls: string[] = [];
    const words = input<string[]>();
    const long = map(
      "long",
      { over: words, key: (word) => word, onItemFailure: "continue", cache: true },
      (word) => {
        calls.push(`long ${word}`);
        return word.repeat(2);
      },
    );
    const longer = map("longer", { over: long, onItemFailure: "continue", cache: true }, (word) => {
      calls.push(`longer ${word}`);
      return word.length;
    });
    const made = pipeline("follow", { input: words, output: { longer } });
    const mill = await makeDurableWorld(kind).open([made]);
    const first = await run(mill, made, { input: ["a", "bb"] });
    calls.length = 0;
    const second = await run(mill, made, { input: ["a", "bb"] });
    expect(calls).toEqual([]);
    expect(second.outputs).toEqual(first.outputs);
    await run(mill, made, { input: ["bb", "ccc"] });
    expect(calls).toEqual(["long ccc", "longer cccccc"]);
  });

  test("a cancelled run ends while the cache is being asked", async () => {
    const rows = Array.from({ length: 200 }, (_, index) => index);
    const each = map("each", { over: rows, cache: true }, (row) => row);
    const made = pipeline("cancelled", { output: { each } });
    const mill = await makeDurableWorld(kind).open([made]);
    await run(mill, made);
    const handle = await mill.start(made, undefined);
    await handle.cancel("enough");
    expect((await handle.result()).state).toBe("cancelled");
    expect((await run(mill, made)).stages["each"]).toMatchObject({ via: "cache" });
  });
});

test("a run in memory has no cache: it counts as off, and nothing is kept", async () => {
  let calls = 0;
  const a = stage("a", { cache: true }, () => (calls += 1));
  const made = pipeline("in-memory", { output: { a } });
  const first = await made.run(undefined);
  const second = await made.run(undefined);
  expect([first.metrics, second.metrics]).toEqual([{ "cache.off": 1 }, { "cache.off": 1 }]);
  expect(second.outputs).toEqual({ a: 2 });
});

test("R268 R269: a plan says what the cache has, and which part of it changed", async () => {
  const { reading } = makeReading();
  const world = makeDurableWorld("sqlite");
  const mill = await world.open([reading]);
  await run(mill, reading, { input: FILES });
  const plan = async (given: unknown, force?: true | readonly string[]) => {
    const { definition } = reading;
    const forced = force === undefined ? {} : { force };
    const query = {
      url: world.url,
      busyTimeoutMs: 1_000,
      definition,
      input: given,
      records: false,
    };
    const basis = await readPlanBasis({ ...query, ...forced });
    const { stages, work } = planPipeline(definition, { input: given, ...basis });
    return {
      work,
      stages: stages.map(({ stage: name, will, reason }) => `${name} ${will}: ${reason}`),
    };
  };

  expect(await plan(FILES)).toEqual({
    work: true,
    stages: [
      "read cache: all 3 items made from the same before",
      "sum depends: follows read; unless the cache has it",
      "told run: follows sum",
    ],
  });
  const changed = [...FILES.slice(0, 2), { name: "c", text: "new" }];
  expect((await plan(changed)).stages[0]).toBe(
    "read run: 2 of 3 items are in the cache, 1 changed or new",
  );
  expect((await plan(FILES, ["read"])).stages[0]).toBe("read run: needs only the input");
});

test("a plan follows what is cached, stage by stage, and says why something would run", async () => {
  const number = input<number>();
  const half = stage("half", { needs: { number }, cache: true }, (needs) =>
    Math.floor(needs.number / 2),
  );
  const text = stage("text", { needs: { half }, cache: true }, (needs) => String(needs.half));
  const made = pipeline("chain", { input: number, output: { text } });
  const world = makeDurableWorld("sqlite");
  const mill = await world.open([made]);
  await run(mill, made, { input: 4 });
  const plan = async (given: number) => {
    const { definition } = made;
    const query = {
      url: world.url,
      busyTimeoutMs: 1_000,
      definition,
      input: given,
      records: false,
    };
    return planPipeline(definition, { input: given, ...(await readPlanBasis(query)) });
  };
  expect(await plan(4)).toMatchObject({
    work: false,
    stages: [
      { stage: "half", will: "cache", reason: "made from the same in run 1", predictedMs: [0, 0] },
      { stage: "text", will: "cache", reason: "made from the same in run 1" },
    ],
  });
  expect(await plan(5)).toMatchObject({
    work: true,
    stages: [
      { stage: "half", will: "run", reason: 'its need "number" changed since run 1' },
      { stage: "text", will: "depends", reason: "follows half; unless the cache has it" },
    ],
  });
});

test("a command is found by its arguments and by the variables it declares", async () => {
  const say = (word: string): SomePipeline => {
    const said = command("said", {
      argv: [process.execPath, "-p", `process.env.GREETING + "${word}"`],
      passEnv: ["GREETING"],
      parse: "text",
      cache: true,
    });
    return pipeline("says", { output: { said } });
  };
  const world = makeDurableWorld("sqlite");
  const [bye, hello] = [say("!"), say("?")];
  const german = await world.open([bye], { environment: { ...process.env, GREETING: "hallo" } });
  const english = await world.open([bye], { environment: { ...process.env, GREETING: "hello" } });

  expect((await run(german, bye)).outputs).toMatchObject({
    said: expect.stringContaining("hallo!"),
  });
  expect((await run(german, bye)).stages["said"]).toMatchObject({ via: "cache" });
  const other = await run(english, bye);
  expect(other.outputs).toMatchObject({ said: expect.stringContaining("hello!") });
  expect((await english.why(other.name, "said")).summary).toContain(
    'the variable "GREETING" changed since run 1',
  );
  expect((await run(german, hello)).stages["said"]).toMatchObject({ via: "run" });
  const rows = world.raw().prepare("SELECT components FROM cache").all();
  expect(JSON.stringify(rows)).not.toContain("hallo");
});
