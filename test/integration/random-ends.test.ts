// Random pipelines of every kind of stage, ended in random ways at random moments: by themselves, by a cancel, by
// a deadline, by failFast. Whatever happens, the run ends, everything in it has ended, and nothing is left.

import fc from "fast-check";
import { expect, test } from "vitest";
import { definePipeline, type MillraceEvent, type RunResult } from "millrace";
import { makeMemoryWorld, passTime, type MemoryWorld } from "../support/memory-world.ts";
import {
  cases,
  checkCalls,
  checkEnded,
  END_STATES,
  hasEndless,
  makeParts,
  Watch,
  type RandomCase,
} from "../support/random-work.ts";

function checkEvents(events: readonly MillraceEvent[], result: RunResult): void {
  const isEnd = ({ type }: MillraceEvent): boolean =>
    END_STATES.some((word) => type.endsWith(`.${word}`));
  const ends = events.filter(isEnd);
  const named = ends.map(({ type, stage, item }) => [type.split(".")[0], stage, item].join(" "));
  expect(new Set(named).size).toBe(named.length);
  for (const name of Object.keys(result.stages)) expect(named).toContain(`stage ${name} `);
  expect(events.at(-1)?.type).toBe(`run.${result.state}`);
  expect(events.filter(({ type }) => type.startsWith("run."))).toHaveLength(2);
}

async function play(random: RandomCase): Promise<void> {
  const world = makeMemoryWorld();
  const watch = new Watch();
  const made = definePipeline({ name: "random", stages: makeParts(random, { watch, world }) });
  const { by, atMs } = random.ending;
  const controller = new AbortController();
  const running = made.run(undefined, {
    ...world.options,
    signal: controller.signal,
    concurrency: random.concurrency,
    failFast: random.failFast,
    ...(by === "deadline" ? { deadline: atMs + 1 } : {}),
  });
  if (by === "cancel") {
    await world.clock.advance(atMs);
    controller.abort();
  }
  const result = await endFor(world, running, { controller, never: hasEndless(random) });

  checkEnded(result);
  checkEvents(world.events, result);
  checkCalls(watch, random);
  const told = world.events.length;
  await world.clock.advance(40 * 86_400_000);
  expect(world.events).toHaveLength(told);
  expect(world.clock.pendingTimers).toBe(0);
}

/** A run with something that never ends by itself is cancelled after a while. */
async function endFor(
  world: MemoryWorld,
  running: Promise<RunResult>,
  more: { readonly controller: AbortController; readonly never: boolean },
): Promise<RunResult> {
  if (more.never || world.clock.nextTimerMs === undefined) {
    await world.clock.advance(100_000);
    more.controller.abort();
  }
  return await passTime(world.clock, running);
}

test("800 random runs end with everything in them ended once, and leave nothing behind", async () => {
  await fc.assert(fc.asyncProperty(cases, play), { numRuns: 800, seed: 7 });
});
