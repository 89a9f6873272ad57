// What a resume keeps when stages were asked to be done again, or are no longer what they were.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { input, isMillraceError, map, pipeline, skip, stage } from "../../src/exports/index.ts";
import { makeDurableWorld, STORES } from "../support/durable/durable-world.ts";

/** a → b → c → d, and e beside them; each can be given a version and another output. */
function makeRow(options: {
  readonly versions?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly failing?: readonly string[];
  readonly calls: string[];
}) {
  const { versions = {}, outputs = {}, failing = [], calls } = options;
  const run = (name: string, before: string): string => {
    calls.push(name);
    if (failing.includes(name)) throw new Error(`no ${name}`);
    return outputs[name] ?? before + name;
  };
  const version = (name: string): { version?: string } =>
    versions[name] === undefined ? {} : { version: versions[name] };
  const a = stage("a", version("a"), () => run("a", ""));
  const b = stage("b", { needs: { a }, ...version("b") }, (needs) => run("b", needs.a));
  const c = stage("c", { needs: { b }, ...version("c") }, (needs) => run("c", needs.b));
  const d = stage("d", { needs: { c }, ...version("d") }, (needs) => run("d", needs.c));
  const e = stage("e", version("e"), () => run("e", ""));
  return pipeline("row", { output: { d, e }, failFast: false });
}

