// The same random pipelines as in `random-ends`, run durably: every ending is committed before anything follows from
// it, and still the run ends, with everything in it ended, whatever ends it and when.

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  definePipeline,
  openMillrace,
  type Millrace,
  type Pipeline,
  type RunResult,
} from "millrace";
import { makeMemoryWorld, type MemoryWorld } from "../support/memory-world.ts";
import {
  cases,
  checkCalls,
  checkEnded,
  makeParts,
  Watch,
  type RandomCase,
} from "../support/random-work.ts";

/** Lets time pass, half a second at a time, until the promise is settled; a mill always has timers of its own. */
async function until<T>(world: MemoryWorld, promise: Promise<T>, stepMs: number): Promise<T> {
  let settled = false;
  const note = (): void => void (settled = true);
  promise.then(note, note);
  for (let step = 0; step < 400 && !settled; step += 1) await world.clock.advance(stepMs);
  if (!settled) throw new Error("It did not settle in 400 steps.");
  return await promise;
}

async function runDurably(
  random: RandomCase,
  hands: { readonly mill: Millrace; readonly world: MemoryWorld; readonly made: Pipeline },
): Promise<RunResult> {
  const { mill, world, made } = hands;
  const { by, atMs } = random.ending;
  const starting = mill.start(made, undefined, {
    concurrency: random.concurrency,
    failFast: random.failFast,
    ...(by === "deadline" ? { deadline: atMs + 1 } : {}),
  });
  const run = await until(world, starting, 0);
  const result = run.result();
  await world.clock.advance(by === "cancel" ? atMs : 100_000);
  // One that ended by itself takes no notice.
  await until(world, run.cancel("enough"), 500);
  return await result;
}

async function play(random: RandomCase): Promise<void> {
  const world = makeMemoryWorld();
  const watch = new Watch();
  const made = definePipeline({ name: "random", stages: makeParts(random, { watch, world }) });
  const opening = openMillrace({ store: "memory:", pipelines: [made], clock: world.clock });
  const mill = await until(world, opening, 0);
  try {
    const result = await runDurably(random, { mill, world, made });
    checkEnded(result);
    checkCalls(watch, random);
    const stored = await mill.run(result.id);
    expect(stored.state).toBe(result.state);
  } finally {
    await until(world, mill.close({ drainMs: 0 }), 100);
  }
}

test("300 random durable runs end with everything in them ended", async () => {
  await fc.assert(fc.asyncProperty(cases, play), { numRuns: 300, seed: 8 });
});
