import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isMillraceError, type MillraceError } from "../../model/errors.ts";
import { makeSeededRandom } from "../../std/random.ts";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import { breaker, type Breaker, type BreakerChange, type BreakerSettings } from "./breaker.ts";

interface World {
  readonly clock: VirtualClock;
  readonly changes: BreakerChange[];
  readonly guard: Breaker;
}

function world(settings: BreakerSettings = {}): World {
  const clock = makeVirtualClock();
  const changes: BreakerChange[] = [];
  const guard = breaker({
    name: "api",
    threshold: 3,
    recovery: "30s",
    clock,
    random: makeSeededRandom(1),
    onChange: (change) => changes.push(change),
    ...settings,
  });
  return { clock, changes, guard };
}

const away = (): Error => Object.assign(new Error("away"), { status: 503 });

/** One call that fails; answers what it rejected with. */
async function fail(guard: Breaker, error: unknown = away()): Promise<unknown> {
  return await guard
    .run(() => Promise.reject(error))
    .then(
      () => assert.fail("it succeeded"),
      (thrown: unknown) => thrown,
    );
}

/** The refusal of a call that must not happen. */
async function refusal(guard: Breaker): Promise<MillraceError> {
  let calls = 0;
  const thrown = await guard
    .run(() => (calls += 1))
    .then(
      () => assert.fail("it was called"),
      (error: unknown) => error,
    );
  assert(isMillraceError(thrown));
  expect([thrown.code, calls]).toEqual(["BREAKER_OPEN", 0]);
  return thrown;
}

async function open(guard: Breaker, failures = 3): Promise<void> {
  for (let count = 0; count < failures; count += 1) await fail(guard);
}

test("R116: threshold failures in a row open it; then it fails at once, calls nothing, and names itself", async () => {
  const { guard, clock } = world();
  await open(guard, 2);
  expect(guard.state).toBe("closed");
  await open(guard, 1);
  expect(guard.state).toBe("open");
  const error = await refusal(guard);
  expect(error.message).toBe('Nothing was called: breaker "api" is open for another 30s.');
  expect(error.details).toMatchObject({
    breaker: "api",
    because: "open",
    untilMs: clock.wallMs() + 30_000,
  });
  expect(clock.pendingTimers).toBe(0);
});

test("R117: a success while closed sets the count to 0", async () => {
  const { guard } = world();
  await open(guard, 2);
  await guard.run(() => "fine");
  await open(guard, 2);
  expect(guard.state).toBe("closed");
});

test("R119 R120 R121: after exactly its recovery one probe goes, others are refused, and its success closes", async () => {
  const { guard, clock } = world();
  await open(guard);
  await clock.advance(29_999);
  await refusal(guard);
  await clock.advance(1);
  expect(guard.state).toBe("half_open");
  let finish = (): void => undefined;
  const probe = guard.run(() => new Promise<void>((resolve) => (finish = resolve)));
  expect((await refusal(guard)).message).toBe(
    'Nothing was called: breaker "api" is half_open, and its probe is running.',
  );
  finish();
  await probe;
  expect(guard.state).toBe("closed");
  expect(guard.stats().failures).toBe(0);
  for (let count = 0; count < 10; count += 1) await guard.run(() => "at once");
});

test("R119 R121: a failed probe reopens for longer", async () => {
  const { guard, clock } = world();
  await open(guard);
  await clock.advance(30_000);
  await fail(guard);
  const { leftMs } = (await refusal(guard)).details ?? {};
  expect(leftMs).toBeGreaterThan(30_000);
  expect(leftMs).toBeLessThanOrEqual(60_000);
});

test("a probe that is aborted gives its place back, and so does one that hangs", async () => {
  const { guard, clock } = world();
  await open(guard);
  await clock.advance(30_000);
  await fail(guard, Object.assign(new Error("stop"), { name: "AbortError", kind: "user-cancel" }));
  expect(guard.state).toBe("half_open");
  void guard.run(() => new Promise(() => undefined));
  await refusal(guard);
  await clock.advance(65_000);
  await guard.run(() => "probe");
  expect(guard.state).toBe("closed");
});

test("R123: what is excluded, and what proves the other side alive, does not count", async () => {
  const { guard } = world({ exclude: ["server"] });
  await open(guard, 5);
  expect(guard.state).toBe("closed");
  const byFunction = world({ exclude: (error) => error instanceof RangeError });
  for (let count = 0; count < 5; count += 1) await fail(byFunction.guard, new RangeError("mine"));
  const alive = Object.assign(new Error("no such page"), { status: 404 });
  for (let count = 0; count < 5; count += 1) await fail(byFunction.guard, alive);
  expect(byFunction.guard.state).toBe("closed");
  await open(byFunction.guard);
  expect(byFunction.guard.state).toBe("open");
});

test("R125: each change is told once with who and why, by hand too", async () => {
  const { guard, clock, changes } = world();
  await open(guard);
  await refusal(guard);
  await clock.advance(30_000);
  await guard.run(() => "probe");
  guard.trip({ reason: "maintenance", for: "5m" });
  expect((await refusal(guard)).message).toContain("is open for another 5m: maintenance.");
  guard.reset("it is back");
  await guard.run(() => "fine");
  guard.reset();
  expect(changes.map(({ from, to, actor, reason }) => [from, to, actor, reason])).toEqual([
    ["closed", "open", "breaker", "3 failures in a row"],
    ["open", "half_open", "breaker", "the opening is over"],
    ["half_open", "closed", "breaker", "its probes succeeded"],
    ["closed", "open", "program", "maintenance"],
    ["open", "closed", "program", "it is back"],
  ]);
  expect(changes[3]?.untilMs).toBe(clock.wallMs() + 300_000);
});

