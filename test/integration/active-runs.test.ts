// How many runs of a pipeline may be running at once: what a start hears when there is no place, how one waits for
// a place, and that nobody is kept out by a place that is free.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { input, isMillraceError, pipeline, stage } from "../../src/exports/index.ts";
import type { Millrace, Pipeline, RunHandle } from "../../src/exports/index.ts";
import { systemClock } from "../../src/std/clock.ts";
import { makeDurableWorld, makeGate, STORES, type Gate } from "../support/durable/durable-world.ts";

interface Gated {
  readonly pipeline: Pipeline<string, { readonly work: string }>;
  /** Lets the run with this input end. */
  open(input: string): void;
  /** Resolves when the run with this input has begun. */
  begun(input: string): Promise<void>;
  readonly most: () => number;
}

function makeGated(settings: { maxActiveRuns?: number; onBusy?: "refuse" | "queue" }): Gated {
  const gates = new Map<string, { readonly begun: Gate; readonly end: Gate }>();
  const at = (name: string) => {
    const known = gates.get(name) ?? { begun: makeGate(), end: makeGate() };
    gates.set(name, known);
    return known;
  };
  let active = 0;
  let most = 0;
  const given = input<string>();
  const work = stage("work", { needs: { name: given } }, async ({ name }, ctx) => {
    active += 1;
    most = Math.max(most, active);
    at(name).begun.open();
    try {
      await Promise.race([
        at(name).end.opened,
        new Promise((_resolve, reject) => {
          ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason), { once: true });
        }),
      ]);
    } finally {
      active -= 1;
    }
    return name;
  });
  return {
    pipeline: pipeline("gated", { input: given, output: { work }, ...settings }),
    open: (name) => at(name).end.open(),
    begun: (name) => at(name).begun.opened,
    most: () => most,
  };
}

const GIVEN_UP = "cancelled its process was stopped while it waited for a place";

async function refusalOf(
  work: Promise<unknown>,
): Promise<{ code: string; text: string; next: string }> {
  try {
    await work;
  } catch (error) {
    assert.ok(isMillraceError(error), String(error));
    return { code: error.code, text: error.message, next: error.next ?? "" };
  }
  throw new Error("It was not refused.");
}

async function statesOf(mill: Millrace): Promise<readonly string[]> {
  const { runs } = await mill.runs();
  return runs
    .map(({ state, reason }) => (reason === undefined ? state : `${state} ${reason}`))
    .toReversed();
}

async function waitFor(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await systemClock.sleep(5);
}

