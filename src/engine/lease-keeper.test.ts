import { describe, expect, test } from "vitest";
import type { LeaseTerms } from "../model/lease.ts";
import type { MillraceError } from "../model/errors.ts";
import { LEASE_TERMS_DEFAULT } from "../policy/lease-terms.ts";
import { makeVirtualClock, type VirtualClock } from "../std/virtual-clock.ts";
import type { LeaseRenewer, RenewalListener } from "../storage/lease-renewer.ts";
import { LeaseKeeper, type KeptRun, type LeaseKeeperOptions } from "./lease-keeper.ts";

const OWNER = { worker: "w", host: "h", pid: 1, bootId: "b", processStart: "s" };
const SECOND_MS = 1_000;

/** A renewer that renews when it is told to. */
class HandRenewer implements LeaseRenewer {
  readonly kept: Map<string, { readonly epoch: number; readonly renewForMs: number | null }> =
    new Map();
  readonly #clock: VirtualClock;
  ticks: number = 0;
  orders: number = 0;
  renewedMs: number = Number.NEGATIVE_INFINITY;
  closed: number = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  keep({ id, epoch }: { readonly id: string; readonly epoch: number }, renewForMs: number | null) {
    this.kept.set(id, { epoch, renewForMs });
    this.orders += 1;
  }

  keepAll(runs: readonly { readonly id: string; readonly epoch: number }[]): void {
    for (const run of runs) this.keep(run, null);
    this.orders += 1;
  }

  release(id: string): void {
    this.kept.delete(id);
  }

  tick(): void {
    this.ticks += 1;
  }