test("R125: a listener that throws or rejects changes nothing for callers", async () => {
  let heard = 0;
  const { guard } = world({
    onChange: () => {
      heard += 1;
      if (heard === 1) throw new Error("sync");
      return Promise.reject(new Error("async"));
    },
  });
  const error = away();
  await open(guard, 2);
  expect(await fail(guard, error)).toBe(error);
  guard.reset();
  expect(await guard.run(() => "fine")).toBe("fine");
  expect(heard).toBe(2);
});

test("its figures are state, failures, threshold, recovery, last failure, time in state and totals", async () => {
  const { guard, clock } = world();
  const startMs = clock.wallMs();
  await guard.run(() => "fine");
  await clock.advance(1_000);
  await open(guard);
  await refusal(guard);
  await clock.advance(500);
  expect(guard.stats()).toEqual({
    state: "open",
    failures: 3,
    threshold: 3,
    recoveryMs: 30_000,
    lastFailureAtMs: startMs + 1_000,
    inStateMs: 500,
    untilMs: startMs + 31_000,
    totals: { calls: 4, successes: 1, failures: 3, refused: 1 },
  });
});

test("R128: any block can be guarded, whether it answers, promises or throws", async () => {
  const { guard } = world();
  expect(await guard.run(() => 1)).toBe(1);
  expect(await guard.run(async () => await Promise.resolve("two"))).toBe("two");
  const thrown = new TypeError("three");
  const throwing = guard.run(() => {
    throw thrown;
  });
  expect(await throwing.catch((error: unknown) => error)).toBe(thrown);
  expect(guard.stats().totals).toMatchObject({ calls: 3, successes: 2, failures: 0 });
});

test("R133 R134: a share of the calls opens it where asked for, and several successes close it", async () => {
  const ratio = { of: 0.5, window: "10s", minCalls: 4 } as const;
  const { guard, clock } = world({ threshold: 100, ratio, successes: 2 });
  for (const isGood of [true, false, true]) {
    if (isGood) await guard.run(() => "fine");
    else await fail(guard);
  }
  expect(guard.state).toBe("closed");
  await fail(guard);
  expect(guard.state).toBe("open");
  await clock.advance(30_000);
  await guard.run(() => "probe");
  expect(guard.state).toBe("half_open");
  await guard.run(() => "probe");
  expect(guard.state).toBe("closed");
});

test("a Retry-After of the failure that opens it is waited for", async () => {
  const { guard, clock } = world({ threshold: 1 });
  const headers = { "retry-after": "120" };
  const busy = Object.assign(new Error("busy"), { status: 500, headers });
  await fail(guard, busy);
  await clock.advance(119_999);
  expect(guard.state).toBe("open");
  await clock.advance(1);
  expect(guard.state).toBe("half_open");
});

test("a call that began before a reset says nothing about what came after it", async () => {
  const { guard } = world({ threshold: 1 });
  let reject = (_error: unknown): void => undefined;
  const old = guard.run(() => new Promise((_resolve, rejects) => (reject = rejects)));
  guard.trip();
  guard.reset();
  reject(away());
  await expect(old).rejects.toThrow("away");
  expect(guard.state).toBe("closed");
});

test("R116: impossible numbers are refused at once, all of them", () => {
  const make = (): Breaker => breaker({ name: "api", threshold: 0, recovery: 0, probes: 4 });
  expect(make).toThrow(
    /^The breaker "api" cannot be made: breaker\.threshold: .*recovery: .*probes: /,
  );
  const settings = { treshold: 3, whenOpen: "wait", probes: 1 };
  expect(() => breaker(settings)).toThrow(/treshold.*did you mean "threshold".*"whenOpen" is not/);
  expect(() => breaker({ name: "a/b" })).toThrow('got "a/b"');
});

/** What a caller sees of a call: how it ended, and the state after it. */
type Step = "succeed" | "fail" | "ignore" | "wait" | "trip" | "reset";

async function replay(steps: readonly Step[], ratio: boolean): Promise<readonly string[]> {
  const window = { of: 1, window: "1d", minCalls: 1_000_000 } as const;
  const { guard, clock } = world(ratio ? { ratio: window } : {});
  const seen: string[] = [];
  for (const step of steps) {
    if (step === "wait") await clock.advance(20_000);
    else if (step === "trip") guard.trip();
    else if (step === "reset") guard.reset();
    else {
      const error = step === "fail" ? away() : new TypeError("mine");
      const done = guard.run(() => {
        if (step === "succeed") return "fine";
        throw error;
      });
      seen.push(await done.catch((thrown: unknown) => String(thrown)));
    }
    seen.push(JSON.stringify(guard.stats()));
  }
  return seen;
}

test("the short way of a success changes nothing: a breaker that never takes it tells the same story", async () => {
  const step = fc.constantFrom<Step[]>(
    "succeed",
    "succeed",
    "fail",
    "fail",
    "ignore",
    "wait",
    "trip",
    "reset",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      // With a window there is no short way, and this one can never open anything.
      expect(await replay(steps, false)).toEqual(await replay(steps, true));
    }),
    { numRuns: 60 },
  );
});
