import { getEventListeners } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { InvariantError } from "./error/assert.ts";
import { systemClock } from "./clock.ts";

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "hrtime", "Date"] });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("a timer fires once, not before its delay has passed", () => {
  const fired = vi.fn();
  systemClock.setTimer(250, fired);

  vi.advanceTimersByTime(249);
  expect(fired).not.toHaveBeenCalled();

  vi.advanceTimersByTime(1);
  expect(fired).toHaveBeenCalledTimes(1);

  vi.advanceTimersByTime(DAY_MS);
  expect(fired).toHaveBeenCalledTimes(1);
});

test("a timer of 40 days, which Node would fire at once, keeps its time", () => {
  const fired = vi.fn();
  systemClock.setTimer(40 * DAY_MS, fired);

  vi.advanceTimersByTime(40 * DAY_MS - 1);
  expect(fired).not.toHaveBeenCalled();

  vi.advanceTimersByTime(1);
  expect(fired).toHaveBeenCalledTimes(1);
});

test("no wait handed to Node is longer than 30 s", () => {
  const armed = vi.spyOn(globalThis, "setTimeout");
  const timer = systemClock.setTimer(Infinity, () => undefined);
  vi.advanceTimersByTime(95_000);
  timer.cancel();

  expect(armed.mock.calls.map((call) => call[1])).toEqual([30_000, 30_000, 30_000, 30_000]);
});

test("a timer that Node fires early waits for the rest", () => {
  const now = vi.spyOn(process, "hrtime").mockReturnValue([0, 0]);
  const fired = vi.fn();
  systemClock.setTimer(10, fired);

  now.mockReturnValue([0, 9_400_000]);
  vi.advanceTimersByTime(10);
  expect(fired).not.toHaveBeenCalled();

  now.mockReturnValue([0, 10_000_000]);
  vi.advanceTimersByTime(1);
  expect(fired).toHaveBeenCalledTimes(1);
});

test("a delay of zero or less fires soon, but never inside the call", () => {
  const fired = vi.fn();
  systemClock.setTimer(-5, fired);
  expect(fired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(fired).toHaveBeenCalledTimes(1);
});

test("a cancelled timer never fires, in whichever piece it was cancelled", () => {
  const fired = vi.fn();
  const timer = systemClock.setTimer(70_000, fired);
  vi.advanceTimersByTime(65_000);
  timer.cancel();
  timer.cancel();
  vi.advanceTimersByTime(DAY_MS);
  expect(fired).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test("a delay that is no number is refused", () => {
  expect(() => systemClock.setTimer(NaN, () => undefined)).toThrow(InvariantError);
});

test("only a timer without unref keeps the process alive", () => {
  vi.useRealTimers();
  const countTimers = (): number =>
    process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = countTimers();

  const loose = systemClock.setTimer(60_000, () => undefined, { unref: true });
  const looseCount = countTimers();
  const firm = systemClock.setTimer(60_000, () => undefined);
  const firmCount = countTimers();
  loose.cancel();
  firm.cancel();

  expect([looseCount, firmCount]).toEqual([before, before + 1]);
});

test("a sleep resolves after its time and leaves no listener", async () => {
  const { signal } = new AbortController();
  const slept = systemClock.sleep(1000, signal);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  vi.advanceTimersByTime(1000);
  await expect(slept).resolves.toBeUndefined();
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("an aborted sleep rejects with the reason and leaves neither timer nor listener", async () => {
  const controller = new AbortController();
  const slept = systemClock.sleep(1000, controller.signal);
  controller.abort("enough");
  await expect(slept).rejects.toBe("enough");
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("a sleep under a signal that is already aborted rejects at once", async () => {
  const reason = new Error("too late");
  await expect(systemClock.sleep(1000, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(vi.getTimerCount()).toBe(0);
});

test("deferred callbacks come in order, after every promise chain of this turn", async () => {
  const heard: string[] = [];
  await new Promise<void>((resolve) => {
    systemClock.defer(() => heard.push("first"));
    systemClock.defer(() => {
      heard.push("second");
      resolve();
    });
    void Promise.resolve()
      .then(() => undefined)
      .then(() => heard.push("promise"));
  });
  expect(heard).toEqual(["promise", "first", "second"]);
});

test("wall time is whole milliseconds, and monotonic time goes on", () => {
  vi.setSystemTime(1_700_000_000_123);
  expect(systemClock.wallMs()).toBe(1_700_000_000_123);
  const before = systemClock.monotonicMs();
  vi.advanceTimersByTime(5);
  expect(systemClock.monotonicMs() - before).toBe(5);
});
