// Who decides whether a failed attempt is repeated: its class, a hint of the other side, the author's rules and
// hook, a deadline, and whether the work may be done twice.

// oxlint-disable unicorn/no-thenable -- `then` is the verb of a retry rule

import { expect, test } from "vitest";
import {
  map,
  PermanentError,
  pipeline,
  stage,
  ThrottledError,
  TransientError,
  type MemoryRunOptions,
  type RetryOptions,
  type RunResult,
} from "millrace";
import { makeMemoryWorld, type MemoryWorld } from "../support/memory-world.ts";

const boom = (message: string = "boom"): never => {
  throw new Error(message);
};

const withCode = (code: string): Error => Object.assign(new Error(`failed: ${code}`), { code });

/** Runs one stage that always throws and answers when its attempts began, on the clock. */
async function startsOf(
  options: { readonly retry?: RetryOptions | number; readonly deadline?: number },
  error: unknown = new Error("boom"),
  more: MemoryRunOptions = {},
): Promise<{
  readonly starts: readonly number[];
  readonly result: RunResult<unknown>;
  readonly world: MemoryWorld;
}> {
  const world = makeMemoryWorld();
  const starts: number[] = [];
  const tried = stage("tried", options, () => {
    starts.push(world.now());
    throw error;
  });
  const result = await world.finish(pipeline("p", { stages: [tried] }), undefined, more);
  return { starts, result, world };
}

test("a permanent error is never repeated, a transient one is", async () => {
  const permanent = await startsOf({ retry: 3 }, new PermanentError("never"));
  const transient = await startsOf({ retry: 3 }, new TransientError("later"));

  expect(permanent.starts).toHaveLength(1);
  expect(permanent.result.errors[0]?.error.class).toBe("permanent");
  expect(transient.starts).toHaveLength(3);
  expect(transient.result.errors[0]?.error.class).toBe("server");
});

test("R79: retryOn lists the classes, and conservative leaves out what is unknown", async () => {
  const reset = withCode("ECONNRESET");
  const listed = { attempts: 3, retryOn: ["broken"] } as const;
  const conservative = { attempts: 3, retryOn: "conservative" } as const;
  const counts = await Promise.all([
    startsOf({ retry: 3 }),
    startsOf({ retry: conservative }),
    startsOf({ retry: conservative }, reset),
    startsOf({ retry: listed }),
    startsOf({ retry: listed }, reset),
  ]);
  expect(counts.map(({ starts }) => starts.length)).toEqual([3, 1, 3, 1, 3]);
});

test("a name that is missing is asked for once more after 2 s, whatever the attempts", async () => {
  const { starts, result } = await startsOf({ retry: 5 }, withCode("ENOTFOUND"));
  expect(starts).toEqual([0, 2_000]);
  expect(result.errors).toMatchObject([{ error: { class: "dns-missing", attempts: 2 } }]);
});

test("the one repetition of a missing name is not given back by another failure between", async () => {
  const world = makeMemoryWorld();
  const codes = ["ENOTFOUND", "ECONNRESET", "ENOTFOUND", "ENOTFOUND"];
  const tried = stage("tried", { retry: 4 }, (_needs, ctx) => {
    throw withCode(codes[ctx.attempt - 1] ?? "");
  });
  const result = await world.finish(pipeline("p", { stages: [tried] }), undefined);
  expect(result.stages["tried"]?.error).toMatchObject({ class: "dns-missing", attempts: 3 });
});

test("being throttled costs no attempt and waits at least as long as was asked", async () => {
  const world = makeMemoryWorld();
  const seen: [number, number][] = [];
  const tried = stage("tried", { retry: 2 }, (_needs, ctx) => {
    seen.push([ctx.attempt, world.now()]);
    if (seen.length <= 3) throw new ThrottledError("slow down", { retryAfter: "10s" });
    if (seen.length === 4) boom();
    return "done";
  });

  const result = await world.finish(pipeline("p", { output: { tried } }), undefined);

  expect(seen.map(([attempt]) => attempt)).toEqual([1, 1, 1, 1, 2]);
  const gaps = seen.slice(1, 4).map(([, atMs], index) => atMs - (seen[index]?.[1] ?? 0));
  for (const gap of gaps) {
    expect(gap).toBeGreaterThanOrEqual(10_000);
    expect(gap).toBeLessThanOrEqual(11_000);
  }
  expect(result.stages["tried"]).toMatchObject({ state: "succeeded", attempts: 2 });
});

test("a stage that is throttled for ever fails after 50 deferrals", async () => {
  const { starts, result } = await startsOf(
    { retry: 2 },
    new ThrottledError("slow down", { retryAfter: "1s" }),
  );
  expect(starts).toHaveLength(51);
  expect(result.stages["tried"]).toMatchObject({
    attempts: 1,
    error: { class: "deferral-exhausted" },
  });
});