describe.each(STORES)("on %s", (kind) => {
  test("R261: resume --from does that stage and all after it again, in the same run", async () => {
    const calls: string[] = [];
    const row = makeRow({ calls, failing: ["d"] });
    const mill = await makeDurableWorld(kind).open([row]);
    const run = await mill.start(row, undefined);
    await run.result();
    calls.length = 0;
    const resumed = await mill.resume(run.id, { here: true, from: "b" });
    const result = await resumed.result();

    assert.equal(resumed.id, run.id);
    assert.deepEqual(calls, ["b", "c", "d"]);
    assert.equal(result.stages["a"]?.via, "checkpoint");
    assert.deepEqual(resumed.resumed?.redo, [
      { stage: "b", reason: "asked by --from" },
      { stage: "c", reason: 'it comes after "b"' },
      { stage: "d", reason: 'it comes after "b"' },
    ]);
  });

  test("R261: rerun --from makes a new run, linked to the old one, with what lies before", async () => {
    const calls: string[] = [];
    const row = makeRow({ calls });
    const mill = await makeDurableWorld(kind).open([row]);
    const run = await mill.start(row, undefined);
    await run.result();
    calls.length = 0;
    const again = await mill.rerun(run.id, { from: "c" });
    const result = await again.result();

    assert.notEqual(again.id, run.id);
    assert.deepEqual(calls, ["c", "d"]);
    assert.deepEqual(result.outputs, { d: "abcd", e: "e" });
    assert.deepEqual(
      ["a", "b", "e"].map((name) => result.stages[name]?.via),
      ["checkpoint", "checkpoint", "checkpoint"],
    );
    assert.equal((await mill.run(again.id)).parent, run.id);
    const { runs } = await mill.runs({});
    assert.equal(runs.length, 2);
    const children = await mill.store.listRuns({ parent: run.id, limit: 10 });
    assert.deepEqual(
      children.map(({ id }) => id),
      [again.id],
    );
  });

  test("R199 R261: an unknown stage is refused with the list, and nothing has happened", async () => {
    const calls: string[] = [];
    const row = makeRow({ calls, failing: ["d"] });
    const mill = await makeDurableWorld(kind).open([row]);
    const run = await mill.start(row, undefined);
    await run.result();
    const before = await mill.run(run.id);
    const refused = (error: unknown): boolean => {
      assert.ok(isMillraceError(error));
      assert.equal(error.code, "STAGE_UNKNOWN");
      assert.match(JSON.stringify([error.hint, error.details]), /a.*b.*c.*d/);
      return true;
    };

    await assert.rejects(mill.resume(run.id, { here: true, from: "x" }), refused);
    await assert.rejects(mill.rerun(run.id, { from: "x" }), refused);
    assert.deepEqual(await mill.run(run.id), before);
    assert.equal((await mill.runs({})).runs.length, 1);
  });

  test("a rerun takes nothing over, unless it is asked for what succeeded", async () => {
    const calls: string[] = [];
    const failing = ["c"];
    const row = makeRow({ calls, failing });
    const mill = await makeDurableWorld(kind).open([row]);
    const run = await mill.start(row, undefined);
    await run.result();
    failing.length = 0;
    calls.length = 0;
    const whole = await (await mill.rerun(run.id)).result();
    assert.deepEqual(calls.toSorted(), ["a", "b", "c", "d", "e"]);
    assert.equal(whole.state, "succeeded");

    calls.length = 0;
    const part = await mill.rerun(run.id, { onlyFailed: true });
    const result = await part.result();
    assert.deepEqual(calls, ["c", "d"]);
    assert.deepEqual(result.outputs, { d: "abcd", e: "e" });
    assert.equal((await mill.run(part.id)).parent, run.id);
  });

  test("a rerun of what failed keeps the items that succeeded, and the readers of equal outputs", async () => {
    const calls: string[] = [];
    let broken = true;
    const each = map(
      "each",
      {
        over: ["x", "y", "z"],
        key: (one) => one,
        onItemFailure: "continue",
        tolerate: 0,
        critical: false,
      },
      (one) => {
        calls.push(one);
        if (broken && one === "y") throw new Error("no y");
        return one;
      },
    );
    const flaky = stage("flaky", { critical: false }, () => {
      calls.push("flaky");
      throw new Error("never");
    });
    const reader = stage("reader", { needs: { flaky } }, (needs) => {
      calls.push("reader");
      return needs.flaky.status;
    });
    const end = stage("end", { needs: { each, reader } }, (needs) => {
      calls.push("end");
      return [needs.each.status, needs.reader];
    });
    const both = pipeline("both", { output: { end } });
    const mill = await makeDurableWorld(kind).open([both]);
    const run = await mill.start(both, undefined);
    assert.equal((await run.result()).state, "succeeded");
    broken = false;
    calls.length = 0;
    const result = await (await mill.rerun(run.id, { onlyFailed: true })).result();

    assert.deepEqual(calls.toSorted(), ["end", "flaky", "y"]);
    assert.equal(result.stages["reader"]?.via, "checkpoint");
    assert.deepEqual(result.outputs, { end: ["succeeded", "failed"] });
  });

  test("a rerun with another input takes nothing over, and refuses to if asked", async () => {
    const calls: number[] = [];
    const n = input<number>();
    const twice = stage("twice", { needs: { n } }, (needs) => {
      calls.push(needs.n);
      return needs.n * 2;
    });
    const doubling = pipeline("doubling", { input: n, output: { twice } });
    const mill = await makeDurableWorld(kind).open([doubling]);
    const run = await mill.start(doubling, 1);
    await run.result();

    const other = await (await mill.rerun(run.id, { input: 5 })).result();
    assert.deepEqual(other.outputs, { twice: 10 });
    await assert.rejects(mill.rerun(run.id, { input: 5, from: "twice" }), /another input/);
    assert.deepEqual(calls, [1, 5]);
  });
});