describe.each(STORES)("a pipeline with one place (%s)", (kind) => {
  test("R193: refuses a second start and names the first, which nothing disturbs", async () => {
    const world = makeDurableWorld(kind);
    const gated = makeGated({ maxActiveRuns: 1 });
    const mill = await world.open([gated.pipeline]);
    const first = await mill.start(gated.pipeline, "a");
    await gated.begun("a");
    const refusal = await refusalOf(mill.start(gated.pipeline, "b"));
    assert.deepEqual(refusal, {
      code: "RUN_BUSY",
      text: `Run ${first.name} of pipeline "gated" is running, and at most one run of it may be running at once.`,
      next: `npx millrace why ${first.name}`,
    });
    assert.deepEqual(await statesOf(mill), ["running"]);
    gated.open("a");
    assert.equal((await first.result()).state, "succeeded");
    gated.open("b");
    assert.equal((await (await mill.start(gated.pipeline, "b")).result()).state, "succeeded");
  });

  test("R193: lets a second start wait, which `why` explains, and runs it after the first", async () => {
    const world = makeDurableWorld(kind);
    const gated = makeGated({ maxActiveRuns: 1, onBusy: "queue" });
    const mill = await world.open([gated.pipeline]);
    const first = await mill.start(gated.pipeline, "a");
    await gated.begun("a");
    const events: string[] = [];
    const waits: string[] = [];
    const second = mill.start(gated.pipeline, "b", {
      onEvent: (event) => events.push(`${event.runSeq} ${event.type}`),
      onWait: (waiting, holder) => waits.push(`${waiting.number} waits for ${holder.number}`),
    });
    await waitFor(async () => (await statesOf(mill)).length === 2);
    assert.deepEqual(await statesOf(mill), ["running", "waiting busy"]);
    const why = await mill.why("last");
    assert.deepEqual(
      why.blockers.map(({ kind: blocker, name, holders }) => [blocker, name, holders]),
      [["busy", "gated", [first.name]]],
    );
    assert.match(why.summary, /is waiting .*: run 1 of pipeline "gated" is running/u);
    assert.deepEqual([events, waits], [["1 run.created"], ["2 waits for 1"]]);

    gated.open("a");
    gated.open("b");
    const result = await (await second).result();
    assert.deepEqual([result.state, result.outputs], ["succeeded", { work: "b" }]);
    assert.equal(gated.most(), 1);
    assert.deepEqual(events.slice(0, 2), ["1 run.created", "2 run.started"]);
    assert.equal((await first.result()).state, "succeeded");
  });

  test("lets many starts wait, and each has its turn", async () => {
    const world = makeDurableWorld(kind);
    const gated = makeGated({ maxActiveRuns: 2, onBusy: "queue" });
    const mill = await world.open([gated.pipeline]);
    const inputs = ["a", "b", "c", "d", "e", "f"];
    for (const input of inputs) gated.open(input);
    const runs = await Promise.all(inputs.map((input) => mill.start(gated.pipeline, input)));
    const results = await Promise.all(runs.map((run) => run.result()));
    assert.deepEqual(new Set(results.map(({ state }) => state)), new Set(["succeeded"]));
    assert.ok(gated.most() <= 2);
  });

  test("R193: queues what is enqueued, works it one by one, and `why` says what a queued run waits for", async () => {
    const world = makeDurableWorld(kind);
    const gated = makeGated({ maxActiveRuns: 1 });
    const mill = await world.open([gated.pipeline]);
    const first = await mill.start(gated.pipeline, "a");
    await gated.begun("a");
    const entries = ["b", "c", "d"].map((input) => ({ input }));
    await mill.enqueue(gated.pipeline, entries);
    const work = mill.work({ drain: true });
    const why = await mill.why("last");
    assert.deepEqual(
      why.blockers.map(({ kind: blocker, holders }) => [blocker, holders]),
      [
        ["busy", [first.name]],
        ["position", undefined],
      ],
    );
    for (const input of ["a", "b", "c", "d"]) gated.open(input);
    assert.deepEqual((await work).counts, { succeeded: 3 });
    assert.equal(gated.most(), 1);
  });

  test("refuses a resume while another run has the place", async () => {
    const world = makeDurableWorld(kind);
    const gated = makeGated({ maxActiveRuns: 1 });
    const mill = await world.open([gated.pipeline]);
    const parked = await mill.start(gated.pipeline, "a");
    await gated.begun("a");
    await parked.interrupt(0);
    const second = await mill.start(gated.pipeline, "b");
    assert.equal((await refusalOf(mill.resume(parked.id, { here: true }))).code, "RUN_BUSY");
    assert.deepEqual(await statesOf(mill), ["waiting interrupted", "running"]);
    gated.open("b");
    await second.result();
    gated.open("a");
    const resumed: RunHandle = await mill.resume(parked.id, { here: true });
    assert.equal((await resumed.result()).state, "succeeded");
  });

  test("R211: takes 25 starts that are cancelled at once, and finds no place taken and no lease left", async () => {
    const world = makeDurableWorld(kind);
    const gated = makeGated({ maxActiveRuns: 1 });
    const mill = await world.open([gated.pipeline]);
    for (let cycle = 0; cycle < 25; cycle += 1) {
      const run = await mill.start(gated.pipeline, "a");
      await run.cancel();
    }
    const runs = await mill.store.listRuns({ limit: 50 });
    assert.equal(runs.length, 25);
    for (const run of runs) assert.deepEqual([run.state, run.lease], ["cancelled", null]);
  });
});