test("a server's Retry-After is kept even where maxDelay is shorter", async () => {
  const error = Object.assign(new Error("busy"), {
    status: 503,
    headers: { "retry-after": "120" },
  });
  const { starts } = await startsOf({ retry: { attempts: 2, maxDelay: "1s" } }, error);
  expect(starts[1]).toBeGreaterThanOrEqual(120_000);
  expect(starts[1]).toBeLessThanOrEqual(125_000);
});

test("R93: rules decide in order: retry after, skip, fail, and the first that matches wins", async () => {
  const world = makeMemoryWorld();
  const rules = [
    { match: { message: "gone" }, then: "skip" },
    { match: { message: "late", attempt: 1 }, then: { retryAfter: "5m" } },
    { match: { message: /^bad\b/ }, then: "fail" },
    { match: {}, then: "retry" },
  ] as const;
  const starts: Record<string, number[]> = {};
  const items = ["gone", "late", "bad day", "other"];
  const many = map(
    "many",
    {
      over: items,
      key: (item) => item,
      onItemFailure: "continue",
      retry: { attempts: 2, jitter: "none", rules },
    },
    (item) => {
      (starts[item] ??= []).push(world.now());
      boom(item);
    },
  );

  const made = pipeline("p", { output: { many } });
  const result = await world.finish(made, undefined);

  expect(starts).toEqual({
    gone: [0],
    late: [0, 300_000],
    "bad day": [0],
    other: [0, 1_000],
  });
  expect(world.told("item.skipped")).toMatchObject([
    { item: "gone", data: { reason: "retry rule 1 matched: gone" } },
  ]);
  expect(result.errors.filter((error) => error.item !== undefined)).toHaveLength(3);
});

test("R93: a rule skips a stage with the reason", async () => {
  const retry = { rules: [{ match: { class: "unknown" }, then: "skip" }] } as const;
  const { result } = await startsOf({ retry });
  expect(result.state).toBe("skipped");
  expect(result.stages["tried"]).toMatchObject({
    state: "skipped",
    reason: "retry rule 1 matched: boom",
  });
});

test("R93: a rule ends the run: what runs is aborted, nothing else starts, and the reason is kept", async () => {
  const world = makeMemoryWorld();
  const called: string[] = [];
  let reason: unknown;
  const fails = stage(
    "fails",
    {
      critical: false,
      retry: { attempts: 3, rules: [{ match: { code: "E_AUTH" }, then: "abort-run" }] },
    },
    async (_needs, ctx) => {
      await ctx.sleep(100);
      throw Object.assign(new Error("no key"), { code: "E_AUTH" });
    },
  );
  const slow = stage("slow", {}, async (_needs, ctx) => {
    try {
      await ctx.sleep("1h");
    } catch (error) {
      reason = error;
      throw error;
    }
  });
  const next = stage("next", { needs: { slow } }, () => void called.push("next"));
  const cleanup = stage("cleanup", { needs: { fails }, trigger: "all_done" }, () => {
    called.push("cleanup");
  });
  const made = pipeline("p", { stages: [next, cleanup] });

  const result = await world.finish(made, undefined);

  expect(result).toMatchObject({ state: "failed", reason: "retry rule 1 matched: no key" });
  expect(called).toEqual([]);
  expect(reason).toMatchObject({ kind: "sibling" });
  expect(result.stages["fails"]).toMatchObject({ state: "failed", attempts: 1 });
  for (const name of ["next", "cleanup"]) {
    expect(result.stages[name]).toMatchObject({
      state: "cancelled",
      reason: "retry rule 1 matched: no key",
    });
  }
  expect(result.stages["slow"]?.state).toBe("cancelled");
  expect(world.now()).toBe(100);
  expect(world.told("run.failed")[0]?.data).toMatchObject({ stage: "fails", message: "no key" });
});

test("R93: a rule of an item ends the run too, with a critical stage in between", async () => {
  const world = makeMemoryWorld();
  const called: number[] = [];
  const many = map(
    "many",
    {
      over: [0, 1, 2, 3],
      concurrency: 1,
      onItemFailure: "continue",
      retry: { rules: [{ match: { message: "stop" }, then: "abort-run" }] },
    },
    (item) => {
      called.push(item);
      if (item === 1) boom("stop");
    },
  );
  const after = stage("after", { needs: { many }, trigger: "all_done" }, () => void called.push(9));

  const result = await world.finish(pipeline("p", { stages: [after] }), undefined);

  expect(called).toEqual([0, 1]);
  expect(result.state).toBe("failed");
  expect(result.stages["after"]?.state).toBe("cancelled");
});

