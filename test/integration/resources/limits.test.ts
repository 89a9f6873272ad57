// Limits of resources, in memory and on both stores: how many hold one at once, who waits, and what a waiter costs
// others.

import { describe, expect, test } from "vitest";
import { map, pipeline, resource, stage } from "millrace";
import { makeScene, PLACES } from "../../support/resources/gate-scene.ts";
import { makeOutside } from "../../support/resources/gate-world.ts";
import { passTime } from "../../support/memory-world.ts";

const five = ["a", "b", "c", "d", "e"];

describe.each(PLACES)("%s", (place) => {
  test("R96: items of a stage keep to the limit of its resource, and without one only to their map's", async () => {
    const { clock, finish } = makeScene(place);
    const [limited, free] = [makeOutside(clock), makeOutside(clock)];
    const api = resource("api", { limit: 2 });
    const one = map("one", { over: five, uses: [api], concurrency: 5 }, () => limited.call(10));
    const two = map("two", { over: five, concurrency: 5 }, () => free.call(10));
    const result = await finish(pipeline("p", { stages: [one, two] }));
    expect(result.state).toBe("succeeded");
    expect([limited.most, free.most, limited.calls.length]).toEqual([2, 5, 5]);
  });

  test("R97: who waits for a narrow limit holds no place in a wider one", async () => {
    const { clock, finish } = makeScene(place);
    const [narrow, other] = [makeOutside(clock), makeOutside(clock)];
    const api = resource("api", { limit: 1 });
    const a = map("a", { over: five, uses: [api], concurrency: 5 }, () => narrow.call(100));
    const gap = stage("gap", {}, () => clock.sleep(50));
    const b = stage("b", { needs: { gap } }, () => other.call(10));
    await finish(pipeline("p", { stages: [a, gap, b] }), { concurrency: 2 });
    expect(narrow.most).toBe(1);
    // With two slots, and four that wait, it starts as soon as it is ready.
    expect(other.calls).toEqual([50]);
  });

  test("R97: two that use the same pair of resources never hold one each", async () => {
    const { clock, finish } = makeScene(place);
    const outside = makeOutside(clock);
    const [x, y] = [resource("x", { limit: 1 }), resource("y", { limit: 1 })];
    const one = map("one", { over: five, uses: [x, y], concurrency: 5 }, () => outside.call(10));
    const two = map("two", { over: five, uses: [y, x], concurrency: 5 }, () => outside.call(10));
    const result = await finish(pipeline("p", { stages: [one, two] }));
    expect(result.state).toBe("succeeded");
    expect([outside.most, clock.monotonicMs()]).toEqual([1, 100]);
  });

  test("R105: each key has its own limit, and the rest the default", async () => {
    const { clock, finish } = makeScene(place);
    const byKey = new Map(["a", "b", "c"].map((key) => [key, makeOutside(clock)]));
    const resolver = resource("resolver", {
      limit: { default: 1, keys: { a: 2 } },
      key: (name: string) => name,
    });
    const over = ["a", "a", "a", "a", "a", "b", "b", "c"].map((key, at) => `${key}${at}`);
    const work = map(
      "work",
      { over, concurrency: 8, uses: (item) => [resolver.for(item.slice(0, 1))] },
      (item) => byKey.get(item.slice(0, 1))?.call(10),
    );
    await finish(pipeline("p", { stages: [work] }));
    expect([...byKey.values()].map(({ most }) => most)).toEqual([2, 1, 1]);
    expect(clock.monotonicMs()).toBe(30);
  });

  test("R105: keys that are named like members of objects are keys like others", async () => {
    const { clock, finish } = makeScene(place);
    const outside = makeOutside(clock);
    const keyed = resource("keyed", { limit: 1, breaker: {}, key: (name: string) => name });
    const over = ["constructor", "__proto__", "toString", "constructor"].map((key, at) => ({
      key,
      at,
    }));
    const work = map(
      "work",
      { over, key: ({ at }) => `i${at}`, concurrency: 4, uses: ({ key }) => [keyed.for(key)] },
      () => outside.call(10),
    );
    expect((await finish(pipeline("p", { stages: [work] }))).state).toBe("succeeded");
    expect([outside.most, clock.monotonicMs()]).toEqual([3, 20]);
  });

  test("a ceiling that every stage uses holds over all stages and runs of the process", async () => {
    const scene = makeScene(place);
    const { clock } = scene;
    const outside = makeOutside(clock);
    const ceiling = resource("ceiling", { limit: 5 });
    const make = (name: string): ReturnType<typeof pipeline> =>
      pipeline(name, {
        stages: ["u", "v", "w"].map((id) =>
          stage(id, { uses: [ceiling] }, () => outside.call(100)),
        ),
      });
    const [left, right] = [make("left"), make("right")];
    await scene.open([left, right]);
    const one = await scene.start(left);
    const two = await scene.start(right);
    await clock.advance(50);
    expect(outside.now).toBe(5);
    await passTime(clock, Promise.all([one.result, two.result]));
    expect([outside.most, outside.calls.length]).toEqual([5, 6]);
  });

  test("a list of uses that is empty asks for nothing", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const one = stage("one", { uses: [] }, () => outside.call(1));
    const two = stage("two", { uses: () => [] }, () => outside.call(1));
    expect((await finish(pipeline("p", { stages: [one, two] }))).state).toBe("succeeded");
    expect(outside.calls).toHaveLength(2);
  });

  test("first come, first served: items get a limit in their order", async () => {
    const { clock, finish } = makeScene(place);
    const order: string[] = [];
    const api = resource("api", { limit: 1 });
    const over = Array.from({ length: 12 }, (_, at) => `i${String(at).padStart(2, "0")}`);
    const work = map("work", { over, uses: [api], concurrency: 12 }, async (item) => {
      order.push(item);
      await clock.sleep(5);
    });
    await finish(pipeline("p", { stages: [work] }));
    expect(order).toEqual(over);
  });

  test("an attempt that fails gives its permit back before it waits for the next", async () => {
    const { clock, finish } = makeScene(place);
    const api = resource("api", { limit: 1 });
    const starts: [string, number][] = [];
    const retry = { attempts: 2, initialDelay: "1s", jitter: "none" } as const;
    const one = stage("one", { uses: [api], retry }, async (_needs, ctx) => {
      starts.push([`one ${ctx.attempt}`, clock.monotonicMs()]);
      await clock.sleep(10);
      if (ctx.attempt === 1) throw new Error("not yet");
    });
    const two = stage("two", { uses: [api] }, async () => {
      starts.push(["two", clock.monotonicMs()]);
      await clock.sleep(10);
    });
    expect((await finish(pipeline("p", { stages: [one, two] }))).state).toBe("succeeded");
    expect(starts).toEqual([
      ["one 1", 0],
      ["two", 10],
      ["one 2", 1_010],
    ]);
  });
});
