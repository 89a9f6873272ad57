// The clock of the machine jumps by a day while a queue is worked: leases and due times are the store's, whose clock
// follows the boot of the machine and not what people or time servers set.

import { expect, test } from "vitest";
import { input, pipeline, stage } from "../../src/exports/index.ts";
import type { Machine } from "../../src/std/machine.ts";
import { makeVirtualClock, type VirtualClock } from "../../src/std/virtual-clock.ts";
import { checkCounts, checkNoLease, readTypes } from "../support/queue-world.ts";
import { makeDeadMachine, makeDurableWorld, makeGate } from "../support/durable/durable-world.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A machine whose wall clock is set by hand, while its monotonic clock goes on. */
function makeMachineTime() {
  const clock = makeVirtualClock();
  let setByMs = 0;
  const jumping: VirtualClock = Object.create(clock, {
    wallMs: { value: () => clock.wallMs() + setByMs },
    monotonicMs: { value: () => clock.monotonicMs() },
    setTimer: { value: clock.setTimer.bind(clock) },
    sleep: { value: clock.sleep.bind(clock) },
    defer: { value: clock.defer.bind(clock) },
  });
  return { clock, jumping, jump: (byMs: number) => void (setByMs += byMs) };
}

/** One boot for all of them, and nobody can tell whether another process lives: leases alone decide. */
function makeMachine(clock: VirtualClock, pid: number): Machine {
  const { host, environment } = makeDeadMachine();
  const sharedMonotonicMs = (): number => 1_000 + clock.monotonicMs();
  const isGone = (): undefined => undefined;
  return { host, environment, pid, bootId: "boot", processStart: "1", sharedMonotonicMs, isGone };
}

test("R210: a wall clock that jumps a day forward and back robs no lease, and delays nothing and hurries nothing", async () => {
  const { clock, jumping, jump } = makeMachineTime();
  const begun = makeGate();
  const starts: (readonly [string, number])[] = [];
  const given = input<string>();
  const doing = stage("doing", { needs: { given } }, async ({ given: name }) => {
    starts.push([name, clock.monotonicMs()]);
    begun.open();
    if (name === "long") await clock.sleep(2 * MINUTE_MS);
  });
  const line = pipeline("line", { input: given, stages: [doing] });
  const world = makeDurableWorld("sqlite");
  const open = (pid: number) =>
    world.open([line], { clock: jumping, machine: makeMachine(clock, pid) });
  const mills = [await open(1), await open(2)];
  const [mill] = mills;
  if (mill === undefined) throw new Error("There is no mill.");
  await mill.enqueue(line, [
    { key: "long", input: "long" },
    { key: "soon", input: "soon", delay: "1m" },
    { key: "later", input: "later", delay: "4m" },
  ]);
  const control = new AbortController();
  const working = mills.map((each) => each.work({ signal: control.signal }));
  await clock.advance(1_000);
  await begun.opened;

  for (const byMs of [DAY_MS, -DAY_MS, -DAY_MS, 2 * DAY_MS]) {
    jump(byMs);
    await clock.advance(1.2 * MINUTE_MS);
  }
  control.abort();
  await clock.advance(1_000);
  await Promise.all(working);

  expect(starts.map(([name]) => name)).toEqual(["long", "soon", "later"]);
  for (const [index, dueMs] of [0, MINUTE_MS, 4 * MINUTE_MS].entries()) {
    const atMs = starts[index]?.[1] ?? 0;
    expect(atMs).toBeGreaterThanOrEqual(dueMs);
    expect(atMs).toBeLessThanOrEqual(dueMs + 2_000);
  }
  for (const { id } of (await mill.runs({})).runs) {
    expect(await mill.run(id)).toMatchObject({ epoch: 1, crashes: 0 });
    expect(await readTypes(mill, id)).not.toContain("run.reclaimed");
  }
  expect(await checkCounts(mill, "line")).toEqual({ succeeded: 3 });
  await checkNoLease(mill);
});