test("R83: a rule for timeouts alone leaves every other error as it was, after one attempt", async () => {
  const rules = [
    { match: { message: "TIMEOUT" }, then: "retry" },
    { match: {}, then: "fail" },
  ] as const;
  const other = await startsOf({ retry: { attempts: 3, rules } });
  const timed = await startsOf({ retry: { attempts: 3, rules } }, new Error("a timeout happened"));
  const none = await startsOf({ retry: { attempts: 3, rules: [] } });
  expect(other.starts).toHaveLength(1);
  expect(other.result.errors[0]?.error.message).toBe("boom");
  expect(timed.starts).toHaveLength(3);
  expect(none.starts).toHaveLength(3);
});

test("R80: classify of a stage holds for that stage only, and one that throws changes nothing", async () => {
  const world = makeMemoryWorld();
  const retry = { attempts: 3, retryOn: "conservative" } as const;
  const made = (name: string, classify?: (error: unknown) => "server" | undefined) =>
    stage(name, { retry, ...(classify === undefined ? {} : { classify }) }, () =>
      boom("quota exceeded"),
    );
  const stages = [
    made("plain"),
    made("named", (error) => (String(error).includes("quota exceeded") ? "server" : undefined)),
    made("broken", () => boom("in classify")),
  ];

  const result = await world.finish(pipeline("p", { failFast: false, stages }), undefined);

  const attempts = Object.values(result.stages).map((one) => [one.attempts, one.error?.class]);
  expect(attempts).toEqual([
    [1, "unknown"],
    [3, "server"],
    [1, "unknown"],
  ]);
});

test("a rule that throws while it is asked is no match, and is told", async () => {
  class Hostile extends RegExp {
    override [Symbol.search](): number {
      throw new Error("no search today");
    }
  }
  const retry = {
    attempts: 2,
    rules: [{ match: { message: new Hostile("x") }, then: "fail" }],
  } as const;
  const { starts, world } = await startsOf({ retry });
  expect(starts).toHaveLength(2);
  expect(world.told("stage.rule_failed")[0]?.data?.["message"]).toContain("1 retry rule threw");
});

test("no wait reaches past the deadline of the stage: it fails at once, with class deadline", async () => {
  const { starts, result, world } = await startsOf({
    retry: { attempts: 10, jitter: "none" },
    deadline: 5_000,
  });
  // Due at 1 s and 3 s; the next would be at 7 s.
  expect(starts).toEqual([0, 1_000, 3_000]);
  expect(world.now()).toBe(3_000);
  expect(result.errors[0]?.error).toMatchObject({
    class: "deadline",
    message: "boom",
    attempts: 3,
  });
});

test("no wait reaches past the deadline of the run either", async () => {
  const { starts, result, world } = await startsOf(
    { retry: { attempts: 10, jitter: "none" } },
    new Error("boom"),
    { deadline: 2_500 },
  );
  expect(starts).toEqual([0, 1_000]);
  expect(world.now()).toBe(1_000);
  expect(result).toMatchObject({ state: "failed" });
  expect(result.errors[0]?.error.class).toBe("deadline");
});

test("what is not idempotent is never repeated when it may have happened", async () => {
  const world = makeMemoryWorld();
  const counts = { unknown: 0, refused: 0, timeout: 0 };
  const options = { idempotent: false, retry: 3, critical: false } as const;
  const unknown = stage("unknown", options, () => {
    counts.unknown += 1;
    boom();
  });
  const refused = stage("refused", options, () => {
    counts.refused += 1;
    throw withCode("ECONNREFUSED");
  });
  const timeout = stage("timeout", { ...options, timeout: 100 }, (_needs, ctx) => {
    counts.timeout += 1;
    return ctx.sleep("1h");
  });

  const made = pipeline("p", { stages: [unknown, refused, timeout] });
  const result = await world.finish(made, undefined);

  expect(counts).toEqual({ unknown: 1, refused: 3, timeout: 1 });
  expect(result.stages["unknown"]?.error).toMatchObject({ class: "ambiguous", message: "boom" });
  expect(result.stages["timeout"]?.error?.class).toBe("ambiguous");
  expect(result.stages["refused"]?.error?.class).toBe("unreachable");
});

test("a fault of the program is repeated at most once", async () => {
  const typo = await startsOf({ retry: 5 }, new TypeError("x is not a function"));
  const name = await startsOf({ retry: 5 }, new ReferenceError("x is not defined"));
  expect(typo.starts).toHaveLength(2);
  expect(name.starts).toHaveLength(1);
});
