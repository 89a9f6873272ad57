import fc from "fast-check";
import { expect, test } from "vitest";
import { makeVirtualClock } from "./virtual-clock.ts";

test("time stands still until it is told to advance", async () => {
  const clock = makeVirtualClock({ startAtMs: 1_000_000 });
  expect([clock.wallMs(), clock.monotonicMs()]).toEqual([1_000_000, 0]);
  await clock.advance(1.5);
  expect([clock.wallMs(), clock.monotonicMs()]).toEqual([1_000_001, 1.5]);
});

test("timers fire in time order, ties in the order they were set, whatever was set or cancelled", async () => {
  const plans = fc.array(fc.record({ delayMs: fc.nat(20), isCancelled: fc.boolean() }));
  await fc.assert(
    fc.asyncProperty(plans, async (planned) => {
      const clock = makeVirtualClock();
      const fired: number[] = [];
      const timers = planned.map(({ delayMs }, index) =>
        clock.setTimer(delayMs, () => fired.push(index)),
      );
      planned.forEach(({ isCancelled }, index) => {
        if (isCancelled) timers[index]?.cancel();
      });
      const expected = planned
        .map((plan, index) => ({ ...plan, index }))
        .filter(({ isCancelled }) => !isCancelled)
        .toSorted((left, right) => left.delayMs - right.delayMs || left.index - right.index)
        .map(({ index }) => index);

      expect(clock.pendingTimers).toBe(expected.length);
      await clock.advance(20);
      expect(fired).toEqual(expected);
      expect(clock.pendingTimers).toBe(0);
    }),
  );
});

test("each timer sees its own time, and what it set off ends before the next one fires", async () => {
  const clock = makeVirtualClock();
  const heard: string[] = [];
  clock.setTimer(10, () => {
    heard.push(`first at ${clock.monotonicMs()}`);
    void Promise.resolve()
      .then(() => new Promise<void>((resolve) => clock.defer(resolve)))
      .then(() => heard.push(`its chain at ${clock.monotonicMs()}`));
  });
  clock.setTimer(11, () => heard.push(`second at ${clock.monotonicMs()}`));

  await clock.advance(100);
  expect(heard).toEqual(["first at 10", "its chain at 10", "second at 11"]);
  expect(clock.monotonicMs()).toBe(100);
});

test("a timer set while time advances fires in the same advance when it falls due", async () => {
  const clock = makeVirtualClock();
  const beats: number[] = [];
  const beat = (): void => {
    beats.push(clock.monotonicMs());
    clock.setTimer(30, beat);
  };
  clock.setTimer(30, beat);

  await clock.advance(100);
  expect(beats).toEqual([30, 60, 90]);
  expect(clock.nextTimerMs).toBe(20);
});

test("a loop of sleeps runs as far as the time given", async () => {
  const clock = makeVirtualClock();
  let rounds = 0;
  const controller = new AbortController();
  const loop = (async () => {
    for (;;) {
      await clock.sleep(1000, controller.signal);
      rounds += 1;
    }
  })();

  await clock.advance(5500);
  expect(rounds).toBe(5);
  controller.abort(new Error("stop"));
  await expect(loop).rejects.toThrow("stop");
  expect(clock.pendingTimers).toBe(0);
});

test("what is under way when an advance begins may still set timers in it", async () => {
  const clock = makeVirtualClock();
  const heard: number[] = [];
  clock.defer(() => clock.setTimer(5, () => heard.push(clock.monotonicMs())));
  await clock.advance(10);
  expect(heard).toEqual([5]);
});

test("a timer that is late from the start fires now, and time does not go back", async () => {
  const clock = makeVirtualClock();
  await clock.advance(10);
  const heard: number[] = [];
  clock.setTimer(-5, () => heard.push(clock.monotonicMs()));
  await clock.advance(0);
  expect(heard).toEqual([10]);
});

test("deferred callbacks need no advance", async () => {
  const clock = makeVirtualClock();
  await new Promise<void>((resolve) => clock.defer(resolve));
  expect(clock.monotonicMs()).toBe(0);
});

test("the next timer is known, and a cancelled one does not count", () => {
  const clock = makeVirtualClock();
  expect(clock.nextTimerMs).toBeUndefined();
  const early = clock.setTimer(5, () => undefined);
  clock.setTimer(-3, () => undefined).cancel();
  clock.setTimer(9, () => undefined);
  expect([clock.nextTimerMs, clock.pendingTimers]).toEqual([5, 2]);
  early.cancel();
  early.cancel();
  expect([clock.nextTimerMs, clock.pendingTimers]).toEqual([9, 1]);
});

test("a callback that throws ends the advance with its error, and the clock still works", async () => {
  const clock = makeVirtualClock();
  clock.setTimer(10, () => {
    throw new Error("boom");
  });
  await expect(clock.advance(50)).rejects.toThrow("boom");
  expect(clock.monotonicMs()).toBe(10);
  await clock.advance(5);
  expect(clock.monotonicMs()).toBe(15);
});

test("advances asked for together follow each other", async () => {
  const clock = makeVirtualClock();
  const heard: number[] = [];
  clock.setTimer(15, () => heard.push(clock.monotonicMs()));
  await Promise.all([clock.advance(10), clock.advance(10)]);
  expect(heard).toEqual([15]);
  expect(clock.monotonicMs()).toBe(20);
});
