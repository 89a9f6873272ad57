// `record`: state and metrics that a stage sets from its result, and whose faults harm nobody.

import { describe, expect, test } from "vitest";
import { command, map, openMillrace, pipeline, stage } from "millrace";
import { makeMemoryWorld } from "../support/memory-world.ts";

describe("in memory", () => {
  test("R274: a record that throws is a warning: the stage succeeded, and the run has warnings 1", async () => {
    const a = stage(
      "a",
      {
        record: () => {
          throw new Error("no such metric");
        },
      },
      () => 7,
    );
    const world = makeMemoryWorld();
    const result = await world.finish(pipeline("p", { output: { a } }), undefined);

    expect(result).toMatchObject({ state: "succeeded", warnings: 1, outputs: { a: 7 } });
    expect(result.stages["a"]).toMatchObject({ state: "succeeded", attempts: 1 });
    const told = world.events.find(({ type }) => type === "stage.logged");
    expect(told).toMatchObject({
      stage: "a",
      data: { level: "warn", message: 'record of "a" failed: no such metric' },
    });
  });

  test("R274: what a record sets is there for later stages and in the result", async () => {
    const words = stage(
      "words",
      {
        record(output: readonly string[], ctx) {
          ctx.state.set("first", output[0]);
          ctx.metric.set("words", output.length);
        },
      },
      () => ["a", "b"],
    );
    const next = stage("next", { needs: { words } }, (_needs, ctx) => ctx.state.get("first"));
    const result = await makeMemoryWorld().finish(pipeline("p", { output: { next } }), undefined);

    expect(result).toMatchObject({
      warnings: 0,
      outputs: { next: "a" },
      metrics: { words: 2 },
    });
  });

  test("R274: of a map it is called for every item, and its faults are one warning for the stage", async () => {
    const seen: unknown[] = [];
    const items = map(
      "items",
      {
        over: [1, 2, 3, 4],
        key: String,
        record(output, ctx) {
          seen.push([ctx.item?.key, output]);
          ctx.metric.increment("seen");
          if (output !== 1) throw new Error("odd");
        },
      },
      (item) => item,
    );
    const result = await makeMemoryWorld().finish(pipeline("p", { output: { items } }), undefined);

    expect(seen).toHaveLength(4);
    expect(result).toMatchObject({ state: "succeeded", warnings: 1, metrics: { seen: 4 } });
  });

  test("R274: a record that is asynchronous or sets what cannot be kept is harmless as well", async () => {
    const late = stage(
      "late",
      { record: () => Promise.reject(new Error("much later")) as unknown as void },
      () => 1,
    );
    const wrong = stage("wrong", { record: (_output, ctx) => ctx.metric.set("x", NaN) }, () => 2);
    const definition = pipeline("p", { output: { late, wrong } });
    const result = await makeMemoryWorld().finish(definition, undefined);

    expect(result).toMatchObject({
      state: "succeeded",
      warnings: 2,
      outputs: { late: 1, wrong: 2 },
    });
  });

  test("it is not called for what failed or was skipped, and hears the result of the last attempt", async () => {
    const seen: unknown[] = [];
    const record = (output: unknown): void => void seen.push(output);
    const failing = stage("failing", { critical: false, record }, () => {
      throw new Error("no");
    });
    const left = stage("left", { when: () => false, record }, () => 0);
    const flaky = stage("flaky", { retry: { attempts: 2, initialDelay: 1 }, record }, (_n, ctx) => {
      if (ctx.attempt === 1) throw Object.assign(new Error("later"), { status: 503 });
      return "second";
    });
    const said = command("said", { argv: ["echo", "hello"], parse: "text", record });
    const all = pipeline("p", { output: { failing, left, flaky } });
    const world = makeMemoryWorld();
    await world.finish(all, undefined);

    // A child process takes real time.
    await pipeline("q", { output: { said } }).run(undefined);

    expect(seen.map((output) => String(output).trim())).toEqual(["second", "hello"]);
  });
});

test("R274: in a durable run its state and metrics come with the checkpoint, and back with a cache hit", async () => {
  let made = 0;
  const a = stage(
    "a",
    {
      cache: { version: "1" },
      record(output: number, ctx) {
        made += 1;
        ctx.state.set("twice", output * 2);
        ctx.metric.set("size", output);
      },
    },
    () => 4,
  );
  const b = stage("b", { needs: { a } }, (_needs, ctx) => ctx.state.get("twice"));
  const twice = pipeline("twice", { output: { b } });
  await using mill = await openMillrace({ store: "memory:", pipelines: [twice] });
  const first = await (await mill.start(twice, undefined)).result();
  const second = await (await mill.start(twice, undefined)).result();

  expect(made).toBe(1);
  expect(second.stages["a"]?.via).toBe("cache");
  for (const { outputs, metrics } of [first, second]) {
    expect(outputs).toEqual({ b: 8 });
    expect(metrics["size"]).toBe(4);
  }
});

test("a record that is no function is a fault of the definition", () => {
  const record: unknown = { state: true };
  const a = stage("a", { record: record as () => void }, () => 1);
  expect(() => pipeline("p", { output: { a } })).toThrow(/record: expected a function/);
});
