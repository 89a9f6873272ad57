import { expect, test } from "vitest";
import {
  askBreaker,
  newBreaker,
  probePermitMs,
  presentBreaker,
  type BreakerAnswer,
  type BreakerState,
  type BreakerTerms,
} from "./breaker.ts";
import { newCounts } from "./breaker-counts.ts";
import type { CallOutcome } from "./breaker-outcome.ts";
import { tripBreaker } from "./override-breaker.ts";
import { recordCall, type EndedCall } from "./record-call.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const RECOVERY_MS = 30_000;

function termsOf(parts: Partial<BreakerTerms> = {}): BreakerTerms {
  return { threshold: 1, recoveryMs: RECOVERY_MS, ratio: null, probes: 1, successes: 1, ...parts };
}

/** A breaker with one caller, who asks before each call. */
function setup(parts: Partial<BreakerTerms> = {}, dice = 0) {
  const terms = termsOf(parts);
  const random = { float: () => dice, bytes: (count: number) => new Uint8Array(count) };
  const world = {
    nowMs: 1_000_000,
    state: newBreaker(1_000_000),
    counts: newCounts(),
    ask(probesHeld = 0): BreakerAnswer {
      const answer = askBreaker(terms, world.state, { nowMs: world.nowMs, probesHeld });
      world.state = answer.state;
      return answer;
    },
    end(
      outcome: CallOutcome,
      permit: Pick<EndedCall, "generation" | "probe" | "hintUntilMs">,
    ): void {
      const call = { ...permit, outcome, nowMs: world.nowMs, random };
      Object.assign(world, recordCall(terms, world, call));
    },
    call(outcome: CallOutcome, hintMs?: number): BreakerState {
      const answer = world.ask();
      if (!answer.pass) throw new Error(`The call was refused: ${answer.because}.`);
      const hint = hintMs === undefined ? {} : { hintUntilMs: world.nowMs + hintMs };
      const { generation } = answer.state;
      world.end(outcome, { generation, probe: answer.probe, ...hint });
      return world.state;
    },
    /** Until the opening is over. */
    waitOut(): number {
      if (world.state.state !== "open") throw new Error(`It is "${world.state.state}".`);
      const waitMs = world.state.openUntilMs - world.nowMs;
      world.nowMs += waitMs;
      return waitMs;
    },
  };
  return world;
}

test("R119: nothing goes before the opening is over, and then one call, as a probe", () => {
  const world = setup();
  world.call("failure");
  const openUntilMs = world.nowMs + RECOVERY_MS;
  world.nowMs = openUntilMs - 1;

  expect(world.ask()).toEqual({
    pass: false,
    because: "open",
    untilMs: openUntilMs,
    state: world.state,
  });

  world.nowMs = openUntilMs;
  expect(world.ask()).toMatchObject({ pass: true, probe: true, state: { state: "half_open" } });
  expect(world.ask(1)).toMatchObject({ pass: false, because: "probing", untilMs: null });
});

test("R119: the first opening is exactly the recovery time, later ones double up to ten minutes", () => {
  const world = setup({}, 0);
  const openings = Array.from({ length: 7 }, () => {
    world.call("failure");
    return world.waitOut() / 1_000;
  });

  expect(openings).toEqual([30, 60, 120, 240, 480, 600, 600]);
});

test("R119 R121: however the dice fall, the second opening is longer than the first, and none is under recovery", () => {
  const world = setup({}, 1 - Number.EPSILON);
  const openings = Array.from({ length: 7 }, () => {
    world.call("failure");
    return world.waitOut();
  });

  expect(openings).toEqual([30_000, 30_001, 60_001, 120_001, 240_001, 300_001, 300_001]);
});

test("a recovery time above ten minutes is kept, in the first opening and in later ones", () => {
  for (const dice of [0, 0.5]) {
    const world = setup({ recoveryMs: HOUR_MS }, dice);
    world.call("failure");
    expect(world.waitOut()).toBe(HOUR_MS);
    world.call("failure");
    expect(world.waitOut()).toBe(HOUR_MS);
  }
});

test("R119: after a thousand openings in a row the time is still a number within the cap", () => {
  const world = setup({ recoveryMs: 1 }, 0.5);
  for (let opening = 0; opening < 1_200; opening++) {
    world.call("failure");
    expect(world.waitOut()).toBeLessThanOrEqual(600_000);
  }
});

