// ctx.use: a block of a stage's own code under a permit. While it waits, its slot and its place in its map are
// somebody else's.

import { describe, expect, test } from "vitest";
import { map, pipeline, resource, stage, type Context } from "millrace";
import { makeScene, PLACES } from "../../support/resources/gate-scene.ts";
import { httpError, makeOutside } from "../../support/resources/gate-world.ts";
import { passTime } from "../../support/memory-world.ts";

const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `i${String(at).padStart(2, "0")}`);

/** What a promise was rejected with. */
async function caught(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => "it was not rejected",
    (error: unknown) => error,
  );
}

describe.each(PLACES)("%s", (place) => {
  test("blocks keep to the limit, and give what their code gives", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 2 });
    const work = map("work", { over: many(6), concurrency: 6 }, (item, _needs, ctx) =>
      ctx.use(api, () => outside.call(100, `${item}!`)),
    );
    const result = await finish(pipeline("p", { stages: [work], output: { work } }));
    expect(result.state).toBe("succeeded");
    expect([outside.most, outside.calls.length]).toEqual([2, 6]);
  });

  test("while a block waits its slot is free: another stage starts", async () => {
    const { finish, clock } = makeScene(place);
    const [outside, other] = [makeOutside(clock), makeOutside(clock)];
    const api = resource("api", { limit: 1 });
    const holds = stage("holds", { uses: [api] }, () => outside.call(1_000));
    const gap = stage("gap", {}, () => clock.sleep(10));
    const blocks = stage("blocks", { needs: { gap } }, (_needs, ctx) =>
      ctx.use(api, () => outside.call(10)),
    );
    const plain = stage("plain", { needs: { blocks: gap } }, async () => {
      await clock.sleep(1);
      await other.call(10);
    });
    await finish(pipeline("p", { stages: [holds, gap, blocks, plain] }), { concurrency: 2 });
    expect(outside.calls).toEqual([0, 1_000]);
    expect(other.calls).toEqual([11]);
  });

  test("while a block waits its place in its map is free, and it takes it back with its permit", async () => {
    const { finish, clock } = makeScene(place);
    const api = resource("host", { limit: 1, key: (name: string) => name });
    const other = makeOutside(clock);
    let inside = 0;
    let most = 0;
    const work = map(
      "work",
      { over: ["slow", "slow2", "slow3", "good1", "good2"], concurrency: 2 },
      async (item, _needs, ctx) => {
        const run = async (): Promise<void> => {
          inside += 1;
          most = Math.max(most, inside);
          await (item.startsWith("slow") ? clock.sleep(1_000) : other.call(10));
          inside -= 1;
        };
        await ctx.use(api.for(item.startsWith("slow") ? "slow" : item), run);
      },
    );
    expect((await finish(pipeline("p", { stages: [work] }))).state).toBe("succeeded");
    // One works, two wait in line: the second place is for the good ones.
    expect(other.calls).toEqual([0, 10]);
    expect(most).toBe(2);
    expect(clock.monotonicMs()).toBe(3_000);
  });

  test("a block has all the resources it names or none, and holds nothing while it waits", async () => {
    const { finish, clock } = makeScene(place);
    const [x, y] = [resource("x", { limit: 1 }), resource("y", { limit: 1 })];
    const told: [string, number][] = [];
    const hold = (uses: Parameters<Context["use"]>[0], name: string) => {
      return (_needs: unknown, ctx: Context): Promise<void> =>
        ctx.use(uses, async () => {
          told.push([name, clock.monotonicMs()]);
          await clock.sleep(100);
        });
    };
    const first = stage("first", {}, hold(x, "x"));
    const both = stage("both", {}, hold([y, x], "both"));
    const gap = stage("gap", {}, () => clock.sleep(10));
    // Nobody has y while the block of two waits for x.
    const last = stage("last", { needs: { gap } }, hold([y], "y"));
    const none = stage("none", {}, hold([], "none"));
    const result = await finish(pipeline("p", { stages: [first, both, gap, last, none] }));
    expect(result).toMatchObject({ state: "succeeded" });
    expect(Object.fromEntries(told)).toEqual({ x: 0, none: 0, y: 10, both: 110 });
  });

  test("a block that names a resource twice, or something else, is refused in words", async () => {
    const { finish } = makeScene(place);
    const x = resource("x", { limit: 1 });
    const wrong = stage("wrong", {}, async (_needs, ctx) => [
      await caught(ctx.use([x, x], () => "never")),
      await caught(ctx.use([x, JSON.parse("7")], () => "never")),
    ]);
    const errors: unknown[] = [];
    const look = stage("look", { needs: { wrong } }, ({ wrong }) => errors.push(...wrong));
    await finish(pipeline("p", { stages: [wrong, look] }));
    expect(errors).toMatchObject([
      { code: "USE_INVALID", message: expect.stringContaining('"x" is named twice') },
      { code: "USE_INVALID", message: expect.stringContaining("got 7") },
    ]);
  });

  test("one block after another is possible; one inside another, or under the permits of the stage, is USE_NESTED", async () => {
    const { finish, clock } = makeScene(place);
    const [x, y] = [resource("x", { limit: 1 }), resource("y", { limit: 1 })];
    const errors: unknown[] = [];
    const one = stage("one", {}, async (_needs, ctx) => {
      await ctx.use(x, () => clock.sleep(1));
      await ctx.use(y, async () => {
        errors.push(await caught(ctx.use(x, () => "never")));
        errors.push(await caught(ctx.use(y, () => "never")));
      });
      // It is possible again.
      return await ctx.use(x, () => "fine");
    });
    const two = stage("two", { uses: [y] }, async (_needs, ctx) => {
      errors.push(await caught(ctx.use(x, () => "never")));
    });
    const both = stage("both", {}, async (_needs, ctx) => {
      const [left, right] = [ctx.use(x, () => clock.sleep(5)), ctx.use(y, () => "never")];
      errors.push(await caught(right));
      await left;
    });
    const result = await finish(pipeline("p", { stages: [one, two, both] }));
    expect(result.state).toBe("succeeded");
    expect(errors).toHaveLength(4);
    for (const error of errors) expect(error).toMatchObject({ code: "USE_NESTED" });
  });

  test("a run that is cancelled ends at once a block that waits, and its code sees why", async () => {
    const scene = makeScene(place);
    const { clock } = scene;
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1 });
    let seen: unknown = null;
    const holder = pipeline("holder", {
      stages: [stage("long", { uses: [api] }, () => outside.call(10_000))],
    });
    const waiter = pipeline("waiter", {
      stages: [
        stage("waits", {}, async (_needs, ctx) => {
          seen = await caught(ctx.use(api, () => outside.call(1)));
          throw seen;
        }),
      ],
    });
    await scene.open([holder, waiter]);
    const held = await scene.start(holder);
    const waits = await scene.start(waiter);
    await clock.advance(1_000);
    waits.cancel();
    const result = await passTime(clock, waits.result);
    expect([result.state, clock.monotonicMs()]).toEqual(["cancelled", 1_000]);
    expect(seen).toMatchObject({ name: "AbortError", kind: "user-cancel" });
    await passTime(clock, held.result);
    expect(outside.calls).toEqual([0]);
  });

  test("a timeout ends a block that waits", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1 });
    const holds = stage("holds", { uses: [api] }, () => outside.call(10_000));
    const blocks = stage("blocks", { timeout: "2s", critical: false }, (_needs, ctx) =>
      ctx.use(api, () => outside.call(1)),
    );
    const ends: number[] = [];
    const after = stage("after", { needs: { blocks }, trigger: "all_done" }, () => {
      ends.push(clock.monotonicMs());
    });
    const result = await finish(pipeline("p", { stages: [holds, blocks, after] }));
    expect(result.stages["blocks"]?.error?.class).toBe("timeout");
    expect([ends, outside.calls]).toEqual([[2_000], [0]]);
  });

  test("R128: what a block throws counts against the breaker, and an open one refuses the block without calling it", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { breaker: { threshold: 2, whenOpen: "fail" } });
    const errors: unknown[] = [];
    const work = stage("work", {}, async (_needs, ctx) => {
      for (let count = 0; count < 4; count += 1)
        errors.push(await caught(ctx.use(api, () => outside.call(1, httpError(500)))));
    });
    expect((await finish(pipeline("p", { stages: [work] }))).state).toBe("succeeded");
    expect(outside.calls).toHaveLength(2);
    expect(errors.slice(2)).toMatchObject([{ code: "BREAKER_OPEN" }, { code: "BREAKER_OPEN" }]);
  });

  test("a block that never ends its own wait leaves nothing behind when its stage does", async () => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const api = resource("api", { limit: 1 });
    const holds = stage("holds", { uses: [api] }, () => outside.call(1_000));
    let seen: Promise<unknown> = Promise.resolve();
    const careless = stage("careless", {}, (_needs, ctx) => {
      // Nobody waits for it.
      seen = caught(ctx.use(api, () => outside.call(1)));
      return "done";
    });
    const result = await finish(pipeline("p", { stages: [holds, careless] }));
    expect(result.stages["careless"]?.state).toBe("succeeded");
    expect(outside.calls).toEqual([0]);
    expect(await seen).toBeInstanceOf(Error);
  });

  test("a resource that cannot be used is refused where it is asked for", async () => {
    const { finish } = makeScene(place);
    const host = resource("host", {
      key: (name: string) => {
        if (name === "") throw new RangeError("no name");
        return name;
      },
    });
    const codes: unknown[] = [];
    const use = async (ctx: Context, what: unknown): Promise<void> => {
      const error = await caught(ctx.use(what as string, () => "never"));
      codes.push(
        typeof error === "object" && error !== null && "code" in error ? error.code : error,
      );
    };
    const work = stage("work", {}, async (_needs, ctx) => {
      await use(ctx, "nobody");
      await use(ctx, host);
      await use(ctx, 5);
      await use(ctx, undefined);
      expect(() => host.for("")).toThrow("no name");
      return await ctx.use(host.for("a"), () => "fine");
    });
    expect((await finish(pipeline("p", { stages: [work] }))).state).toBe("succeeded");
    expect(codes).toEqual(["RESOURCE_UNKNOWN", "USE_INVALID", "USE_INVALID", "USE_INVALID"]);
  });
});