describe("a resume under another definition", () => {
  const change = async (
    first: Parameters<typeof makeRow>[0],
    second: Omit<Parameters<typeof makeRow>[0], "calls">,
  ) => {
    const world = makeDurableWorld();
    const before = makeRow(first);
    const mill = await world.open([before]);
    const run = await mill.start(before, undefined);
    await run.result();
    await mill.close();
    const calls: string[] = [];
    const again = await world.open([makeRow({ ...second, calls })]);
    const resumed = await again.resume(run.id, { here: true });
    const result = await resumed.result();
    return { calls, result, redo: resumed.resumed?.redo, record: await again.run(run.id) };
  };

  test("does a stage of another version again, and what reads it only if its output is another one", async () => {
    const { calls, result, redo, record } = await change(
      { calls: [], failing: ["d"] },
      { versions: { b: "2" } },
    );

    assert.deepEqual(calls, ["b", "d"]);
    assert.equal(result.stages["c"]?.via, "checkpoint");
    assert.deepEqual(result.outputs, { d: "abcd", e: "e" });
    assert.deepEqual(redo, [
      { stage: "b", reason: "its version, needs or options changed" },
      { stage: "c", reason: 'it needs "b", which is judged again' },
      { stage: "d", reason: "it failed" },
    ]);
    assert.equal(record.state, "succeeded");
  });

  test("does all that reads a changed output again", async () => {
    const { calls, result } = await change(
      { calls: [], failing: ["d"] },
      { versions: { b: "2" }, outputs: { b: "B" } },
    );

    assert.deepEqual(calls, ["b", "c", "d"]);
    assert.deepEqual(result.outputs, { d: "Bcd", e: "e" });
  });

  test("forgets a stage that is gone and does those whose needs changed again", async () => {
    const world = makeDurableWorld();
    const calls: string[] = [];
    const before = makeRow({ calls, failing: ["d"] });
    const mill = await world.open([before]);
    const run = await mill.start(before, undefined);
    await run.result();
    await mill.close();
    calls.length = 0;

    const a = stage("a", {}, () => (calls.push("a"), "a"));
    const c = stage("c", { needs: { a } }, (needs) => (calls.push("c"), `${needs.a}C`));
    const d = stage("d", { needs: { c } }, (needs) => (calls.push("d"), `${needs.c}D`));
    const after = pipeline("row", { output: { d } });
    const again = await world.open([after]);
    const result = await (await again.resume(run.id, { here: true })).result();

    assert.deepEqual(calls, ["c", "d"]);
    assert.deepEqual(result.outputs, { d: "aCD" });
    const stages = await again.store.listStages(run.id);
    assert.deepEqual(
      stages.map(({ stage: name }) => name),
      ["a", "c", "d"],
    );
    assert.equal((await again.run(run.id)).definitionHash, after.hash);
  });

  test("survives a crash between the claim and the recheck without doing the reader again", async () => {
    const world = makeDurableWorld();
    const calls: string[] = [];
    const before = makeRow({ calls, failing: ["d"] });
    const mill = await world.open([before]);
    const run = await mill.start(before, undefined);
    await run.result();
    await mill.close();

    // The first resume dies while "b" works: "c" is set back, and not yet compared.
    const never = new Promise<never>(() => {});
    const a = stage("a", {}, () => "a");
    const slow = (): Promise<string> => never;
    const b = stage("b", { needs: { a }, version: "2" }, slow);
    const c = stage("c", { needs: { b } }, (needs) => needs.b);
    const d = stage("d", { needs: { c } }, (needs) => needs.c);
    const e = stage("e", {}, () => "e");
    const stuck = pipeline("row", { output: { d, e }, failFast: false });
    const doomed = await world.openDoomed([stuck]);
    const started = Promise.withResolvers<void>();
    await doomed.resume(run.id, {
      here: true,
      onEvent: (event) => {
        if (event.type === "stage.started" && event.stage === "b") started.resolve();
      },
    });
    await started.promise;

    calls.length = 0;
    const again = await world.open([makeRow({ calls, versions: { b: "2" } })]);
    const result = await (await again.resume(run.id, { here: true })).result();
    assert.deepEqual(calls, ["b", "d"]);
    assert.equal(result.stages["c"]?.via, "checkpoint");
  });
});