test("five minutes closed make openings count from one again, a moment less does not", () => {
  for (const [closedMs, secondMs] of [
    [5 * MINUTE_MS, RECOVERY_MS],
    [5 * MINUTE_MS - 1, 2 * RECOVERY_MS],
  ] as const) {
    const world = setup();
    world.call("failure");
    world.waitOut();
    world.call("success");
    world.nowMs += closedMs;
    world.call("failure");
    expect(world.waitOut()).toBe(secondMs);
  }
});

test("time that passes open or half open is not stable, however long", () => {
  const world = setup();
  world.call("failure");
  world.nowMs += HOUR_MS;
  world.ask();
  world.nowMs += HOUR_MS;

  expect(world.call("failure")).toMatchObject({ state: "open", openings: 2 });
});

test("R121: a probe that succeeds closes, one that fails opens again", () => {
  const world = setup();
  world.call("failure");
  world.waitOut();
  expect(world.call("failure")).toMatchObject({ state: "open", openings: 2 });
  world.waitOut();
  expect(world.call("success")).toMatchObject({ state: "closed", closedAtMs: world.nowMs });
});

test("R121: a breaker that a probe closed needs as many failures as before", () => {
  const world = setup({ threshold: 3 });
  for (let index = 0; index < 3; index++) world.call("failure");
  world.waitOut();
  world.call("success");
  world.nowMs += 31_000;

  expect(world.call("failure").state).toBe("closed");
  expect(world.call("failure").state).toBe("closed");
  expect(world.call("failure").state).toBe("open");
});

test("R134: with two successes asked for, one keeps it half open and the second closes it", () => {
  const world = setup({ successes: 2 });
  world.call("failure");
  world.waitOut();

  expect(world.call("success")).toMatchObject({ state: "half_open", successes: 1 });
  expect(world.call("success")).toMatchObject({ state: "closed" });
});

test("R134: a failure among the successes of probes starts them over", () => {
  const world = setup({ successes: 2 });
  world.call("failure");
  world.waitOut();
  world.call("success");
  world.call("failure");
  world.waitOut();

  expect(world.call("success")).toMatchObject({ state: "half_open", successes: 1 });
});

test("up to `probes` probes go at once, those of earlier openings counted", () => {
  const world = setup({ probes: 3 });
  world.call("failure");
  world.waitOut();

  expect(world.ask(2)).toMatchObject({ pass: true, probe: true });
  expect(world.ask(3)).toMatchObject({ pass: false, because: "probing" });
});

test("a probe that says nothing leaves the row as it is, and its place goes to the next", () => {
  for (const outcome of ["cancelled", "ignored", "auth"] as const) {
    const world = setup();
    world.call("failure");
    world.waitOut();
    world.ask();
    const before = world.state;

    expect(world.call(outcome)).toBe(before);
    expect(world.ask(0)).toMatchObject({ pass: true, probe: true });
  }
});

test("the permit of a probe lasts its timeout and five seconds more, a minute where it has none", () => {
  expect(probePermitMs(10_000)).toBe(15_000);
  expect(probePermitMs(null)).toBe(65_000);
});

test("after closing 1, 2, 4, … permits go per second, and all after 30 s", () => {
  const world = setup();
  world.call("failure");
  world.waitOut();
  world.call("success");
  const closedAtMs = world.nowMs;
  const granted = [0, 1, 2, 3, 4].map((second) => {
    world.nowMs = closedAtMs + second * 1_000 + 999;
    return countPasses(world);
  });

  expect(granted).toEqual([1, 2, 4, 8, 16]);
  world.nowMs = closedAtMs + 29_999;
  expect(world.ask().state).toMatchObject({ rampWindow: 29, rampUsed: 1 });
  world.nowMs = closedAtMs + 30_000;
  expect(world.ask().state).toMatchObject({ rampWindow: 29, rampUsed: 1 });
});

test("a call that the ramp refuses is told the second in which it may ask again", () => {
  const world = setup();
  world.call("failure");
  world.waitOut();
  world.call("success");
  const closedAtMs = world.nowMs;
  world.nowMs += 300;
  world.ask();

  expect(world.ask()).toMatchObject({
    pass: false,
    because: "ramp",
    untilMs: closedAtMs + 1_000,
  });
});

