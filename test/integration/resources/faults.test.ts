// What is wrong with a resource or with its use: found where it is written where that is possible, and otherwise the
// failure of the stage or item that asked, never of others.

import { describe, expect, test } from "vitest";
import {
  command,
  isMillraceError,
  map,
  pipeline,
  resource,
  stage,
  type ResourceOptions,
  type ResourceUse,
} from "millrace";
import { isRecord } from "../../../src/std/record.ts";
import { makeScene, PLACES } from "../../support/resources/gate-scene.ts";
import { makeOutside } from "../../support/resources/gate-world.ts";

const NO_NUMBERS: readonly unknown[] = [
  0,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "3",
  null,
  {},
  true,
];
const NO_DURATIONS: readonly unknown[] = [
  0,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "soon",
  null,
  true,
];

const per = "1s";

/** Where a number stands, a way to write it there, and what is none. */
const OPTIONS: readonly (readonly [string, (value: unknown) => unknown, readonly unknown[]])[] = [
  // A record may be one of limits by key.
  ["limit", (limit) => ({ limit }), NO_NUMBERS.filter((value) => !isRecord(value))],
  ["limit.default", (value) => ({ limit: { default: value, keys: {} } }), NO_NUMBERS],
  ["limit.keys.a", (a) => ({ key: String, limit: { keys: { a } } }), NO_NUMBERS],
  ["quota.rate", (rate) => ({ quota: { rate, per } }), NO_NUMBERS],
  ["quota.per", (value) => ({ quota: { rate: 1, per: value } }), NO_DURATIONS],
  ["quota.burst", (burst) => ({ quota: { rate: 1, per, burst } }), NO_NUMBERS],
  ["quota.maxWait", (maxWait) => ({ quota: { rate: 1, per, maxWait } }), NO_DURATIONS.slice(1)],
  [
    "quota.1.rate",
    (rate) => ({
      quota: [
        { rate: 1, per },
        { rate, per },
      ],
    }),
    NO_NUMBERS,
  ],
  ["breaker.threshold", (threshold) => ({ breaker: { threshold } }), NO_NUMBERS],
  ["breaker.recovery", (recovery) => ({ breaker: { recovery } }), NO_DURATIONS],
  ["breaker.probes", (probes) => ({ breaker: { probes } }), [...NO_NUMBERS, 4]],
  ["breaker.successes", (successes) => ({ breaker: { successes } }), NO_NUMBERS],
  [
    "breaker.ratio.of",
    (of) => ({ breaker: { ratio: { of, window: per, minCalls: 1 } } }),
    [...NO_NUMBERS, 1.1],
  ],
  [
    "breaker.ratio.window",
    (window) => ({ breaker: { ratio: { of: 1, window, minCalls: 1 } } }),
    NO_DURATIONS,
  ],
  [
    "breaker.ratio.minCalls",
    (minCalls) => ({ breaker: { ratio: { of: 1, window: per, minCalls } } }),
    NO_NUMBERS,
  ],
  [
    "breaker.keys.a.threshold",
    (threshold) => ({ key: String, breaker: { keys: { a: { threshold } } } }),
    NO_NUMBERS,
  ],
  ["retryBudget.share", (share) => ({ retryBudget: { share } }), NO_NUMBERS.slice(1)],
  [
    "retryBudget.minPerSecond",
    (minPerSecond) => ({ retryBudget: { minPerSecond } }),
    NO_NUMBERS.slice(1),
  ],
];

test.each(OPTIONS)(
  "R116 R139: what is no value of %s is refused at that place",
  (path, make, bad) => {
    for (const value of bad) {
      const paths = faultsOf(() => resource("api", make(value) as ResourceOptions<never>));
      expect([value, paths]).toEqual([value, [`resources.api.${path}`]]);
    }
  },
);

/** Paths of the faults of a definition. */
function faultsOf(make: () => unknown): unknown {
  try {
    make();
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    const faults = error.details?.["faults"];
    return Array.isArray(faults)
      ? faults.map((fault) => (fault as Readonly<Record<string, unknown>>)["path"])
      : error.code;
  }
  return "it was accepted";
}

test("R139: a cost that no burst can pay, or that is none, is refused where the use is made", () => {
  const api = resource("api", { quota: { rate: 5, per } });
  for (const cost of [6, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "1"])
    expect(() => api.with({ cost: cost as number })).toThrow('A use of resource "api" costs');
  expect(api.with({ cost: 5 }).costs).toEqual([5]);
  expect(api.with({ cost: 0 }).costs).toEqual([0]);
  const host = resource("host", {
    key: (name: string) => name,
    quota: { rate: 5, per, cost: (name) => name.length },
  });
  expect(() => host.for("abcdef")).toThrow("its burst of 5");
});

