// Who is called again, after which wait, and what is told at the end.

// oxlint-disable unicorn/no-thenable -- `then` is the verb of a retry rule

import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { isMillraceError, PermanentError, ThrottledError } from "../../model/errors.ts";
import type { Clock } from "../../std/clock.ts";
import { makeSeededRandom } from "../../std/random.ts";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import { backoff } from "./backoff.ts";
import { classify } from "./classify.ts";
import { retry, RetryError, type RetryCallOptions } from "./retry.ts";
import type { RetryCall } from "./retry-call.ts";

const EXACT = { attempts: 4, initialDelay: 100, maxDelay: 300, jitter: "none" } as const;

/** An error of a server, with headers where it has some. */
function answer(status: number, headers: Readonly<Record<string, string>> = {}): Error {
  return Object.assign(new Error(`answered ${status}`), { status, headers });
}

/** Calls that fail in turn with these errors, and then succeed; when each began. */
function failing(clock: VirtualClock, errors: readonly unknown[]) {
  const startsMs: number[] = [];
  const work = (): string => {
    const error = errors[startsMs.length];
    startsMs.push(clock.monotonicMs());
    if (error !== undefined) throw error;
    return "done";
  };
  return { startsMs, work };
}

function world(): { clock: VirtualClock; options: RetryCallOptions } {
  const clock = makeVirtualClock();
  return { clock, options: { clock, random: makeSeededRandom(1) } };
}

/** What a promise rejects with. */
function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.fail("it succeeded"),
    (error: unknown) => error,
  );
}

async function settled<T>(clock: VirtualClock, promise: Promise<T>, ms: number): Promise<T> {
  promise.catch(() => undefined);
  await clock.advance(ms);
  return await promise;
}

test("waits double up to maxDelay, and the result of the first success is the answer", async () => {
  const { clock, options } = world();
  const { startsMs, work } = failing(clock, [answer(503), answer(503), answer(503)]);
  expect(await settled(clock, retry(work, EXACT, options), 10_000)).toBe("done");
  expect(startsMs).toEqual([0, 100, 300, 600]);
  expect(clock.pendingTimers).toBe(0);
});

test("a Retry-After is waited for, however short maxDelay is, and costs no attempt where it says slow down", async () => {
  const { clock, options } = world();
  const errors = [answer(429, { "retry-after": "2" }), answer(429, { "Retry-After": "2" })];
  const { startsMs, work } = failing(clock, errors);
  const policy = { ...EXACT, attempts: 1 };
  expect(await settled(clock, retry(work, policy, options), 10_000)).toBe("done");
  const [, second = 0, third = 0] = startsMs;
  expect(second).toBeGreaterThanOrEqual(2_000);
  expect(third - second).toBeGreaterThanOrEqual(2_000);
  expect(third).toBeLessThan(5_000);
});

test("an abort ends a wait at once, with the signal's own reason and no timer left", async () => {
  const { clock, options } = world();
  const { startsMs, work } = failing(clock, [answer(503), answer(503)]);
  const controller = new AbortController();
  const promise = retry(work, EXACT, { ...options, signal: controller.signal });
  promise.catch(() => undefined);
  await clock.advance(50);
  const reason = new Error("enough");
  controller.abort(reason);
  expect(await rejection(promise)).toBe(reason);
  expect(startsMs).toEqual([0]);
  expect(clock.pendingTimers).toBe(0);
});

test("a signal that is aborted already calls nothing, and one that aborts a call ends the retry", async () => {
  const { clock, options } = world();
  const { startsMs, work } = failing(clock, []);
  const reason = new Error("before");
  const signal = AbortSignal.abort(reason);
  expect(await rejection(retry(work, EXACT, { ...options, signal }))).toBe(reason);
  expect(startsMs).toEqual([]);

  const controller = new AbortController();
  let calls = 0;
  const stopping = retry(
    (call) => {
      calls += 1;
      return new Promise((_resolve, reject) => {
        call.signal.addEventListener("abort", () => reject(new Error("stopped")));
      });
    },
    EXACT,
    { ...options, signal: controller.signal },
  );
  controller.abort(reason);
  expect(await rejection(stopping)).toBe(reason);
  expect(calls).toBe(1);
});

