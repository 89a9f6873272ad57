// Status, snapshot and history: what they say in each case, from both stores.

import { describe, expect, test } from "vitest";
import type { Millrace } from "../../../src/service/millrace.ts";
import { definePipeline, type Pipeline } from "../../../src/service/pipeline.ts";
import { makeDurableWorld, makeGate, STORES } from "../../support/durable/durable-world.ts";

function makePipeline(): Pipeline {
  return definePipeline({
    name: "told",
    stages: [
      { id: "list", run: () => [1, 2, 3] },
      {
        id: "each",
        needs: ["list"],
        over: "list",
        onItemFailure: "continue",
        retry: { attempts: 2, initialDelay: 1, jitter: "none" },
        key: String,
        run: (item: unknown) => {
          if (item === 3) throw new Error("three");
          return item;
        },
      },
    ],
  });
}

async function statusOf(mill: Millrace): Promise<string | undefined> {
  return (await mill.status()).pipelines[0]?.status;
}

const FAILING = definePipeline({
  name: "told",
  stages: [
    {
      id: "only",
      run: (input: unknown) => {
        if (input === "bad") throw new Error("bad");
      },
    },
  ],
});

describe.each(STORES)("on %s", (kind) => {
  test("R190 R250: a pipeline is idle, running, stopped or in error, and says how healthy it is", async () => {
    const gate = makeGate();
    const slow = definePipeline({
      name: "told",
      gate: "health",
      stages: [
        {
          id: "only",
          run: async (input: unknown) => {
            if (input === "wait") await gate.opened;
            if (input === "bad") throw new Error("bad");
          },
        },
      ],
    });
    const mill = await makeDurableWorld(kind).open([slow]);
    expect(await statusOf(mill)).toBe("idle");
    await (await mill.start(slow, "good")).result();
    expect(await statusOf(mill)).toBe("idle");
    await (await mill.start(slow, "bad")).result();
    expect(await statusOf(mill)).toBe("error");
    const waiting = await mill.start(slow, "wait");
    expect(await statusOf(mill)).toBe("running");
    expect((await mill.snapshot()).running).toMatchObject([{ id: waiting.id, state: "running" }]);
    await mill.cancel(waiting.id);
    gate.open();
    await waiting.result();
    expect(await statusOf(mill)).toBe("stopped");
    await (await mill.start(slow, "bad")).result();
    await (await mill.start(slow, "bad")).result();
    await mill.enqueue(slow, [{ input: "good" }], { override: true });

    const status = await mill.status();
    expect(status.pipelines).toMatchObject([
      {
        pipeline: "told",
        status: "error",
        gate: "health",
        running: 0,
        queued: 1,
        last: { state: "failed" },
        health: { verdict: "unstable", reasons: [{ text: "3 of the last 5 runs failed" }, {}] },
      },
    ]);
    expect((await mill.status({ pipeline: "nobody" })).pipelines).toMatchObject([
      { pipeline: "nobody", status: "idle", health: { verdict: "healthy" } },
    ]);
  });

  test("R242: every finished run has one summary, with all that is known of it", async () => {
    const pipeline = makePipeline();
    const mill = await makeDurableWorld(kind).open([pipeline]);
    const first = await mill.start(pipeline, "go", {
      key: "one",
      tags: { team: "a" },
      source: "test",
    });
    await first.result();
    await (await mill.start(pipeline, "again")).result();
    await mill.enqueue(pipeline, [{ input: "go" }]);

    const { summaries, nextCursor } = await mill.history({ limit: 1 });
    const rest = await mill.history({ cursor: nextCursor ?? "" });

    expect([...summaries, ...rest.summaries]).toHaveLength(2);
    expect(rest.summaries).toMatchObject([
      {
        id: first.id,
        name: first.name,
        pipeline: "told",
        state: "succeeded",
        key: "one",
        tags: { team: "a" },
        source: "test",
        queuedAt: expect.any(String),
        startedAt: expect.any(String),
        endedAt: expect.any(String),
        durationMs: expect.any(Number),
        stages: { run: 2, failed: 0, skipped: 0, ranNames: ["each", "list"], failedNames: [] },
        items: { total: 3, succeeded: 2, failed: 1 },
        retries: 1,
        warnings: 1,
        crashes: 0,
        waitedMs: { retry: expect.any(Number) },
      },
    ]);
    expect(await mill.history({ states: ["failed"] })).toEqual({ summaries: [] });
  });

  test("a snapshot has what ended, what waits, and the number of the last event", async () => {
    const mill = await makeDurableWorld(kind).open([FAILING]);
    await (await mill.start(FAILING, "bad")).result();
    await mill.enqueue(FAILING, [{ input: "good", delay: "1h" }]);
    const [newest] = await mill.store.listEvents({ after: 0, newestFirst: true, limit: 1 });

    expect(await mill.snapshot()).toMatchObject({
      schema: "millrace.snapshot/1",
      seq: newest?.seq,
      pipelines: [{ pipeline: "told", status: "error" }],
      running: [],
      recent: [{ state: "failed", error: { message: expect.stringContaining("bad") } }],
      waiting: [{ pipeline: "told", text: expect.stringContaining("not due before") }],
      next: [],
    });
  });
});

test("R244: a run that was taken by force blocks, and its summary says so", async () => {
  const gate = makeGate();
  const stuck = definePipeline({
    name: "told",
    stages: [{ id: "only", run: () => gate.opened }],
  });
  const mill = await makeDurableWorld("sqlite").open([stuck]);
  const run = await mill.start(stuck, undefined);
  await mill.cancel(run.id, { force: true, reason: "it hangs" });
  gate.open();

  expect((await mill.health()).pipelines).toMatchObject([
    { verdict: "blocked", reasons: [{ text: `${run.name} was taken from its process by force` }] },
  ]);
  const { summaries } = await mill.history();
  expect(summaries).toMatchObject([{ state: "cancelled", reason: "it hangs", forced: true }]);
  expect(summaries[0]).not.toHaveProperty("error");
  const waiting = await mill.enqueue(stuck, [{ input: undefined }]);
  await mill.cancel(waiting.runs[0]?.run.id ?? "");
  expect((await mill.health()).pipelines[0]?.verdict).toBe("blocked");
});
