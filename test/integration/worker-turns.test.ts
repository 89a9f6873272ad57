// Turns of the event loop that a worker books: whoever hears that the work has ended, or that the mill is closed,
// finds none of them left, whatever else the machine was slow with.

import { describe, expect, test } from "vitest";
import { input, pipeline, stage } from "../../src/exports/index.ts";
import { systemClock, type Clock } from "../../src/std/clock.ts";
import type { WorkOptions } from "../../src/service/worker/worker.ts";
import { makeDurableWorld, STORES } from "../support/durable/durable-world.ts";

interface CountingClock extends Clock {
  /** Deferred callbacks that have not run yet. */
  readonly booked: () => number;
}

function makeCountingClock(): CountingClock {
  let booked = 0;
  return {
    ...systemClock,
    booked: () => booked,
    defer: (callback) => {
      booked += 1;
      systemClock.defer(() => {
        booked -= 1;
        callback();
      });
    },
  };
}

const given = input<number>();
const act = stage("act", { needs: { given } }, ({ given: value }) => value);
const acting = pipeline("acting", { input: given, output: { act } });

const WAYS: readonly WorkOptions[] = [{ maxRuns: 1 }, { maxRuns: 3 }, { drain: true }];

describe.each(STORES)("a worker on %s", (kind) => {
  test.each(WAYS)("told %o, has no turn booked once its work is done", async (options) => {
    const clock = makeCountingClock();
    const mill = await makeDurableWorld(kind).open([acting], { clock });
    await mill.enqueue(acting, [{ input: 1 }, { input: 2 }, { input: 3 }]);
    await mill.work(options);
    expect(clock.booked()).toBe(0);
    await mill.close();
    expect(clock.booked()).toBe(0);
  });

  test("that is closed as its last run ends has no turn booked once the mill is closed", async () => {
    const clock = makeCountingClock();
    const mill = await makeDurableWorld(kind).open([acting], { clock });
    await mill.enqueue(acting, [{ input: 1 }]);
    let left: Promise<number> | undefined;
    await mill.work({
      maxRuns: 1,
      onRun: (run) => {
        left = run
          .result()
          .then(() => mill.close())
          .then(() => clock.booked());
      },
    });
    expect(await left).toBe(0);
  });
});
