import { expect, test } from "vitest";
import { isMillraceError } from "../../model/errors.ts";
import { KeyedLimiter, type KeyedLimiterOptions } from "./keyed-limiter.ts";
import type { KeyUse, Permit, Ticket, WaitOptions } from "./permit.ts";

interface World {
  readonly limiter: KeyedLimiter;
  /** Names of those who have a permit, in the order of the grants. */
  readonly started: string[];
  /** Asks for keys written as in "a b". */
  readonly ask: (name: string, keys: string, options?: Partial<WaitOptions>) => Ticket | undefined;
  readonly end: (name: string) => void;
}

function usesOf(keys: string): KeyUse[] {
  return keys.split(" ").map((key) => ({ key }));
}

function setup(options: KeyedLimiterOptions = { limits: { default: 1 } }): World {
  const limiter = new KeyedLimiter(options);
  const started: string[] = [];
  const permits = new Map<string, Permit>();
  const start = (name: string, permit: Permit): void => {
    started.push(name);
    permits.set(name, permit);
  };
  return {
    limiter,
    started,
    ask(name, keys, more = {}) {
      const wake = (permit: Permit): void => start(name, permit);
      const answer = limiter.acquire(usesOf(keys), { nowMs: 0, wake, ...more });
      if (answer.kind === "waiting") return answer;
      start(name, answer);
      return undefined;
    },
    end(name) {
      const permit = permits.get(name);
      if (permit === undefined) throw new Error(`${name} has no permit`);
      limiter.release(permit);
    },
  };
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return isMillraceError(error) ? error.code : String(error);
  }
  return undefined;
}

test("a key has its own limit, the rest have the default", () => {
  const { limiter, ask, started, end } = setup({ limits: { default: 1, keys: { a: 2 } } });
  for (const name of ["1", "2", "3", "4", "5"]) ask(name, "a");
  ask("b1", "b");
  ask("b2", "b");
  expect(started).toEqual(["1", "2", "b1"]);
  const most: number[] = [];
  for (const name of ["1", "2", "3", "4", "5"]) {
    end(name);
    most.push(limiter.stats("a").running);
  }
  expect(started).toEqual(["1", "2", "b1", "3", "4", "5"]);
  expect(most).toEqual([2, 2, 2, 1, 0]);
});

test("from 1 to 3, three run; from 3 to 1, nobody starts until none runs", () => {
  const { limiter, ask, started, end } = setup();
  for (const name of ["1", "2", "3", "4", "5"]) ask(name, "a");
  expect(started).toEqual(["1"]);
  limiter.setLimit("a", 3);
  expect(started).toEqual(["1", "2", "3"]);
  limiter.setLimit("a", 1);
  expect(limiter.stats("a")).toMatchObject({ running: 3, limit: 1, waiting: 2 });
  end("1");
  end("2");
  expect(started).toEqual(["1", "2", "3"]);
  end("3");
  expect(started).toEqual(["1", "2", "3", "4"]);
});

test("a limit set by hand beats a named one, that one beats the use's, and null takes it back", () => {
  const limiter = new KeyedLimiter({ limits: { default: 1, keys: { a: 2 } } });
  limiter.tryTake([{ key: "a", limit: 3 }, { key: "b", limit: 4 }, { key: "c" }]);
  const limits = (): unknown[] => ["a", "b", "c"].map((key) => limiter.stats(key).limit);
  expect(limits()).toEqual([2, 4, 1]);
  for (const key of ["a", "b", "c"]) limiter.setLimit(key, 9);
  expect(limits()).toEqual([9, 9, 9]);
  for (const key of ["a", "b", "c"]) limiter.setLimit(key, null);
  expect(limits()).toEqual([2, 4, 1]);
});

test("the latest limit that comes with a use holds, and a higher one lets waiters start", () => {
  const { limiter, ask, started } = setup({});
  limiter.tryTake([{ key: "a", limit: 1 }]);
  ask("1", "a");
  expect(limiter.tryTake([{ key: "a", limit: 2 }])).toMatchObject({ kind: "refused", holders: 2 });
  expect(started).toEqual(["1"]);
});

