import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import type { CliSignal } from "../cli-context.ts";
import type { Stopping } from "../render/forms/progress-form.ts";
import { Interruption, type InterruptedRun } from "./interruption.ts";

interface World {
  readonly interruption: Interruption;
  readonly target: InterruptedRun;
  readonly drains: (number | undefined)[];
  readonly told: Stopping[];
  readonly stdout: PassThrough;
  readonly listeners: () => number;
  readonly signal: (signal: CliSignal) => void;
}

function setup(): World {
  const listeners = new Map<CliSignal, Set<() => void>>();
  const stdout = new PassThrough();
  const drains: (number | undefined)[] = [];
  const told: Stopping[] = [];
  const interruption = new Interruption({
    clock: makeVirtualClock({ startAtMs: 1_000 }),
    stdout,
    stderr: new PassThrough(),
    onSignal(signal, listener) {
      const set = listeners.get(signal) ?? new Set();
      listeners.set(signal, set.add(listener));
      return () => set.delete(listener);
    },
  });
  const target: InterruptedRun = {
    run: {
      interrupt: (drainMs) => {
        drains.push(drainMs);
        return Promise.reject(new Error("told by the result"));
      },
    },
    resume: "npx millrace resume 1",
    onStopping: (stopping) => told.push(stopping),
    onDying: () => undefined,
  };
  return {
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
