// Maps over streams: read as far as there is room, ended well or badly, closed when nothing more is wanted.

import { expect, test } from "vitest";
import { map, pipeline, stage } from "millrace";
import { virtualClock } from "millrace/testing";
import { makeMemoryWorld } from "../support/memory-world.ts";

async function* countUp(to: number = Number.POSITIVE_INFINITY): AsyncGenerator<number> {
  for (let item = 0; item < to; item += 1) yield item;
}

test("a stream is read to its end and its results keep its order", async () => {
  const m = map("m", { over: () => countUp(5) }, async (item, _needs, ctx) => {
    await ctx.sleep(50 - item * 10);
    return item * 2;
  });
  const result = await makeMemoryWorld().finish(pipeline("p", { output: { m } }), undefined);
  expect(result.unwrap().m).toEqual([0, 2, 4, 6, 8]);
});

test("a stream that ends at once gives an empty list", async () => {
  const m = map("m", { over: () => countUp(0) }, (item) => item);
  const s = map("s", { over: () => countUp(0), onEmpty: "skip" }, (item) => item);
  const result = await pipeline("p", { stages: [m, s] }).run(undefined);
  expect(result.output(m)).toEqual([]);
  expect(result.stages["s"]).toMatchObject({ state: "skipped", reason: "empty" });
});

test("a stream is read lazily: never more items wait than may run at once", async () => {
  const world = makeMemoryWorld();
  let read = 0;
  let ended = 0;
  let most = 0;
  async function* noted(): AsyncGenerator<number> {
    for await (const item of countUp(40)) {
      read += 1;
      most = Math.max(most, read - ended);
      yield item;
    }
  }
  const m = map("m", { over: noted, concurrency: 3 }, async (_item, _needs, ctx) => {
    await ctx.sleep(10);
    ended += 1;
  });

  await world.finish(pipeline("p", { output: { m } }), undefined);

  expect(read).toBe(40);
  // Three at work, three in line, and one whose end was not told yet.
  expect(most).toBeLessThanOrEqual(7);
});

test("items start while the stream still gives more", async () => {
  const world = makeMemoryWorld();
  const m = map(
    "m",
    {
      over: async function* (_needs, ctx) {
        for (const item of [1, 2, 3]) {
          await ctx.sleep(100);
          yield item;
        }
      },
    },
    (_item, _needs, ctx) => ctx.now() - (world.events[0]?.atMs ?? 0),
  );
  const result = await world.finish(pipeline("p", { output: { m } }), undefined);
  expect(result.unwrap().m).toEqual([100, 200, 300]);
});

test.each(["sync", "async"] as const)(
  "an endless %s stream meets maxItems: the map fails when it is exceeded",
  async (kind) => {
    const calls: number[] = [];
    let closed = false;
    function* endless(): Generator<number> {
      try {
        for (let item = 0; ; item += 1) yield item;
      } finally {
        closed = true;
      }
    }
    async function* later(): AsyncGenerator<number> {
      yield* endless();
    }
    const m = map(
      "m",
      { over: () => (kind === "sync" ? endless() : later()), maxItems: 10 },
      (item) => void calls.push(item),
    );

    const result = await pipeline("p", { output: { m } }).run(undefined);

    expect(result.stages["m"]?.error?.message).toBe(
      'Map stage "m" has more than 10 items, its maxItems is 10.',
    );
    expect(calls.length).toBeLessThanOrEqual(10);
    expect(closed).toBe(true);
  },
);

test("exactly maxItems fit", async () => {
  const m = map("m", { over: () => countUp(10), maxItems: 10 }, (item) => item);
  expect((await pipeline("p", { output: { m } }).run(undefined)).unwrap().m).toHaveLength(10);
});

test("an error in the middle: running items finish, the others are cancelled, the map fails with it", async () => {
  const world = makeMemoryWorld();
  const m = map(
    "m",
    {
      concurrency: 2,
      over: async function* (_needs, ctx) {
        yield* [1, 2, 3];
        await ctx.sleep(5);
        throw new Error("the list broke off");
      },
    },
    (item, _needs, ctx) => ctx.sleep(10).then(() => item),
  );

  const result = await world.finish(pipeline("p", { output: { m } }), undefined);

  expect(result.stages["m"]).toMatchObject({
    state: "failed",
    error: { message: "the list broke off" },
    items: { total: 3, succeeded: 2, cancelled: 1 },
  });
  expect(world.now()).toBe(10);
});

test("an error before the first item fails the map", async () => {
  const m = map(
    "m",
    {
      // oxlint-disable-next-line require-yield -- it breaks before it can give anything
      over: async function* (): AsyncGenerator<number> {
        throw new Error("nothing to read");
      },
    },
    (item) => item,
  );
  const result = await pipeline("p", { output: { m } }).run(undefined);
  expect(result.stages["m"]).toMatchObject({
    state: "failed",
    error: { message: "nothing to read" },
  });
});

test("an error while items wait for their retry cancels those", async () => {
  const world = makeMemoryWorld();
  const m = map(
    "m",
    {
      over: async function* (_needs, ctx) {
        yield 1;
        await ctx.sleep(100);
        throw new Error("broke off");
      },
      retry: { attempts: 2, initialDelay: "1h", jitter: "none" },
    },
    () => {
      throw new Error("again");
    },
  );
  const result = await world.finish(pipeline("p", { output: { m } }), undefined);
  expect(result.stages["m"]).toMatchObject({
    state: "failed",
    error: { message: "broke off" },
    items: { cancelled: 1 },
  });
  expect(world.now()).toBe(100);
});