  renewedAgoMs(): number {
    return this.#clock.monotonicMs() - this.renewedMs;
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

interface World {
  readonly clock: VirtualClock;
  readonly keeper: LeaseKeeper;
  /** When this loop renewed which runs. */
  readonly renewals: { readonly atMs: number; readonly ids: readonly string[] }[];
  readonly renewers: HandRenewer[];
  readonly warnings: string[];
  readonly listener: () => RenewalListener;
  readonly store: { isAway: boolean; lost: readonly string[] };
  keep(id: string, deadlineAtMs?: number): { readonly errors: MillraceError[] };
  /** Lets seconds pass in which the renewer renews, or does not. */
  pass(seconds: number, renewer?: "renews" | "is late"): Promise<void>;
}

type Way = "renewer" | "none" | "throws";

function makeWorld(way: Way, given: Partial<LeaseTerms> = {}): World {
  const clock = makeVirtualClock();
  const renewals: World["renewals"] = [];
  const renewers: HandRenewer[] = [];
  const warnings: string[] = [];
  const state = { isAway: false, lost: [] as readonly string[] };
  let listener: RenewalListener | undefined;
  const store: LeaseKeeperOptions["store"] = {
    renewLeases: async (_owner, runs) => {
      if (state.isAway) throw new Error("away");
      renewals.push({ atMs: clock.monotonicMs(), ids: runs.map(({ id }) => id) });
      return state.lost;
    },
    openRenewer: (_terms, given) => {
      if (way === "throws") throw new Error("no threads here");
      if (way === "none") return null;
      listener = given;
      const renewer = new HandRenewer(clock);
      renewers.push(renewer);
      return renewer;
    },
    beat: async () => {
      if (state.isAway) throw new Error("away");
    },
    findRun: async () => {
      throw new Error("nobody asks here");
    },
  };
  const keeper = new LeaseKeeper({
    store,
    clock,
    owner: OWNER,
    terms: { ...LEASE_TERMS_DEFAULT, ...given },
    warn: (message) => warnings.push(message),
  });
  return {
    clock,
    keeper,
    renewals,
    renewers,
    warnings,
    store: state,
    listener: () => {
      if (listener === undefined) throw new Error("No renewer was opened.");
      return listener;
    },
    keep(id, deadlineAtMs) {
      const errors: MillraceError[] = [];
      const run: KeptRun = {
        id,
        epoch: 1,
        deadlineAtMs: deadlineAtMs ?? null,
        lost: (error) => errors.push(error),
        cancelRequested: () => {},
        listRunning: () => [],
      };
      keeper.keep(run, clock.monotonicMs());
      return { errors };
    },
    async pass(seconds, renewer = "renews") {
      for (let second = 0; second < seconds; second += 1) {
        const open = renewers.at(-1);
        if (renewer === "renews" && open !== undefined) open.renewedMs = clock.monotonicMs();
        await clock.advance(SECOND_MS);
      }
    },
  };
}

describe("leases of runs", () => {
  test("are renewed from this loop every 5 s until a run is long, and apart from then on", async () => {
    const world = makeWorld("renewer");
    world.keep("short");
    await world.pass(4);
    world.keeper.release("short");
    expect([world.renewers.length, world.clock.pendingTimers]).toEqual([0, 0]);

    world.keep("long");
    await world.pass(5);
    expect(world.renewers.length).toBe(1);
    expect(world.renewers[0]?.kept.get("long")).toEqual({ epoch: 1, renewForMs: null });
    const own = world.renewals.length;
    await world.pass(60);
    expect(world.renewals.length).toBe(own);
    expect(world.renewers.length).toBe(1);
    expect(world.renewers[0]?.ticks).toBeGreaterThanOrEqual(60);
  });

  test("of runs that were claimed together cost one order, given before any of them begins", async () => {
    const world = makeWorld("renewer");
    world.keeper.expectLongRuns();
    const runs = ["one", "two", "three"].map((id) => ({ id, epoch: 1 }));
    world.keeper.expect(runs);
    const [renewer] = world.renewers;
    expect([...(renewer?.kept.keys() ?? [])]).toEqual(["one", "two", "three"]);
    const { orders } = renewer ?? {};
    for (const { id } of runs.slice(0, 2)) world.keep(id);
    expect(renewer?.orders).toBe(orders);
    // A deadline is known only now.
    world.keep("three", 20_000);
    expect(renewer?.kept.get("three")).toEqual({ epoch: 1, renewForMs: 30_000 });
  });

  test("are renewed apart at once where long runs are expected, and told of release and end", async () => {
    const world = makeWorld("renewer");
    world.keeper.expectLongRuns();
    expect(world.renewers.length).toBe(0);
    world.keep("one");
    world.keep("two", 20_000);
    const [renewer] = world.renewers;
    expect(renewer?.kept.get("two")).toEqual({ epoch: 1, renewForMs: 30_000 });
    world.keeper.release("one");
    expect([...(renewer?.kept.keys() ?? [])]).toEqual(["two"]);
    await world.keeper.close();
    expect(renewer?.closed).toBe(1);
  });

  test("are renewed from this loop too when the renewer is two heartbeats late", async () => {
    const world = makeWorld("renewer");
    world.keeper.expectLongRuns();
    const { errors } = world.keep("one");
    await world.pass(3, "renews");
    await world.pass(60, "is late");
    const gaps = world.renewals.map(
      ({ atMs }, index) => atMs - (world.renewals[index - 1]?.atMs ?? 2_000),
    );
    expect(gaps.every((gap) => gap === 10_000)).toBe(true);
    expect(gaps.length).toBeGreaterThanOrEqual(6);
    expect(errors).toEqual([]);
  });

  test("are renewed from this loop, with one warning, when the renewer fails", async () => {
    const world = makeWorld("renewer");
    world.keeper.expectLongRuns();
    const { errors } = world.keep("one");
    await world.pass(3);
    world.listener().failed(new Error("the thread ended"));
    await world.pass(60);
    expect(world.warnings.length).toBe(1);
    expect(world.warnings[0]).toContain("the thread ended");
    expect([world.renewers.length, errors.length]).toEqual([1, 0]);
    expect(world.renewals.length).toBeGreaterThanOrEqual(11);
  });

  test.each(["none", "throws"] as const)(
    "are renewed from this loop where there is no renewer (%s)",
    async (way) => {
      const world = makeWorld(way);
      const { errors } = world.keep("one");
      await world.pass(60);
      expect(world.warnings.length).toBe(way === "throws" ? 1 : 0);
      expect(world.renewals.map(({ atMs }) => atMs)).toContain(5_000);
      expect([world.renewals.length, errors.length]).toEqual([12, 0]);
    },
  );

  test("are given up by the epoch that the renewer names, and by no other", async () => {
    const world = makeWorld("renewer");
    world.keeper.expectLongRuns();
    const { errors } = world.keep("one");
    world.listener().lost([
      { id: "one", epoch: 0 },
      { id: "gone", epoch: 1 },
    ]);
    expect(errors).toEqual([]);
    world.listener().lost([{ id: "one", epoch: 1 }]);
    // Not before the store was asked whose it is.
    await new Promise(setImmediate);
    expect(errors.map(({ code }) => code)).toEqual(["LEASE_LOST"]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test("are given up before they end when nobody can renew them, and not while the renewer can", async () => {
    const world = makeWorld("renewer");
    world.keeper.expectLongRuns();
    const { errors } = world.keep("one");
    world.store.isAway = true;
    await world.pass(60, "renews");
    expect(errors).toEqual([]);
    const lastMs = world.clock.monotonicMs() - SECOND_MS;
    await world.pass(23, "is late");
    expect(errors).toEqual([]);
    await world.pass(2, "is late");
    expect(errors.map(({ message }) => message)).toEqual([
      "The lease of run one is lost: the store could not be reached in time.",
    ]);
    expect(world.clock.monotonicMs()).toBeLessThanOrEqual(lastMs + 30_000);
  });

  test("R164: are not renewed for a run that is 10 s past its deadline, and that run is given up", async () => {
    const world = makeWorld("none");
    const late = world.keep("late", 20_000);
    const other = world.keep("other");
    await world.pass(80);
    const ofLate = world.renewals.filter(({ ids }) => ids.includes("late"));
    expect(ofLate.at(-1)?.atMs).toBe(25_000);
    expect(late.errors.map(({ message }) => message)).toEqual([
      "The lease of run late is lost: its deadline has passed and it did not end.",
    ]);
    expect(other.errors).toEqual([]);
  });

  test("are not counted as renewed by what was renewed before the run was kept", async () => {
    const world = makeWorld("renewer");
    world.keeper.expectLongRuns();
    world.keep("one");
    await world.pass(3);
    await world.clock.advance(10);
    // Claimed long before it was handed over: its lease began then.
    const errors: MillraceError[] = [];
    const claimedMs = world.clock.monotonicMs() - 2_500;
    world.store.isAway = true;
    world.keeper.keep(
      {
        id: "two",
        epoch: 1,
        deadlineAtMs: null,
        lost: (error) => errors.push(error),
        cancelRequested: () => {},
        listRunning: () => [],
      },
      claimedMs,
    );
    // By its claim it has to stop at 25,480 ms, by the renewal of the other at 26,970 ms.
    await world.pass(22, "is late");
    expect([world.clock.monotonicMs(), errors.length]).toEqual([25_010, 0]);
    await world.pass(1, "is late");
    expect([world.clock.monotonicMs(), errors.length]).toEqual([26_010, 1]);
  });
});