test("R84: when attempts are used up, the error keeps their number, the first and the last error", async () => {
  const { clock, options } = world();
  const errors = [answer(500), answer(502), answer(503), answer(504)];
  const { startsMs, work } = failing(clock, errors);
  const error = await rejection(settled(clock, retry(work, EXACT, options), 10_000));
  assert(error instanceof RetryError);
  expect(startsMs.length).toBe(4);
  expect([error.attempts, error.because]).toEqual([4, "attempts"]);
  expect(error.first).toBe(errors[0]);
  expect(error.last).toBe(errors[3]);
  expect(error.cause).toBe(errors[3]);
  expect(error.message).toBe(
    "Failed after 4 attempts (attempts): answered 504; the first failure was: answered 500",
  );
  expect(classify(error)).toMatchObject({ class: "timeout", code: "HTTP 504" });
});

test("one call that fails for good rejects with its own error", async () => {
  const { clock, options } = world();
  for (const error of [new PermanentError("no"), answer(404), "text"]) {
    const { startsMs, work } = failing(clock, [error]);
    const policy = { ...EXACT, retryOn: "conservative" } as const;
    expect(await rejection(retry(work, policy, options))).toBe(error);
    expect(startsMs.length).toBe(1);
  }
});

test("rules decide as in a stage; those that would skip or end a run end the retry", async () => {
  const { clock, options } = world();
  const policy = {
    ...EXACT,
    rules: [
      { match: { message: "gone" }, then: "skip" },
      { match: { message: "later" }, then: { retryAfter: "1m" } },
    ],
  } as const;
  const gone = new Error("gone");
  const { startsMs, work } = failing(clock, [new Error("later"), gone]);
  const error = await rejection(settled(clock, retry(work, policy, options), 100_000));
  assert(error instanceof RetryError);
  expect([error.because, error.last, error.attempts]).toEqual(["rule", gone, 2]);
  expect(startsMs).toEqual([0, 60_000]);
});

test("a call over its timeout is aborted with class timeout, and the next one begins when it has stopped", async () => {
  const { clock, options } = world();
  const log: string[] = [];
  const work = async ({ attempt, signal }: RetryCall): Promise<string> => {
    log.push(`${attempt} starts at ${clock.monotonicMs()}`);
    if (attempt === 2) return "done";
    await new Promise((resolve) => {
      signal.addEventListener("abort", () => clock.setTimer(40, () => resolve(null)));
    });
    log.push(`${attempt} stops at ${clock.monotonicMs()}`);
    return "too late to count";
  };
  const notices: unknown[] = [];
  const promise = retry(work, EXACT, {
    ...options,
    timeout: "200ms",
    onRetry: ({ attempt, class: errorClass, delayMs }) =>
      notices.push([attempt, errorClass, delayMs]),
  });
  expect(await settled(clock, promise, 1_000)).toBe("done");
  expect(log).toEqual(["1 starts at 0", "1 stops at 240", "2 starts at 340"]);
  expect(notices).toEqual([[1, "timeout", 100]]);
  expect(clock.pendingTimers).toBe(0);
});

test("a call that does not stop is not repeated beside itself", async () => {
  const { clock, options } = world();
  let calls = 0;
  const stuck = (): Promise<never> => {
    calls += 1;
    return new Promise(() => undefined);
  };
  const promise = retry(stuck, EXACT, { ...options, timeout: 100 });
  const error = await rejection(settled(clock, promise, 10_000));
  expect(calls).toBe(1);
  expect(classify(error).class).toBe("timeout");
  expect(String(error)).toContain("Attempt 1 took longer than its timeout of 100ms.");
});

test("an abort ends the wait for a call that does not stop", async () => {
  const { clock, options } = world();
  const controller = new AbortController();
  const { signal } = controller;
  const stuck = (): Promise<never> => new Promise(() => undefined);
  const promise = retry(stuck, EXACT, { ...options, timeout: 100, signal });
  promise.catch(() => undefined);
  await clock.advance(200);
  const reason = new Error("enough");
  controller.abort(reason);
  expect(await rejection(promise)).toBe(reason);
  expect(clock.pendingTimers).toBe(0);
});

test("the last call is not waited for: its timeout is the answer", async () => {
  const { clock, options } = world();
  let endedMs = -1;
  const promise = retry(() => new Promise(() => undefined), 1, { ...options, timeout: 100 });
  promise.catch(() => (endedMs = clock.monotonicMs()));
  await clock.advance(10_000);
  expect(endedMs).toBe(100);
});

