// What watches health: a change is told once, however many processes notice it and whenever they begin to.

import { expect, test } from "vitest";
import type { BusEntry } from "../../../src/service/feed/event-bus.ts";
import { noteHealth } from "../../../src/service/health/note-health.ts";
import { startHealthWatch } from "../../../src/service/health/watch-health.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import type { Millrace } from "../../../src/service/millrace.ts";
import { definePipeline } from "../../../src/service/pipeline.ts";
import { makeDurableWorld } from "../../support/durable/durable-world.ts";

const PIPELINE = definePipeline({
  name: "watched",
  stages: [
    {
      id: "only",
      run: (input: unknown) => {
        if (input === "bad") throw new Error("bad");
      },
    },
  ],
});

async function endRuns(mill: Millrace, ...inputs: readonly string[]): Promise<void> {
  for (const input of inputs) await (await mill.start(PIPELINE, input)).result();
}

async function listChanges(mill: Millrace): Promise<readonly unknown[]> {
  const events = await mill.store.listEvents({ after: 0, types: ["health.changed"], limit: 100 });
  return events.map(({ run, data }) => ({ run, from: data?.["from"], to: data?.["to"] }));
}

/** Entries as a bus gives them, until it is returned. */
function makeFeed(): {
  readonly push: (entry: BusEntry) => void;
  readonly bus: { subscribe(): AsyncIterableIterator<BusEntry> };
} {
  const queue: BusEntry[] = [];
  let wake = Promise.withResolvers<void>();
  let isOver = false;
  const iterator: AsyncIterableIterator<BusEntry> = {
    [Symbol.asyncIterator]: () => iterator,
    next: async () => {
      while (queue.length === 0 && !isOver) await wake.promise;
      const value = queue.shift();
      return value === undefined ? { done: true, value } : { done: false, value };
    },
    return: async () => {
      isOver = true;
      wake.resolve();
      return { done: true, value: undefined };
    },
  };
  const push = (entry: BusEntry): void => {
    queue.push(entry);
    wake.resolve();
    wake = Promise.withResolvers();
  };
  return { push, bus: { subscribe: () => iterator } };
}

test("a change is told with both verdicts, once, and the way back as well", async () => {
  const mill = await makeDurableWorld("sqlite").open([PIPELINE]);
  const context = contextOf(mill);
  await endRuns(mill, "good");
  expect(await noteHealth(context, "watched")).toBe(false);
  await endRuns(mill, "bad", "bad");

  const noted = await Promise.all([1, 2, 3].map(() => noteHealth(context, "watched")));
  expect(noted.filter(Boolean)).toHaveLength(1);
  await endRuns(mill, "good");
  await noteHealth(context, "watched");

  expect(await listChanges(mill)).toEqual([
    { run: "", from: "healthy", to: "degraded" },
    { run: "", from: "degraded", to: "healthy" },
  ]);
});

test("two processes that watch tell a change once, also what happened before they began", async () => {
  const world = makeDurableWorld("sqlite");
  const [one, other] = [await world.open([PIPELINE]), await world.open([PIPELINE])];
  await endRuns(one, "bad", "bad");
  const feeds = [makeFeed(), makeFeed()];
  const warnings: string[] = [];
  const watches = [one, other].map((mill, place) =>
    startHealthWatch(contextOf(mill), {
      bus: feeds[place]?.bus ?? makeFeed().bus,
      onWarning: (message) => warnings.push(message),
    }),
  );

  await expect.poll(() => listChanges(one), { timeout: 5_000 }).toHaveLength(1);
  await endRuns(other, "good");
  const [ended] = await one.store.listEvents({ after: 0, newestFirst: true, limit: 1 });
  if (ended === undefined) throw new Error("The end of the run was not told.");
  for (const { push } of feeds) push({ kind: "event", event: ended });
  await expect.poll(() => listChanges(one), { timeout: 5_000 }).toHaveLength(2);
  await Promise.all(watches.map((watch) => watch.stop()));
  await Promise.all(watches.map((watch) => watch.stop()));

  expect(await listChanges(one)).toMatchObject([{ to: "degraded" }, { to: "healthy" }]);
  expect(warnings).toEqual([]);
});
