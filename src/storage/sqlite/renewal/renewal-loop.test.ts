import { describe, expect, test } from "vitest";
import { makeVirtualClock, type VirtualClock } from "../../../std/virtual-clock.ts";
import type { LeasedRun } from "../../lease-renewer.ts";
import { RenewalLoop } from "./renewal-loop.ts";
import { SharedTimes, type RenewalOrder } from "./renewal-protocol.ts";

const HEARTBEAT_MS = 5_000;
const PRESENCE_MS = 1_000;
const SILENCE_MS = 15_000;
const RUN: LeasedRun = { id: "run-1", epoch: 3 };
const OTHER: LeasedRun = { id: "run-2", epoch: 1 };

interface World {
  readonly clock: VirtualClock;
  readonly times: SharedTimes;
  readonly loop: RenewalLoop;
  /** When which runs were renewed. */
  readonly renewals: { readonly atMs: number; readonly ids: readonly string[] }[];
  readonly lost: LeasedRun[];
  readonly ends: unknown[];
  /** Orders that wait to be heard. */
  readonly orders: RenewalOrder[];
  /** What the next renewals say instead of succeeding. */
  readonly answers: (readonly LeasedRun[] | Error)[];
  /** Lets time pass; the main loop says every second that it lives, unless it is dead. */
  pass(ms: number, loop?: "alive" | "dead"): Promise<void>;
}

function makeWorld(dice = 0): World {
  const clock = makeVirtualClock();
  const times = new SharedTimes();
  const orders: RenewalOrder[] = [];
  const answers: World["answers"] = [];
  const renewals: World["renewals"] = [];
  const lost: LeasedRun[] = [];
  const ends: unknown[] = [];
  const loop = new RenewalLoop({
    terms: { heartbeatMs: HEARTBEAT_MS, presenceMs: PRESENCE_MS, loopSilenceMs: SILENCE_MS },
    times,
    clock,
    random: { float: () => dice },
    nowMs: () => clock.monotonicMs(),
    nextOrder: () => orders.shift(),
    renew: (runs) => {
      const answer = answers.shift() ?? [];
      if (answer instanceof Error) throw answer;
      renewals.push({ atMs: clock.monotonicMs(), ids: runs.map(({ id }) => id) });
      return answer;
    },
    onLost: (runs) => lost.push(...runs),
    onEnd: (fault) => ends.push(fault),
    isFatal: (error) => error instanceof RangeError,
  });
  const pass: World["pass"] = async (ms, state = "alive") => {
    for (let passed = 0; passed < ms; passed += PRESENCE_MS) {
      if (state === "alive") times.loopTickMs = clock.monotonicMs();
      await clock.advance(PRESENCE_MS);
    }
  };
  return { clock, times, loop, renewals, lost, ends, orders, answers, pass };
}

function gapsOf(world: World): readonly number[] {
  const at = [0, ...world.renewals.map(({ atMs }) => atMs)];
  return at.slice(1).map((atMs, index) => atMs - (at[index] ?? 0));
}