describe("a start that waits for a place", () => {
  test("is given up by its signal, and its run is cancelled", async () => {
    const world = makeDurableWorld();
    const gated = makeGated({ maxActiveRuns: 1, onBusy: "queue" });
    const mill = await world.open([gated.pipeline]);
    const first = await mill.start(gated.pipeline, "a");
    const stop = new AbortController();
    const second = mill.start(gated.pipeline, "b", {
      signal: stop.signal,
      onWait: () => stop.abort(),
    });
    assert.equal((await refusalOf(second)).code, "SHUTDOWN");
    assert.deepEqual(await statesOf(mill), ["running", GIVEN_UP]);
    gated.open("a");
    assert.equal((await first.result()).state, "succeeded");
  });

  test("is given up when its mill closes", async () => {
    const world = makeDurableWorld();
    const gated = makeGated({ maxActiveRuns: 1, onBusy: "queue" });
    const other = await world.open([gated.pipeline]);
    await other.start(gated.pipeline, "a");
    const mill = await world.open([gated.pipeline]);
    const waits = makeGate();
    const second = refusalOf(mill.start(gated.pipeline, "b", { onWait: () => waits.open() }));
    await waits.opened;
    await mill.close({ drainMs: 0 });
    assert.equal((await second).code, "SHUTDOWN");
    assert.deepEqual(await statesOf(other), ["running", GIVEN_UP]);
  });

  test("answers with its run when that is cancelled by another process", async () => {
    const world = makeDurableWorld();
    const gated = makeGated({ maxActiveRuns: 1, onBusy: "queue" });
    const other = await world.open([gated.pipeline]);
    await other.start(gated.pipeline, "a");
    const mill = await world.open([gated.pipeline]);
    const second = mill.start(gated.pipeline, "b", {
      onWait: (waiting) => void other.cancel(waiting.id),
    });
    const handle = await second;
    assert.deepEqual([handle.created, (await handle.result()).state], [false, "cancelled"]);
  });

  test("begins when a run of another process has ended", async () => {
    const world = makeDurableWorld();
    const gated = makeGated({ maxActiveRuns: 1, onBusy: "queue" });
    const other = await world.open([gated.pipeline]);
    await other.start(gated.pipeline, "a");
    const mill = await world.open([gated.pipeline]);
    gated.open("b");
    const second = mill.start(gated.pipeline, "b", { onWait: () => gated.open("a") });
    assert.equal((await (await second).result()).state, "succeeded");
    assert.equal(gated.most(), 1);
  });
});

test("a place that a dead process holds is free", async () => {
  const world = makeDurableWorld();
  const gated = makeGated({ maxActiveRuns: 1 });
  const mill = await world.open([gated.pipeline]);
  const doomed = await world.openDoomed([gated.pipeline]);
  await doomed.start(gated.pipeline, "a");
  gated.open("b");
  const second = await mill.start(gated.pipeline, "b");
  assert.equal((await second.result()).state, "succeeded");
  assert.deepEqual(await statesOf(mill), ["waiting interrupted", "succeeded"]);
});

test("the number of places is part of the definition, and one without any keeps its hash", () => {
  const hashOf = (settings: Parameters<typeof makeGated>[0]): string =>
    makeGated(settings).pipeline.definition.hash;
  assert.notEqual(hashOf({ maxActiveRuns: 1 }), hashOf({ maxActiveRuns: 2 }));
  assert.notEqual(hashOf({ maxActiveRuns: 1 }), hashOf({}));
  assert.equal(hashOf({ onBusy: "queue" }), hashOf({}));
  assert.deepEqual(makeGated({ maxActiveRuns: 3 }).pipeline.definition.maxActiveRuns, 3);
});