test("a key that nobody names a limit for has none", () => {
  const { limiter, ask, started } = setup({});
  for (let at = 0; at < 100; at += 1) ask(`${at}`, "a");
  expect([started.length, limiter.held]).toEqual([100, 100]);
  expect(limiter.stats("a")).toMatchObject({ running: 100, limit: null });
});

test("a refusal names the first full key with holders and limit, and takes nothing", () => {
  const { limiter, ask } = setup({ limits: { default: 2, keys: { b: 1 } } });
  ask("1", "b");
  const refusal = { kind: "refused", key: "b", holders: 1, limit: 1 };
  expect(limiter.tryTake(usesOf("a b c"))).toEqual(refusal);
  expect(["a", "c"].map((key) => limiter.stats(key).running)).toEqual([0, 0]);
  expect(limiter.held).toBe(1);
});

test("a permit that is released twice, or was granted elsewhere, is an error and frees nothing", () => {
  const { limiter, ask, started } = setup();
  const permit = limiter.tryTake(usesOf("a"));
  if (permit.kind !== "permit") throw new Error("no permit");
  limiter.release(permit);
  ask("1", "a");
  ask("2", "a");
  expect(() => limiter.release(permit)).toThrow(
    'Permit 1 for "a" was released, but nobody holds it.',
  );
  expect(codeOf(() => limiter.release({ ...permit, id: 2 }))).toBe("USE_INVALID");
  expect(started).toEqual(["1"]);
  expect(limiter.stats("a")).toMatchObject({ running: 1, waiting: 1 });
});

test("who needs two keys holds neither while it waits, and moves to the line that holds it up", () => {
  const { limiter, ask, started, end } = setup();
  ask("a", "a");
  ask("b", "b");
  const ticket = ask("ab", "a b");
  if (ticket === undefined) throw new Error("does not wait");
  const lines = (): number[] => ["a", "b"].map((key) => limiter.stats(key).waiting);
  expect(lines()).toEqual([1, 0]);
  end("a");
  expect(lines()).toEqual([0, 1]);
  expect(limiter.refusalOf(ticket)).toMatchObject({ key: "b", holders: 1 });
  ask("a2", "a");
  expect(started).toEqual(["a", "b", "a2"]);
  end("b");
  expect(lines()).toEqual([1, 0]);
  end("a2");
  expect(started).toEqual(["a", "b", "a2", "ab"]);
  expect([lines(), limiter.refusalOf(ticket), limiter.position(ticket)]).toEqual([
    [0, 0],
    undefined,
    0,
  ]);
});

test("whoever cannot go for another key's sake keeps nobody behind it from going", () => {
  const { ask, started, end } = setup();
  ask("a", "a");
  ask("b", "b");
  for (let at = 0; at < 1_000; at += 1) ask(`both${at}`, "a b");
  ask("late", "a");
  end("a");
  expect(started).toEqual(["a", "b", "late"]);
});

test("inside a key priority goes first and a minute of waiting is worth one, over all sets of keys", () => {
  const { ask, started, end } = setup();
  ask("first", "a");
  ask("old", "a", { nowMs: 0 });
  ask("urgent", "a b", { nowMs: 30_000, priority: 1 });
  ask("late", "a", { nowMs: 90_000, priority: 1 });
  ask("same", "a c", { nowMs: 0 });
  for (const name of ["first", "urgent", "old", "same"]) end(name);
  expect(started).toEqual(["first", "urgent", "old", "same", "late"]);
});

test("an urgent one brings those who wait for the same keys no further than itself", () => {
  const { ask, started, end } = setup();
  ask("first", "a");
  ask("old", "a", { nowMs: 0 });
  ask("rival", "a b", { nowMs: 10 });
  ask("urgent", "a b", { nowMs: 20, priority: 1 });
  for (const name of ["first", "urgent", "old"]) end(name);
  expect(started).toEqual(["first", "urgent", "old", "rival"]);
});

