// What retries and their rules leave behind in durable runs, on both stores: the reason of every failed attempt with
// waits that really grew, and why a rule skipped an item or ended the run.

// oxlint-disable unicorn/no-thenable -- `then` is the verb of a retry rule

import { describe, expect, test } from "vitest";
import { classifyText, map, pipeline, stage } from "millrace";
import { showItem, showRun, showStage } from "../../src/service/queries/show-run.ts";
import { makeDurableWorld, STORES } from "../support/durable/durable-world.ts";
import { readEvents } from "../support/queue-world.ts";

const boom = (message: string): never => {
  throw new Error(message);
};

describe.each(STORES)("in %s", (kind) => {
  test("R169: waits grow and vary, and show and why list the reason of each failed attempt", async () => {
    const world = makeDurableWorld(kind);
    const retry = { attempts: 4, initialDelay: 30, factor: 3, jitter: 0.3 } as const;
    const keys = ["a", "b", "c", "d", "e", "f"];
    const m = map(
      "m",
      { over: keys, key: (item) => item, retry, concurrency: 6 },
      (item, _n, ctx) => (ctx.attempt === 4 ? item : boom(`${item}: reason ${ctx.attempt}`)),
    );
    const made = pipeline("p", { stages: [m] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    expect((await run.result()).state).toBe("succeeded");

    const firstDelays = new Set<number>();
    for (const key of keys) {
      const { item } = await showItem(mill.store, run.id, { stage: "m", key });
      const delays = item.attempts.flatMap(({ delayMs }) => delayMs ?? []);
      // A third more or less of 30, 90 and 270: each is longer than the one before, whatever the dice say.
      expect(delays).toHaveLength(3);
      expect(delays).toEqual(delays.toSorted((one, other) => one - other));
      for (const [index, nominal] of [30, 90, 270].entries()) {
        expect(delays[index]).toBeGreaterThanOrEqual(nominal * 0.7);
        expect(delays[index]).toBeLessThanOrEqual(nominal * 1.3 + 1);
      }
      firstDelays.add(delays[0] ?? 0);
      // Due times: the next attempt did not start before its wait was over.
      const times = item.attempts.slice(0, 3);
      for (const [index, { endedAt, delayMs = 0 }] of times.slice(0, 2).entries()) {
        const next = Date.parse(times[index + 1]?.startedAt ?? "");
        expect(next - Date.parse(endedAt ?? "")).toBeGreaterThanOrEqual(delayMs - 2);
      }
      const reasons = [1, 2, 3].map((attempt) => `${key}: reason ${attempt}`);
      expect(item.attempts.flatMap(({ message }) => message ?? [])).toEqual(reasons);
      const { notes } = await mill.why(run.id, "m", key);
      for (const [index, reason] of reasons.entries()) {
        expect(notes[index]).toContain(`attempt ${index + 1} failed with unknown: ${reason}; then`);
      }
    }
    expect(firstDelays.size).toBeGreaterThan(1);
  });

  test("R169: a stage that failed for good lists the reason of every attempt, the last one included", async () => {
    const world = makeDurableWorld(kind);
    const retry = { attempts: 3, initialDelay: 5, jitter: "none" } as const;
    const tried = stage("tried", { retry }, (_needs, ctx) => boom(`reason ${ctx.attempt}`));
    const made = pipeline("p", { stages: [tried] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    await run.result();
    const { stage: shown } = await showStage(mill.store, run.id, "tried");
    expect(shown.history.map(({ message }) => message)).toEqual([
      "reason 1",
      "reason 2",
      "reason 3",
    ]);
    const { notes } = await mill.why(run.id, "tried");
    expect(notes).toEqual([
      "attempt 1 failed with unknown: reason 1; then a wait of 5ms",
      "attempt 2 failed with unknown: reason 2; then a wait of 10ms",
      "attempt 3 failed with unknown: reason 3",
    ]);
  });

  test("R93: an auth error ends the run and another skips its item: both reasons are stored and told", async () => {
    const world = makeDurableWorld(kind);
    const rules = [
      { match: { message: "gone" }, then: "skip" },
      { match: { class: "auth" }, then: "abort-run" },
    ] as const;
    const m = map(
      "m",
      {
        over: ["a", "b", "c"],
        key: (item) => item,
        concurrency: 1,
        onItemFailure: "continue",
        retry: { attempts: 3, rules },
      },
      (item) => {
        if (item === "a") boom("it is gone");
        if (item === "b") throw Object.assign(new Error("bad key"), { status: 401 });
      },
    );
    const after = stage("after", { needs: { m }, trigger: "all_done" }, () => 1);
    const made = pipeline("p", { stages: [after] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    const result = await run.result();

    const ended = "retry rule 2 matched: bad key";
    expect(result).toMatchObject({ state: "failed", reason: ended });
    expect(result.stages["m"]?.items).toMatchObject({ skipped: 1, failed: 1, cancelled: 1 });
    expect(result.stages["after"]).toMatchObject({ state: "cancelled", reason: ended });
    const record = await mill.run(run.id);
    expect([record.state, record.reason]).toEqual(["failed", ended]);
    expect((await showRun(mill.store, run.id)).run.reason).toBe(ended);
    expect((await mill.why(run.id)).notes).toContain(`ended early: ${ended}`);
    expect((await mill.why(run.id, "after")).summary).toContain(ended);

    const skipped = "retry rule 1 matched: it is gone";
    const { item } = await showItem(mill.store, run.id, { stage: "m", key: "a" });
    expect(item).toMatchObject({ state: "skipped", reason: skipped });
    expect((await mill.why(run.id, "m", "a")).summary).toContain(skipped);
    expect((await mill.why(run.id, "m", "b")).notes).toContain(
      "attempt 1 failed with auth: bad key",
    );
  });

  test("a classifier that names no class fails its stage at once, and the message says which and what to write", async () => {
    const world = makeDurableWorld(kind);
    // What a pipeline file without types may do.
    const classify = JSON.parse('{"of": "sever"}');
    const tried = stage("tried", { retry: 3, classify: () => classify.of }, () => boom("no luck"));
    const made = pipeline("p", { stages: [tried] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    const result = await run.result();

    const { error } = result.stages["tried"] ?? {};
    expect(error).toMatchObject({
      class: "permanent",
      code: "OPTION_INVALID",
      attempts: 1,
      firstMessage: "no luck",
      error: { cause: { message: "no luck" } },
    });
    expect(error?.message).toBe(
      '"classify" answered "sever", which is no class (did you mean "server"?); expected the name of an error class, or undefined.',
    );
    expect((await mill.why(run.id, "tried")).summary).toContain('"classify" answered "sever"');
  });

  test("a classifier or a rule that throws is told as an event and decides nothing", async () => {
    const world = makeDurableWorld(kind);
    class Hostile extends RegExp {
      override [Symbol.search](): number {
        return boom("no search today");
      }
    }
    const rules = [{ match: { message: new Hostile("x") }, then: "fail" }] as const;
    const retry = { attempts: 2, initialDelay: 1, rules } as const;
    const tried = stage("tried", { retry, classify: () => boom("not today") }, (_needs, ctx) =>
      ctx.attempt === 1 ? boom("no luck") : "done",
    );
    const made = pipeline("p", { stages: [tried] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    expect((await run.result()).state).toBe("succeeded");

    const events = await readEvents(mill, run.id);
    const faults = events.filter(({ type }) => type === "stage.rule_failed");
    expect(faults.map(({ stage: name, data }) => [name, data?.["message"]])).toEqual([
      ["tried", "classify threw while it was asked and counts as silent: not today"],
      ["tried", "1 retry rule threw while being asked; a rule that throws counts as no match"],
    ]);
  });
});

test("R77 R78: by words alone, where they are all there is: a timeout is repeated, a 404 that says timeout is not", async () => {
  const world = makeDurableWorld("memory");
  const calls: string[] = [];
  const errors: Readonly<Record<string, () => Error>> = {
    slow: () => new Error("Request timed out"),
    wrong: () => new Error("Invalid document"),
    missing: () => Object.assign(new Error("timeout"), { status: 404 }),
    odd: () => new Error("boom"),
  };
  const retry = { attempts: 2, initialDelay: 1, retryOn: "conservative" } as const;
  const m = map(
    "m",
    {
      over: Object.keys(errors),
      key: (item) => item,
      onItemFailure: "continue",
      retry,
      classify: classifyText,
    },
    (item) => {
      calls.push(item);
      throw errors[item]?.() ?? new Error("?");
    },
  );
  const made = pipeline("p", { stages: [m] });
  const mill = await world.open([made]);
  const run = await mill.start(made, undefined);
  await run.result();
  expect(calls.toSorted()).toEqual(["missing", "odd", "slow", "slow", "wrong"]);
  const classOf = async (key: string): Promise<string | undefined> =>
    (await showItem(mill.store, run.id, { stage: "m", key })).item.error?.class;
  expect(await Promise.all(Object.keys(errors).map(classOf))).toEqual([
    "timeout",
    "permanent",
    "permanent",
    "unknown",
  ]);
});