test("a clock that steps back gives no second of the ramp twice", () => {
  const world = setup();
  world.call("failure");
  world.waitOut();
  world.call("success");
  world.nowMs += 1_500;
  expect(countPasses(world)).toBe(2);
  world.nowMs -= 5_000;

  expect(world.ask()).toMatchObject({ pass: false, because: "ramp" });
});

test("calls on the ramp count, though permits after theirs have moved the generation on", () => {
  const world = setup({ threshold: 2 });
  world.call("failure");
  world.call("failure");
  world.waitOut();
  world.call("success");
  world.nowMs += 1_000;
  const generations = [world.ask(), world.ask()].map(({ state }) => state.generation);
  for (const generation of generations) world.end("failure", { generation, probe: false });

  expect(new Set(generations).size).toBe(2);
  expect(world.state).toMatchObject({ state: "open", openings: 2 });
});

test("a breaker that never opened writes nothing when it is asked", () => {
  const world = setup();
  const before = world.state;

  expect(world.ask()).toEqual({ pass: true, probe: false, state: before });
  expect(world.ask().state).toBe(before);
});

test("a hint lengthens an opening and never shortens it, up to a day", () => {
  for (const [hintMs, openMs] of [
    [90_000, 90_000],
    [5_000, RECOVERY_MS],
    [-5_000, RECOVERY_MS],
    [72 * HOUR_MS, 24 * HOUR_MS],
  ] as const) {
    const world = setup();
    const kept = Math.min(Math.max(0, hintMs), 24 * HOUR_MS);
    expect(world.call("failure", hintMs)).toMatchObject({ hintMs: kept });
    expect(world.waitOut()).toBe(openMs);
  }
});

test("after a restart an opening that is over is half open, and never closed", () => {
  const world = setup();
  world.call("failure");
  world.waitOut();

  const restored = presentBreaker(termsOf(), world.state, world.nowMs + HOUR_MS);
  expect(restored).toMatchObject({ state: "half_open", successes: 0 });
  expect(restored.sinceGeneration).toBeGreaterThan(world.state.generation);
});

test("after a restart whatever is not an opening that is over stays as it is", () => {
  const world = setup();
  const check = (): void => {
    expect(presentBreaker(termsOf(), world.state, world.nowMs)).toBe(world.state);
  };
  check();
  world.call("failure");
  check();
  world.waitOut();
  world.ask();
  check();
  world.call("success");
  check();
});

test("an opening lasts no longer than its present terms and its hint allow", () => {
  for (const [parts, hintMs, longestMs] of [
    [{ recoveryMs: HOUR_MS }, 0, 10 * MINUTE_MS],
    [{ recoveryMs: HOUR_MS }, 30 * MINUTE_MS, 30 * MINUTE_MS],
    [{ recoveryMs: RECOVERY_MS }, 0, RECOVERY_MS],
  ] as const) {
    const world = setup(parts);
    const openedAtMs = world.nowMs;
    world.call("failure", hintMs);
    const untilMs = openedAtMs + longestMs;
    const ask = (nowMs: number): BreakerAnswer =>
      askBreaker(termsOf(), world.state, { nowMs, probesHeld: 0 });
    expect(ask(untilMs - 1)).toMatchObject({ pass: false, because: "open", untilMs });
    expect(ask(untilMs)).toMatchObject({ pass: true, probe: true });
    expect(presentBreaker(termsOf(), world.state, untilMs).state).toBe("half_open");
  }
});

test("after a restart a forced opening goes on", () => {
  const untilMs = 2_000_000;
  const tripped = tripBreaker(newBreaker(0), { reason: "outage", actor: "ada", untilMs }, 0);

  expect(presentBreaker(termsOf(), tripped, untilMs - 1)).toBe(tripped);
  expect(presentBreaker(termsOf(), tripped, untilMs)).toMatchObject({
    state: "half_open",
    override: null,
  });
});

function countPasses(world: { ask(): BreakerAnswer }): number {
  let passes = 0;
  while (passes < 100 && world.ask().pass) passes++;
  return passes;
}