describe.each(PLACES)("%s", (place) => {
  test.each<readonly [string, () => unknown, string]>([
    ["throws", () => boom(), "not my day"],
    ["gives a number", () => 5, "expected resources; got 5"],
    ["gives nothing", () => undefined, "expected resources; got undefined"],
    ["gives null in a list", () => [null], "expected resources; got null"],
    ["gives a name that is none", () => ["a/b"], 'expected resources; got "a/b"'],
    ["gives a name nobody declared", () => ["nobody"], 'There is no resource "nobody"'],
    ["gives a keyed resource without its key", () => [host], 'resource "host" has keys'],
    ["gives one twice", () => [host.for("a"), host.for("a")], 'resource "host/a" is named twice'],
    [
      "gives more than there may be",
      () => Array.from({ length: 33 }, (_, at) => host.for(`k${at}`)),
      "at most 32",
    ],
    ["asks for a key that is none", () => [host.for("")], "must be text of 1 to"],
    ["gives a promise", () => Promise.resolve([host.for("a")]), "expected resources; got"],
  ])("uses that %s fail their stage or item, once, and no other", async (_name, uses, text) => {
    const { finish, clock } = makeScene(place);
    const outside = makeOutside(clock);
    const asked: unknown = (): unknown => uses();
    const bad = stage(
      "bad",
      { uses: asked as () => readonly ResourceUse[], critical: false, retry: 3 },
      () => outside.call(1),
    );
    const items = map(
      "items",
      {
        over: ["good", "bad"],
        key: (item) => item,
        onItemFailure: "continue",
        retry: 3,
        uses: (item) => (item === "good" ? [host.for("b")] : (uses() as readonly ResourceUse[])),
      },
      () => outside.call(1),
    );
    const result = await finish(pipeline("p", { stages: [bad, items] }));
    expect(result.state).toBe("succeeded");
    expect(outside.calls).toHaveLength(1); // the good item
    expect(result.stages["bad"]).toMatchObject({ state: "failed", attempts: 0 });
    expect(result.errors.map(({ stage: name, item }) => [name, item?.key])).toEqual(
      expect.arrayContaining([
        ["bad", undefined],
        ["items", "bad"],
      ]),
    );
    for (const { error } of result.errors) expect(error.message).toContain(text);
    expect(clock.monotonicMs()).toBeLessThan(100);
  });
});

const host = resource("host", { limit: 4, key: (name: string) => name });

function boom(): never {
  throw new Error("not my day");
}

test("a name that nobody declares is told when the store is opened; in memory when its stage asks", async () => {
  const made = pipeline("p", { stages: [stage("work", { uses: ["nobody"] as never }, () => 1)] });
  await expect(makeScene("on the memory store").open([made])).rejects.toMatchObject({
    code: "RESOURCE_UNKNOWN",
  });
  const result = await makeScene("in memory").finish(made);
  expect(result.errors[0]?.error.message).toContain('There is no resource "nobody"');
});

test("R142: a store's resources may be declared by the configuration, and stages use them by name", async () => {
  const { open, finish, clock } = makeScene("on the memory store");
  const outside = makeOutside(clock);
  const work = map("work", { over: ["a", "b", "c"], uses: ["api"] as never }, () =>
    outside.call(10),
  );
  const made = pipeline("p", { stages: [work] });
  await open([made], { resources: { api: { limit: 1 } } });
  expect((await finish(made)).state).toBe("succeeded");
  expect(outside.most).toBe(1);
});

test("two resources of one name that differ are a conflict on a store, at once or when the second one is used", async () => {
  const [one, other] = [resource("api", { limit: 1 }), resource("api", { limit: 2 })];
  const left = stage("left", { uses: [one] }, () => 1);
  const listed = pipeline("listed", { stages: [left, stage("right", { uses: [other] }, () => 1)] });
  await expect(makeScene("on the memory store").open([listed])).rejects.toMatchObject({
    code: "RESOURCE_CONFLICT",
  });
  const late = pipeline("late", {
    stages: [left, stage("right", { uses: () => [other], critical: false }, () => 1)],
  });
  const result = await makeScene("on the memory store").finish(late);
  expect(result.errors[0]?.error.message).toContain('Two resources are called "api" and differ');
});

test("R96: a command holds its resource as long as its process runs", async () => {
  const api = resource("api", { limit: 1 });
  const argv = [
    process.execPath,
    "-e",
    "console.log(JSON.stringify([performance.timeOrigin, Date.now()]))",
  ];
  const one = command("one", { argv, uses: [api], parse: "json" });
  const two = command("two", { argv, uses: () => [api], parse: "json" });
  const result = await pipeline("p", { stages: [one, two], output: { one, two } }).run(undefined);
  expect(result.state).toBe("succeeded");
  const [first, second] = [result.outputs.one, result.outputs.two]
    .map((times) => times as readonly [number, number])
    .sort((left, right) => left[0] - right[0]);
  // The second process began when the first one had ended.
  expect(second?.[0]).toBeGreaterThanOrEqual(first?.[1] ?? Infinity);
  expect(api.stats()).toMatchObject({ held: 0, waiting: 0, granted: 2, succeeded: 2 });
});