test("no wait reaches past the deadline, and a call still running then is ended", async () => {
  const { clock, options } = world();
  const { startsMs, work } = failing(clock, [answer(503), answer(503), answer(503), answer(503)]);
  const late = await rejection(
    settled(clock, retry(work, EXACT, { ...options, deadline: 250 }), 1_000),
  );
  assert(late instanceof RetryError);
  expect([late.because, startsMs]).toEqual(["deadline", [0, 100]]);

  const running = retry(() => new Promise(() => undefined), EXACT, { ...options, deadline: 250 });
  const error = await rejection(settled(clock, running, 250));
  expect(classify(error).class).toBe("deadline");
});

test("what may have done its work is not repeated where it is not idempotent", async () => {
  const { clock, options } = world();
  const reset = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  const { startsMs, work } = failing(clock, [refused, reset]);
  const error = await rejection(
    settled(clock, retry(work, EXACT, { ...options, idempotent: false }), 1_000),
  );
  assert(error instanceof RetryError);
  expect([error.because, startsMs.length]).toEqual(["ambiguous", 2]);
});

test("a listener that throws or rejects harms nobody", async () => {
  const { clock, options } = world();
  const { work } = failing(clock, [answer(503), answer(503)]);
  let heard = 0;
  const onRetry = (): Promise<void> => {
    heard += 1;
    if (heard === 1) throw new Error("sync");
    return Promise.reject(new Error("async"));
  };
  expect(await settled(clock, retry(work, EXACT, { ...options, onRetry }), 1_000)).toBe("done");
  expect(heard).toBe(2);
});

test("impossible policies and times are refused before anything is called", async () => {
  let calls = 0;
  const work = (): void => void (calls += 1);
  const policies = [0, 1.5, { attempts: 0 }, { attempts: 2, factor: 0.5 }, { jitter: 2 }];
  for (const policy of policies) {
    const error = await rejection(retry(work, policy));
    assert(isMillraceError(error), String(error));
    expect(error.code).toBe("OPTION_INVALID");
    expect(error.message).toMatch(/^A retry cannot be made: retry/);
  }
  const error = await rejection(retry(work, 2, { timeout: 0 }));
  assert(isMillraceError(error));
  expect(error.code).toBe("OPTION_INVALID");
  expect(calls).toBe(0);
});

test("without a timeout no timer is set for a call that succeeds", async () => {
  const { clock, options } = world();
  let pending = -1;
  await retry(() => void (pending = clock.pendingTimers), EXACT, options);
  expect(pending).toBe(0);
});

test("backoff answers the waits of a policy, and classify what an error means", () => {
  const random = makeSeededRandom(1);
  expect([1, 2, 3, 4].map((attempt) => backoff(EXACT, attempt, { random }))).toEqual([
    100, 200, 300, 300,
  ]);
  expect(() => backoff(EXACT, 0)).toThrow(
    "backoff expects the number of failed attempts, 1 or more; got 0.",
  );
  expect(classify(new ThrottledError("slow", { retryAfter: "30s" }))).toEqual({
    class: "throttled",
    retry: "defer",
    hintMs: 30_000,
  });
  expect(classify(new Error("full"), { classify: () => "local-resource" }).class).toBe(
    "local-resource",
  );
});

test("a call that ends in its turn sets no timer, and one that goes on is limited from its start", async () => {
  const virtual = makeVirtualClock();
  const delaysMs: number[] = [];
  let blockedMs = 0;
  const clock: Clock = {
    wallMs: () => virtual.wallMs(),
    monotonicMs: () => virtual.monotonicMs() + blockedMs,
    setTimer: (delayMs, callback) => {
      delaysMs.push(delayMs);
      return virtual.setTimer(delayMs, callback);
    },
    sleep: (delayMs, signal) => virtual.sleep(delayMs, signal),
    defer: (callback) => virtual.defer(callback),
  };
  const options = { clock, timeout: 100 };
  for (let count = 0; count < 10; count += 1) await retry(() => Promise.resolve(1), 1, options);
  await virtual.advance(1);
  expect(delaysMs).toEqual([]);
  const slow = retry(() => new Promise(() => (blockedMs = 30)), 1, options);
  await rejection(settled(virtual, slow, 70));
  expect(delaysMs).toEqual([70]);
});