test("iterators that misbehave fail their own map and nothing else", async () => {
  const throwsAtOnce = {
    [Symbol.asyncIterator]: () => ({
      next: (): Promise<IteratorResult<number>> => {
        throw new Error("threw at once");
      },
    }),
  };
  const answersNonsense = {
    [Symbol.asyncIterator]: () => ({
      next: (): Promise<IteratorResult<number>> => JSON.parse("5"),
    }),
  };
  function* breaksOff(): Generator<number> {
    yield 1;
    throw new Error("broke off");
  }
  const hasNoIterator = {
    [Symbol.asyncIterator]: (): AsyncIterator<number> => {
      throw new Error("no iterator today");
    },
  };
  const maps = [
    map("a", { over: () => throwsAtOnce, critical: false }, (item) => item),
    map("b", { over: () => answersNonsense, critical: false }, (item) => item),
    map("c", { over: breaksOff, critical: false }, (item) => item),
    map("d", { over: () => hasNoIterator, critical: false }, (item) => item),
  ];
  const after = stage("after", { needs: { maps } }, (needs) =>
    needs.maps.map((one) => one.status === "failed" && one.error?.message),
  );

  const result = await pipeline("p", { output: { after } }).run(undefined);

  expect(result.unwrap().after).toEqual([
    "threw at once",
    "next() of the stream gave 5 instead of { done, value }",
    "broke off",
    "no iterator today",
  ]);
});

test("when an item fails for good the generator gets to its finally, once", async () => {
  const closed: string[] = [];
  async function* open(): AsyncGenerator<number> {
    try {
      yield* countUp();
    } finally {
      closed.push("closed");
    }
  }
  const m = map("m", { over: open }, (item) => {
    if (item === 5) throw new Error("no 5");
    return item;
  });
  const result = await pipeline("p", { output: { m } }).run(undefined);
  await virtualClock().advance(0); // a turn of the event loop: its finally is a promise
  expect(result.stages["m"]?.state).toBe("failed");
  expect(closed).toEqual(["closed"]);
});

test("a stream that was read to its end is not closed again", async () => {
  let returned = 0;
  let left = 3;
  const over = {
    [Symbol.asyncIterator]: () => ({
      next: async (): Promise<IteratorResult<number>> => {
        left -= 1;
        return left >= 0 ? { done: false, value: left } : { done: true, value: undefined };
      },
      return: async (): Promise<IteratorResult<number>> => {
        returned += 1;
        return { done: true, value: undefined };
      },
    }),
  };
  const m = map("m", { over: () => over }, (item) => item);
  const result = await pipeline("p", { output: { m } }).run(undefined);
  expect(result.unwrap().m).toEqual([2, 1, 0]);
  expect(returned).toBe(0);
});

test("an iterator whose return throws or answers no promise harms nothing", async () => {
  for (const answer of [
    (): never => {
      throw new Error("no return");
    },
    (): undefined => undefined,
  ]) {
    const over = {
      [Symbol.iterator]: () => ({
        next: (): IteratorResult<number> => ({ done: false, value: 1 }),
        return: answer as unknown as () => IteratorResult<number>,
      }),
    };
    const m = map("m", { over: () => over }, () => {
      throw new Error("boom");
    });
    const result = await pipeline("p", { output: { m } }).run(undefined);
    expect(result.stages["m"]?.state).toBe("failed");
  }
});

test("a cancel closes the stream, and whoever reads for it hears of it", async () => {
  const world = makeMemoryWorld();
  const heard: unknown[] = [];
  const m = map(
    "m",
    {
      over: async function* (_needs, ctx) {
        yield 1;
        try {
          await ctx.sleep("1h");
        } catch (error) {
          heard.push(error instanceof Error && "kind" in error ? error.kind : error);
          throw error;
        }
      },
    },
    (item) => item,
  );
  const controller = new AbortController();
  const running = pipeline("p", { output: { m } }).run(undefined, {
    ...world.options,
    signal: controller.signal,
  });
  await world.clock.advance(100);
  controller.abort();
  const result = await running;
  await world.clock.advance(0);

  expect(result.state).toBe("cancelled");
  expect(heard).toEqual(["user-cancel"]);
  expect(world.clock.pendingTimers).toBe(0);
});

test("keys of a stream are checked as it is read", async () => {
  const m = map("m", { over: () => countUp(9), key: (item) => `k${item % 4}` }, (item) => item);
  const result = await pipeline("p", { output: { m } }).run(undefined);
  expect(result.stages["m"]?.error?.message).toBe('Items 0 and 4 of "m" have the same key "k0".');
});

test("a map may follow a map over a stream while that one still reads", async () => {
  const world = makeMemoryWorld();
  const first = map(
    "first",
    {
      onItemFailure: "continue",
      over: async function* (_needs, ctx) {
        for (const item of [1, 2, 3]) {
          await ctx.sleep(100);
          yield item;
        }
      },
    },
    (item) => item,
  );
  const second = map("second", { over: first }, (item, _needs, ctx) => [
    item,
    ctx.now() - (world.events[0]?.atMs ?? 0),
  ]);
  const result = await world.finish(pipeline("p", { output: { second } }), undefined);
  expect(result.unwrap().second).toEqual([
    [1, 100],
    [2, 200],
    [3, 300],
  ]);
});

test("a stream that pauses is no run that has come to rest", async () => {
  const world = makeMemoryWorld();
  const { promise, resolve } = Promise.withResolvers<void>();
  const m = map(
    "m",
    {
      over: async function* () {
        yield 1;
        await promise;
        yield 2;
      },
    },
    (item) => item,
  );
  const running = pipeline("p", { output: { m } }).run(undefined, world.options);
  await world.clock.advance(1_000);
  resolve();
  expect((await running).unwrap().m).toEqual([1, 2]);
});