describe.each(STORES)("what is decided once, on %s", (kind) => {
  test("R56: a stage that the operator skipped stays skipped", async () => {
    const calls: string[] = [];
    const failing = ["d"];
    const row = makeRow({ calls, failing });
    const mill = await makeDurableWorld(kind).open([row]);
    const run = await mill.start(row, undefined, { skip: ["e"] });
    await run.result();
    failing.length = 0;
    calls.length = 0;
    const result = await (await mill.resume(run.id, { here: true, from: "a" })).result();

    assert.deepEqual(calls, ["a", "b", "c", "d"]);
    assert.equal(result.stages["e"]?.state, "skipped");
    assert.equal(result.stages["e"]?.reason, "operator");
  });

  test("R262: the input is kept as it was given; what reads it is done again where its schema gives another one", async () => {
    let added = 1;
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) => ({ value: { given: value, added } }),
      },
    };
    const calls: string[] = [];
    let broken = true;
    const source = input(schema);
    const free = stage("free", {}, () => (calls.push("free"), 0));
    const read = stage("read", { needs: { source } }, (needs) => {
      calls.push(`read ${JSON.stringify(needs.source)}`);
      return needs.source.given;
    });
    const next = stage("next", { needs: { read } }, (needs) => (calls.push("next"), needs.read));
    const end = stage("end", { needs: { next, free } }, (needs) => {
      if (broken) throw new Error("not yet");
      return needs.next;
    });
    const reading = pipeline("reading", { input: source, output: { end } });
    const mill = await makeDurableWorld(kind).open([reading]);
    const run = await mill.start(reading, "x" as never);
    await run.result();
    const { input: stored } = await mill.run(run.id);
    assert.equal(stored, '"x"');
    calls.length = 0;
    await (await mill.resume(run.id, { here: true })).result();
    assert.deepEqual(calls, []);

    added = 2;
    broken = false;
    const resumed = await mill.resume(run.id, { here: true });
    const result = await resumed.result();
    assert.deepEqual(calls, ['read {"given":"x","added":2}']);
    assert.equal(result.stages["next"]?.via, "checkpoint");
    assert.deepEqual(resumed.resumed?.redo[0], {
      stage: "read",
      reason: "its input is another one after the schema",
    });
    assert.equal((await mill.run(run.id)).input, stored);

    added = 3;
    calls.length = 0;
    const again = await mill.rerun(run.id, { from: "end" });
    assert.equal((await again.result()).state, "succeeded");
    assert.deepEqual(calls, ['read {"given":"x","added":3}']);
    assert.equal((await mill.run(again.id)).input, stored);
  });

  test("a condition is asked again below what is done again, and a returned skip stays otherwise", async () => {
    const asked: string[] = [];
    let flag = false;
    let broken = true;
    const a = stage("a", { version: "1" }, () => {
      if (broken) throw new Error("not yet");
      return 1;
    });
    const free = stage("free", { skips: true }, () => {
      asked.push("free");
      return skip("nothing to do");
    });
    const below = stage(
      "below",
      {
        needs: { a },
        trigger: "all_done",
        when: () => {
          asked.push("below");
          return flag;
        },
      },
      () => "ran",
    );
    const conditions = pipeline("conditions", { output: { below, free } });
    const mill = await makeDurableWorld(kind).open([conditions]);
    const run = await mill.start(conditions, undefined);
    const first = await run.result();
    assert.equal(first.stages["below"]?.reason, "condition");
    broken = false;
    flag = true;
    asked.length = 0;
    const result = await (await mill.resume(run.id, { here: true })).result();

    assert.deepEqual(asked, ["below"]);
    assert.equal(result.output("below"), "ran");
    assert.equal(result.stages["free"]?.reason, "nothing to do");
  });
});

test("what a resume set back and a crash left so keeps its metrics for the resume after that", async () => {
  const world = makeDurableWorld();
  let isBroken = true;
  const flaky = stage("flaky", { critical: false }, () => {
    throw new Error("never");
  });
  const reader = stage("reader", { needs: { flaky } }, (needs, ctx) => {
    ctx.metric.increment("read");
    return needs.flaky.status;
  });
  const end = stage("end", { needs: { reader } }, () => {
    if (isBroken) throw new Error("not yet");
    return "end";
  });
  const reading = pipeline("reading", { output: { end } });
  const mill = await world.open([reading]);
  const run = await mill.start(reading, undefined);
  await run.result();
  for (let crash = 0; crash < 2; crash += 1) {
    const doomed = await world.openDoomed([reading]);
    const claimed = Promise.withResolvers<void>();
    const dead = Promise.withResolvers<void>();
    const apply = doomed.store.apply.bind(doomed.store);
    doomed.store.apply = async (writes) => {
      if (writes.every((write) => write.kind !== "claim-run" && write.kind !== "interrupt-run"))
        await dead.promise;
      return await apply(writes).finally(() => claimed.resolve());
    };
    await doomed.resume(run.id, { here: true });
    await claimed.promise;
    dead.resolve();
    await doomed.store.close();
  }
  isBroken = false;
  const result = await (await mill.resume(run.id, { here: true })).result();
  assert.equal(result.stages["reader"]?.via, "checkpoint");
  assert.deepEqual(result.metrics, { read: 1 });
});
