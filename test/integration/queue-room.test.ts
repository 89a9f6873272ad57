// Back-pressure: a worker claims no more than it has slots for, and a full queue takes nothing in.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { input, isMillraceError, pipeline, stage } from "../../src/exports/index.ts";
import type { MillraceError } from "../../src/model/errors.ts";
import type { Schema } from "../../src/model/schema.ts";
import { makeDurableWorld, makeGate, STORES, type Gate } from "../support/durable/durable-world.ts";
import { checkCounts, checkNoLease } from "../support/queue-world.ts";

const given = input<number>();
const narrow = pipeline("narrow", {
  input: given,
  stages: [stage("read", { needs: { given } }, () => 1)],
  maxQueued: 3,
});

const entries = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `k${from + index}`, input: index }));

async function refusalOf(work: Promise<unknown>): Promise<MillraceError> {
  const error: unknown = await work.then(
    () => assert.fail("nothing was refused"),
    (thrown: unknown) => thrown,
  );
  assert.ok(isMillraceError(error), String(error));
  return error;
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

describe.each(STORES)("a queue with a maximum on %s", (kind) => {
  test("R172: is full at its maximum, says how far it came, and goes on when the same is enqueued again", async () => {
    const mill = await makeDurableWorld(kind).open([narrow]);
    await mill.enqueue(narrow, entries(0, 2));

    const error = await refusalOf(mill.enqueue(narrow, entries(1, 4)));
    expect([error.code, error.retryable]).toEqual(["QUEUE_FULL", true]);
    expect(error.message).toBe(
      'The queue of pipeline "narrow" is full: at most 3 of its runs may be queued or waiting. 1 new, 1 known, 2 refused.',
    );
    expect(error.details).toEqual({
      pipeline: "narrow",
      maxQueued: 3,
      created: 1,
      duplicates: 1,
      refused: 2,
    });
    expect(await checkCounts(mill, "narrow")).toEqual({ queued: 3 });

    await mill.work({ drain: true });
    const { created, duplicates } = await mill.enqueue(narrow, entries(1, 4));
    expect({ created, duplicates }).toEqual({ created: 2, duplicates: 2 });
  });

  test("R172: stops an import, and the same import goes on when there is room", async () => {
    const mill = await makeDurableWorld(kind).open([narrow]);
    const text = ["1", "2", "oops", "3", "4", "5"].join("\n");

    const error = await refusalOf(mill.import(narrow, bytesOf(text)));
    expect(error.message).toBe(
      'The queue of pipeline "narrow" is full: at most 3 of its runs may be queued or waiting. Of 6 lines read: 3 new, 1 bad, 2 refused.',
    );
    await mill.work({ drain: true });
    const outcome = await mill.import(narrow, bytesOf(text));
    expect(outcome).toMatchObject({ lines: 6, created: 2, duplicates: 3, badLines: 1 });
  });

  test("R172: refuses a requeue, lets a start in the foreground pass, and resumes what it has", async () => {
    const mill = await makeDurableWorld(kind).open([narrow]);
    const run = await mill.start(narrow, 1);
    await run.result();
    await mill.enqueue(narrow, entries(0, 3));

    const error = await refusalOf(mill.requeue(run.id));
    expect(error.code).toBe("QUEUE_FULL");
    expect((await (await mill.start(narrow, 2)).result()).state).toBe("succeeded");
    await mill.cancel("2");
    await mill.enqueue(narrow, entries(3, 1));
    expect((await mill.resume("2")).state).toBe("queued");
    expect(await checkCounts(mill, "narrow")).toEqual({ queued: 4, succeeded: 2 });
  });

  test("R172: many writers at once come to the maximum and no further", async () => {
    const mill = await makeDurableWorld(kind).open([narrow]);
    const asked = Array.from({ length: 20 }, (_, index) => mill.enqueue(narrow, entries(index, 1)));
    const settled = await Promise.allSettled(asked);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    expect(await checkCounts(mill, "narrow")).toEqual({ queued: 3 });
  });

  test("R172: a worker holds at most as many claimed runs that have not started as it has slots", async () => {
    // A schema that takes its time keeps a run between its claim and its start.
    const checks: Gate[] = [];
    const started: number[] = [];
    const slow: Schema<number> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: async (value: unknown) => {
          const gate = makeGate();
          checks.push(gate);
          await gate.opened;
          return { value: Number(value) };
        },
      },
    };
    const number = input(slow);
    const act = stage("act", { needs: { number } }, ({ number: value }) => {
      started.push(value);
      return value;
    });
    const checked = pipeline("checked", { input: number, output: { act } });
    const mill = await makeDurableWorld(kind).open([checked]);
    // Enqueueing looks at the schema, too, for the version of the input.
    const queueing = mill.enqueue(checked, entries(0, 10));
    while (checks.length < 10) {
      for (const gate of checks) gate.open();
      await turn();
    }
    for (const gate of checks) gate.open();
    await queueing;
    checks.length = 0;

    const working = mill.work({ drain: true, concurrency: 3 });
    let claimedMax = 0;
    for (let opened = 0; opened < 10;) {
      for (let turns = 0; turns < 20; turns += 1) await turn();
      const { running = 0, succeeded = 0 } = await checkCounts(mill, "checked");
      const unstarted = running + succeeded - started.length;
      expect(unstarted).toBeLessThanOrEqual(3);
      expect(running).toBeLessThanOrEqual(3);
      claimedMax = Math.max(claimedMax, unstarted);
      const gate = checks[opened];
      if (gate === undefined) continue;
      gate.open();
      opened += 1;
    }
    await working;
    expect(claimedMax).toBe(3);
    expect(started).toHaveLength(10);
    await checkNoLease(mill);
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
