// Retries of durable runs, on both stores: the wait can be asked about while it lasts, and each attempt that failed
// is kept with its time, class, error and the wait that followed.

import { describe, expect, test } from "vitest";
import { map, pipeline, stage, ThrottledError } from "millrace";
import { showItem, showStage } from "../../src/service/queries/show-run.ts";
import { recordEvents } from "../../src/testing/record-events.ts";
import { makeDurableWorld, STORES } from "../support/durable/durable-world.ts";

const HOUR = { initialDelay: "1h", maxDelay: "1h", jitter: "none" } as const;

const boom = (message: string): never => {
  throw new Error(message);
};

describe.each(STORES)("in %s", (kind) => {
  test("R89: why names attempt, total, due time and error while a stage waits for its retry", async () => {
    const world = makeDurableWorld(kind);
    const tried = stage("tried", { retry: { attempts: 3, ...HOUR } }, () => boom("no luck"));
    const made = pipeline("p", { stages: [tried] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    const recorder = recordEvents();
    run.onEvent(recorder.onEvent);
    const waiting = await recorder.next((event) => event.type === "stage.waiting");

    const { stage: shown } = await showStage(mill.store, run.id, "tried");
    const why = JSON.stringify(await mill.why(run.id, "tried"));

    expect(shown).toMatchObject({ state: "waiting", attempts: 1 });
    expect(shown.blockers).toMatchObject([{ kind: "retry" }]);
    expect(why).toContain("is waiting for attempt 2 of 3 in ");
    expect(why).toContain("no luck");
    expect(waiting.data).toMatchObject({ blocker: "retry", attempt: 1, attempts: 3 });
    expect(waiting.data?.["dueAtMs"]).toBe(Date.parse(shown.blockers[0]?.expectedAt ?? ""));

    await run.cancel();
    expect((await run.result()).stages["tried"]?.state).toBe("cancelled");
  });

  test("R90: the history of a stage and of an item has each attempt with time, class, error and wait", async () => {
    const world = makeDurableWorld(kind);
    const retry = { attempts: 3, initialDelay: 5, factor: 2, jitter: "none" } as const;
    const tried = stage("tried", { retry }, (_needs, ctx) => boom(`failure ${ctx.attempt}`));
    const many = map(
      "many",
      { over: ["a", "b"], key: (item) => item, retry, onItemFailure: "continue" },
      (item, _needs, ctx) =>
        item === "a" || ctx.attempt === 3 ? item : boom(`${item} ${ctx.attempt}`),
    );
    const made = pipeline("p", { failFast: false, stages: [tried, many] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    const result = await run.result();

    expect(result.stages["tried"]).toMatchObject({ state: "failed", attempts: 3 });
    const { stage: shown } = await showStage(mill.store, run.id, "tried");
    expect(shown.history).toMatchObject([
      { n: 1, class: "unknown", message: "failure 1", delayMs: 5 },
      { n: 2, class: "unknown", message: "failure 2", delayMs: 10 },
      { n: 3, class: "unknown", message: "failure 3" },
    ]);
    expect(shown.history[2]).not.toHaveProperty("delayMs");
    for (const one of shown.history) {
      expect(Date.parse(one.startedAt ?? "")).toBeLessThanOrEqual(Date.parse(one.endedAt ?? ""));
    }
    const { item } = await showItem(mill.store, run.id, { stage: "many", key: "b" });
    expect(item.attempts).toMatchObject([
      { n: 1, message: "b 1", delayMs: 5 },
      { n: 2, message: "b 2", delayMs: 10 },
      { n: 3 },
    ]);
    expect(item.attempts[2]).not.toHaveProperty("message");
  });

  test("a stage that was throttled waits for the same attempt again", async () => {
    const world = makeDurableWorld(kind);
    const throttled = (): never => {
      throw new ThrottledError("slow down", { retryAfter: "1h" });
    };
    const tried = stage("tried", { retry: { attempts: 2, ...HOUR } }, throttled);
    const retry = { attempts: 2, ...HOUR };
    const many = map("many", { over: ["a"], key: (item) => item, retry }, throttled);
    const made = pipeline("p", { stages: [tried, many] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    const recorder = recordEvents();
    run.onEvent(recorder.onEvent);
    await recorder.next((event) => event.type === "stage.waiting");

    await recorder.next((event) => event.type === "item.waiting");
    expect(JSON.stringify(await mill.why(run.id, "tried"))).toContain("for attempt 1 of 2");
    expect(JSON.stringify(await mill.why(run.id, "many", "a"))).toContain("waits for attempt 1");
    await run.cancel();
  });

  test("metrics are those of the last attempt, whether it was repeated by a retry or by a resume", async () => {
    const world = makeDurableWorld(kind);
    let isBroken = true;
    const many = map(
      "many",
      { over: ["a"], key: (item) => item, retry: { attempts: 2, initialDelay: 1 } },
      (_item, _needs, ctx) => {
        ctx.metric.increment("calls");
        if (ctx.attempt === 1) boom("once more");
      },
    );
    const last = stage("last", { needs: { many } }, (_needs, ctx) => {
      ctx.metric.increment("calls");
      if (isBroken) boom("not yet");
    });
    const made = pipeline("p", { stages: [last] });
    const mill = await world.open([made]);
    const run = await mill.start(made, undefined);
    expect((await run.result()).metrics).toEqual({ calls: 2 });

    isBroken = false;
    const resumed = await mill.resume(run.id, { here: true });
    expect((await resumed.result()).metrics).toEqual({ calls: 2 });
  });
});
