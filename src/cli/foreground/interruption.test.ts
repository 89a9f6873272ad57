import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import type { CliSignal } from "../cli-context.ts";
import type { Stopping } from "../render/forms/progress-form.ts";
import { Interruption, type InterruptedRun } from "./interruption.ts";

interface World {
  readonly clock: VirtualClock;
  readonly deaths: readonly string[];
  readonly interruption: Interruption;
  readonly target: InterruptedRun;
  readonly drains: (number | undefined)[];
  readonly told: Stopping[];
  readonly stdout: PassThrough;
  readonly listeners: () => number;
  readonly signal: (signal: CliSignal) => void;
}

function setup(abandon = (): Promise<void> => Promise.resolve()): World {
  const listeners = new Map<CliSignal, Set<() => void>>();
  const stdout = new PassThrough();
  const drains: (number | undefined)[] = [];
  const told: Stopping[] = [];
  const clock = makeVirtualClock({ startAtMs: 1_000 });
  const deaths: string[] = [];
  const world: ConstructorParameters<typeof Interruption>[0] = {
    clock,
    stdout,
    stderr: new PassThrough(),
    onSignal(signal, listener) {
      const set = listeners.get(signal) ?? new Set();
      listeners.set(signal, set.add(listener));
      return () => set.delete(listener);
    },
  };
  const interruption = new Interruption(world, { die: (signal) => void deaths.push(signal) });
  const target: InterruptedRun = {
    run: {
      interrupt: (drainMs) => {
        drains.push(drainMs);
        return Promise.reject(new Error("told by the result"));
      },
    },
    resume: "npx millrace resume 1",
    onStopping: (stopping) => told.push(stopping),
    onDying: () => void deaths.push("dying"),
    abandon: () => {
      deaths.push("abandon");
      return abandon();
    },
  };
  return {
    clock,
    deaths,
    interruption,
    target,
    drains,
    told,
    stdout,
    listeners: () => [...listeners.values()].reduce((sum, set) => sum + set.size, 0),
    signal: (signal) => listeners.get(signal)?.forEach((listener) => listener()),
  };
}

test("the first signal gives running work 20 s, the second none", () => {
  const { interruption, target, drains, told, signal } = setup();
  interruption.attach(target);
  expect(interruption.exitCode).toBeUndefined();
  signal("SIGTERM");
  signal("SIGINT");
  expect(drains).toEqual([20_000, 0]);
  expect(told.map(({ abortAtMs }) => abortAtMs)).toEqual([21_000, 1_000]);
  expect(interruption.exitCode).toBe(143);
});

test("a signal before the run is there is kept for it", () => {
  const { interruption, target, drains, signal } = setup();
  signal("SIGINT");
  expect(drains).toEqual([]);
  interruption.attach(target);
  expect(drains).toEqual([20_000]);
  expect(interruption.exitCode).toBe(130);
});

test("a closed stdout drains once, and another fault of it does not", () => {
  const { interruption, target, drains, told, stdout } = setup();
  interruption.attach(target);
  stdout.emit("error", Object.assign(new Error("no space"), { code: "ENOSPC" }));
  expect(drains).toEqual([]);
  for (let time = 0; time < 2; time++) {
    stdout.emit("error", Object.assign(new Error("closed"), { code: "EPIPE" }));
  }
  expect(drains).toEqual([20_000]);
  expect(told[0]?.cause).toBe("stdout closed");
  expect(interruption.exitCode).toBe(130);
});

test("closed, it listens to nothing", () => {
  const { interruption, listeners, stdout } = setup();
  expect(listeners()).toBe(2);
  interruption.close();
  interruption.close();
  expect(listeners()).toBe(0);
  expect(stdout.listenerCount("error")).toBe(0);
});

test("a signal before the run is there ends what lasts, and is answered again by the run", () => {
  const { interruption, target, drains, signal } = setup();
  let given = 0;
  interruption.beforeRun(() => {
    given += 1;
  });
  expect(given).toBe(0);
  signal("SIGINT");
  expect([given, drains, interruption.exitCode]).toEqual([1, [], 130]);
  interruption.attach(target);
  expect([given, drains]).toEqual([1, [20_000]]);

  const late = setup();
  late.signal("SIGTERM");
  late.interruption.beforeRun(() => {
    given += 1;
  });
  expect([given, late.interruption.exitCode]).toEqual([2, 143]);
});

test("R103: what hangs is left to die 28 s after the first signal", async () => {
  const { interruption, target, clock, deaths, drains, listeners, signal } = setup();
  interruption.attach(target);
  signal("SIGTERM");
  await clock.advance(27_999);
  expect([drains, deaths]).toEqual([[20_000], []]);
  await clock.advance(1);
  expect(deaths).toEqual(["dying", "abandon", "SIGTERM"]);
  expect(listeners()).toBe(0);
});

test("R103: what hangs is left to die 8 s after the second signal, however long ago the first was", async () => {
  const { interruption, target, clock, deaths, drains, signal } = setup();
  interruption.attach(target);
  signal("SIGINT");
  await clock.advance(1_000);
  signal("SIGINT");
  await clock.advance(7_999);
  expect([drains, deaths]).toEqual([[20_000, 0], []]);
  await clock.advance(1);
  expect(deaths).toEqual(["dying", "abandon", "SIGINT"]);
});

test("closed in time, nothing dies, and a third signal does not wait", async () => {
  const { interruption, target, clock, deaths, signal } = setup();
  interruption.attach(target);
  signal("SIGINT");
  interruption.close();
  await clock.advance(60_000);
  expect([deaths, clock.pendingTimers]).toEqual([[], 0]);

  const hasty = setup();
  hasty.interruption.attach(hasty.target);
  for (let times = 0; times < 3; times += 1) hasty.signal("SIGINT");
  await hasty.clock.advance(0);
  expect(hasty.deaths).toEqual(["dying", "abandon", "SIGINT"]);
  expect(hasty.clock.pendingTimers).toBe(0);
});

test("R103: what cannot be given back in a second is left to be found, and a signal meanwhile is not heard", async () => {
  const makeAbandoned = [
    () => new Promise<void>(() => {}),
    () => Promise.reject<void>(new Error("no store")),
  ];
  for (const abandon of makeAbandoned) {
    const { interruption, target, clock, deaths, listeners, signal } = setup(abandon);
    interruption.attach(target);
    for (let times = 0; times < 3; times += 1) signal("SIGTERM");
    expect(listeners()).toBe(0);
    await clock.advance(1_000);
    expect(deaths).toEqual(["dying", "abandon", "SIGTERM"]);
    expect(clock.pendingTimers).toBe(0);
  }
});