test("the order in which keys are named makes nobody overtake", () => {
  const { ask, started, end } = setup();
  ask("first", "a b");
  ask("old", "b a", { nowMs: 0 });
  ask("young", "a b", { nowMs: 1 });
  end("first");
  expect(started).toEqual(["first", "old"]);
});

test("who leaves is passed over, and the place of those behind is one better", () => {
  const { limiter, ask, started, end } = setup();
  ask("0", "a");
  const [first, second, third] = [ask("1", "a"), ask("2", "a b"), ask("3", "a")];
  if (!first || !second || !third) throw new Error("does not wait");
  expect([first, second, third].map((ticket) => limiter.position(ticket))).toEqual([1, 2, 3]);
  expect([limiter.leave(first), limiter.leave(first), limiter.waiting]).toEqual([true, false, 2]);
  expect([first, second, third].map((ticket) => limiter.position(ticket))).toEqual([0, 1, 2]);
  expect(limiter.leave(third)).toBe(true);
  end("0");
  expect(started).toEqual(["0", "2"]);
  expect([limiter.leave(second), limiter.waiting]).toEqual([false, 0]);
});

test("keys take turns for the slots, however many wait for one of them", () => {
  const { ask, started, end } = setup({ slots: 1 });
  ask("first", "x");
  for (let at = 0; at < 3; at += 1) ask(`a${at}`, "a", { weight: 2 });
  for (const name of ["b0", "b1", "c0"]) ask(name, name.charAt(0));
  for (let at = 0; at < 6; at += 1) end(started.at(-1) ?? "");
  expect(started.join(" ")).toBe("first a0 a1 b0 c0 a2 b1");
});

test("without a slot the refusal names no key, and one that comes with a higher priority keeps the turn of its key", () => {
  const { limiter, ask, started, end } = setup({ slots: 1 });
  ask("first", "x");
  const ticket = ask("a0", "a");
  ask("b0", "b");
  ask("a1", "a", { priority: 1 });
  expect(limiter.tryTake(usesOf("z"))).toEqual({
    kind: "refused",
    key: null,
    holders: 1,
    limit: 1,
  });
  expect(ticket && limiter.refusalOf(ticket)).toMatchObject({ key: null });
  expect(ticket && limiter.position(ticket)).toBe(2);
  for (let at = 0; at < 3; at += 1) end(started.at(-1) ?? "");
  expect(started).toEqual(["first", "a1", "b0", "a0"]);
});

test("the figures of a key count what runs, waits, succeeded and failed", () => {
  const { limiter, ask } = setup({ limits: { default: 3 } });
  const permits = [1, 2, 3].map(() => limiter.tryTake(usesOf("a")));
  ask("waits", "a");
  const ends = ["succeeded", "failed", "cancelled"] as const;
  for (const [at, permit] of permits.entries()) {
    if (permit.kind === "permit") limiter.release(permit, ends[at]);
  }
  const figures = { running: 1, waiting: 0, succeeded: 1, failed: 1, total: 2, limit: 3 };
  expect(limiter.stats("a")).toEqual(figures);
  const none = { running: 0, waiting: 0, succeeded: 0, failed: 0, total: 0, limit: 3 };
  expect([limiter.stats("never used"), limiter.keys]).toEqual([none, 1]);
});

test("a key with a holder or a waiter is remembered while 50,000 others come and go", () => {
  const { limiter, ask, started, end } = setup({ limits: { default: 1 }, idleKeysMax: 1_000 });
  ask("holder", "a b");
  ask("waiter", "a c");
  for (let at = 0; at < 50_000; at += 1) {
    const permit = limiter.tryTake([{ key: `k${at}` }]);
    if (permit.kind === "permit") limiter.release(permit);
  }
  expect(limiter.keys).toBe(1_003);
  expect(limiter.tryTake(usesOf("b"))).toMatchObject({ kind: "refused", holders: 1 });
  end("holder");
  expect(started).toEqual(["holder", "waiter"]);
  end("waiter");
  expect([limiter.keys, limiter.held, limiter.waiting]).toEqual([1_000, 0, 0]);
});