describe("the thread that renews", () => {
  test.each([0, 0.5, 0.999])(
    "renews within every heartbeat, whatever the dice say",
    async (dice) => {
      const world = makeWorld(dice);
      world.loop.hear({ kind: "keep", run: RUN, untilMs: null });
      await world.pass(60_000);
      expect(world.renewals.length).toBeGreaterThanOrEqual(12);
      for (const gap of gapsOf(world)) {
        expect(gap).toBeLessThanOrEqual(HEARTBEAT_MS);
        expect(gap).toBeGreaterThanOrEqual(HEARTBEAT_MS * 0.7);
      }
    },
  );

  test("has no timer while no run is kept", async () => {
    const world = makeWorld();
    expect(world.clock.pendingTimers).toBe(0);
    world.loop.hear({ kind: "keep", run: RUN, untilMs: null });
    expect(world.clock.pendingTimers).toBe(1);
    await world.pass(10_000);
    world.loop.hear({ kind: "release", id: RUN.id });
    expect(world.clock.pendingTimers).toBe(0);
    const before = world.renewals.length;
    await world.pass(10_000);
    expect(world.renewals.length).toBe(before);
  });

  test("R164: stops for a main loop that is dead, and goes on when that lives again", async () => {
    const world = makeWorld();
    world.loop.hear({ kind: "keep", run: RUN, untilMs: null });
    await world.pass(10_000);
    const diedMs = world.clock.monotonicMs() - PRESENCE_MS;
    await world.pass(60_000, "dead");
    const last = world.renewals.at(-1)?.atMs ?? 0;
    expect(last).toBeGreaterThan(diedMs + SILENCE_MS - HEARTBEAT_MS);
    expect(last).toBeLessThanOrEqual(diedMs + SILENCE_MS);
    const awakeMs = world.clock.monotonicMs();
    await world.pass(PRESENCE_MS);
    expect(world.renewals.at(-1)?.atMs).toBe(awakeMs + PRESENCE_MS);
  });

  test("R164: renews no run that is past its time, and the others still", async () => {
    const world = makeWorld();
    world.loop.hear({ kind: "keep", run: RUN, untilMs: 12_000 });
    world.loop.hear({ kind: "keep", run: OTHER, untilMs: null });
    await world.pass(30_000);
    const ofRun = world.renewals.filter(({ ids }) => ids.includes(RUN.id));
    const ofOther = world.renewals.filter(({ ids }) => ids.includes(OTHER.id));
    expect(ofRun.map(({ atMs }) => atMs)).toEqual([4_000, 8_000]);
    expect(ofOther.length).toBe(7);
    expect(world.lost).toEqual([]);
  });

  test("tells a lost run once, and renews it no longer", async () => {
    const world = makeWorld();
    world.loop.hear({ kind: "keep", run: RUN, untilMs: null });
    world.loop.hear({ kind: "keep", run: OTHER, untilMs: null });
    world.answers.push([RUN]);
    await world.pass(20_000);
    expect(world.lost).toEqual([RUN]);
    expect(world.renewals[0]?.ids).toEqual([RUN.id, OTHER.id]);
    expect(world.renewals[1]?.ids).toEqual([OTHER.id]);
  });

  test("tries again a second after the store was busy, and says nothing was renewed until then", async () => {
    const world = makeWorld();
    world.loop.hear({ kind: "keep", run: RUN, untilMs: null });
    world.answers.push(new Error("busy"), new Error("busy"));
    await world.pass(5_000);
    expect(world.renewals).toEqual([]);
    expect(world.times.renewedMs).toBe(0);
    await world.pass(1_000);
    expect(world.renewals.map(({ atMs }) => atMs)).toEqual([6_000]);
    expect(world.times.renewedMs).toBe(6_000);
  });

  test("hears what was ordered before a renewal, so that it reaches every run kept by then", async () => {
    const world = makeWorld();
    world.loop.hear({ kind: "keep", run: RUN, untilMs: null });
    world.orders.push({ kind: "keep", run: OTHER, untilMs: null }, { kind: "release", id: RUN.id });
    await world.pass(4_000);
    expect(world.renewals).toEqual([{ atMs: 4_000, ids: [OTHER.id] }]);
  });

  test("ends with a fault that trying again cannot mend, and when it is told to", async () => {
    const world = makeWorld();
    world.loop.hear({ kind: "keep", run: RUN, untilMs: null });
    const fault = new RangeError("the disk is gone");
    world.answers.push(fault);
    await world.pass(10_000);
    expect(world.ends).toEqual([fault]);
    expect(world.clock.pendingTimers).toBe(0);
    world.loop.hear({ kind: "close" });
    expect(world.ends.length).toBe(1);

    const other = makeWorld();
    other.loop.hear({ kind: "keep", run: RUN, untilMs: null });
    other.loop.hear({ kind: "close" });
    expect([other.ends, other.clock.pendingTimers]).toEqual([[undefined], 0]);
    other.loop.hear({ kind: "keep", run: RUN, untilMs: null });
    expect(other.clock.pendingTimers).toBe(0);
  });
});