test("who is woken may release at once: 30,000 in a row need no deep stack", () => {
  const limiter = new KeyedLimiter({ limits: { default: 1 } });
  const first = limiter.tryTake(usesOf("a"));
  let woken = 0;
  const wake = (permit: Permit): void => {
    woken += 1;
    limiter.release(permit);
  };
  for (let at = 0; at < 30_000; at += 1) limiter.acquire(usesOf("a"), { nowMs: at, wake });
  if (first.kind === "permit") limiter.release(first);
  expect([woken, limiter.held, limiter.waiting]).toEqual([30_000, 0, 0]);
});

test("one that throws as it is woken keeps nobody from being woken", () => {
  const { limiter, ask, started } = setup();
  ask("0", "a");
  ask("1", "a", {
    wake: () => {
      throw new Error("cannot use it");
    },
  });
  ask("2", "a");
  expect(() => limiter.setLimit("a", 3)).toThrow("Waiters threw as they were woken.");
  expect(started).toEqual(["0", "2"]);
  expect([limiter.held, limiter.waiting]).toEqual([3, 0]);
});

test("who leaves between grant and wake is not woken, and its place goes on to the next", () => {
  const { limiter, ask, started } = setup();
  ask("0", "a");
  const tickets: (Ticket | undefined)[] = [];
  const wake = (): void => {
    for (const ticket of tickets) if (ticket !== undefined) limiter.leave(ticket);
  };
  ask("1", "a", { wake });
  tickets.push(ask("2", "a"));
  ask("3", "a");
  limiter.setLimit("a", 3);
  expect(started).toEqual(["0", "3"]);
  expect(limiter.stats("a")).toMatchObject({ running: 3, waiting: 0 });
});

test.each([
  ["no key", []],
  ["an empty key", [{ key: "" }]],
  ["a key twice", [{ key: "a" }, { key: "b" }, { key: "a" }]],
  ["33 keys", Array.from({ length: 33 }, (_, at) => ({ key: `k${at}` }))],
])("%s is refused as a use", (_, uses) => {
  const { limiter } = setup();
  expect(codeOf(() => limiter.tryTake(uses))).toBe("USE_INVALID");
  expect([limiter.held, limiter.keys]).toEqual([0, 0]);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 10_001])(
  "%s is no limit, and nothing changes",
  (limit) => {
    const { limiter, ask } = setup();
    ask("0", "a");
    const acts = [
      () => new KeyedLimiter({ limits: { default: limit } }),
      () => new KeyedLimiter({ limits: { keys: { a: limit } } }),
      () => new KeyedLimiter({ slots: limit }),
      () => limiter.setLimit("a", limit),
      () => limiter.tryTake([{ key: "a", limit }]),
      () => ask("1", "a", { weight: limit }),
    ];
    expect(acts.map(codeOf)).toEqual(acts.map(() => "OPTION_INVALID"));
    expect([limiter.stats("a").limit, limiter.waiting]).toEqual([1, 0]);
  },
);

test("too few idle keys, too many limits by hand and a wait since no time are refused", () => {
  const { limiter, ask } = setup();
  expect(codeOf(() => new KeyedLimiter({ idleKeysMax: 31 }))).toBe("OPTION_INVALID");
  for (let at = 0; at < 10_000; at += 1) limiter.setLimit(`k${at}`, 2);
  expect(codeOf(() => limiter.setLimit("one more", 2))).toBe("OPTION_INVALID");
  expect(codeOf(() => limiter.setLimit("k0", 3))).toBeUndefined();
  ask("0", "a");
  expect(() => ask("1", "a", { nowMs: Number.NaN })).toThrow("since no time at all");
  expect(limiter.waiting).toBe(0);
});
