import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryStore } from "../../testing/memory-store.ts";
import { makeVirtualClock, type VirtualClock } from "../../std/virtual-clock.ts";
import type { Store } from "../../storage/store.ts";
import { Duty } from "./duty.ts";

const LEASE_MS = 10_000;

function makeWorld() {
  const clock = makeVirtualClock();
  const store = memoryStore({ clock });
  return { clock, store, make: (holder: string) => makeDuty(store, holder) };
}

function makeDuty(store: Store, holder: string): Duty {
  return new Duty({
    store,
    write: async (write) => {
      const [result] = await store.apply([write]);
      if (result === undefined) throw new Error("No answer.");
      return result;
    },
    name: "watch",
    holder,
    leaseMs: LEASE_MS,
  });
}

test("one has it until it falls silent; then who asks next takes it over under a higher term", async () => {
  const { clock, make } = makeWorld();
  const [first, second] = [make("first"), make("second")];
  expect(await first.hold()).toBe(true);
  expect(await second.hold()).toBe(false);
  await clock.advance(LEASE_MS - 1);
  expect(await first.hold()).toBe(true);
  await clock.advance(LEASE_MS - 1);
  expect(await second.hold()).toBe(false);
  expect(first.isHeld).toBe(true);
  await clock.advance(1);
  expect(first.isHeld).toBe(false);
  expect(await second.hold()).toBe(true);
  expect([first.term, second.term]).toEqual([1, 2]);
  expect(await first.hold()).toBe(false);
  expect(first.term).toBe(0);
});

test("who gives it back leaves it to the next at once, and gives back nothing that another has", async () => {
  const { make } = makeWorld();
  const [first, second] = [make("first"), make("second")];
  await first.release();
  expect(await first.hold()).toBe(true);
  await first.release();
  expect(await second.hold()).toBe(true);
  await first.release();
  expect(await first.hold()).toBe(false);
  expect(second.isHeld).toBe(true);
});

test("a record that is damaged is as good as none", async () => {
  const { store, make } = makeWorld();
  await store.apply([
    {
      kind: "put-records",
      puts: [{ collection: "duties", key: "watch", expected: 0, value: ["what"] }],
      events: [],
    },
  ]);
  const duty = make("first");
  expect(await duty.hold()).toBe(true);
  expect(duty.term).toBe(1);
});

type Step = {
  readonly who: number;
  readonly does: "hold" | "release" | "wait";
  readonly ms: number;
};

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(2),
  does: fc.constantFrom("hold", "hold", "release", "wait"),
  ms: fc.nat(2 * LEASE_MS),
});

test("whatever is done, no two have it at once, and terms only rise with a new holder", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { clock, make } = makeWorld();
      const duties = ["a", "b", "c"].map(make);
      let last = { who: -1, term: 0 };
      for (const { who, does, ms } of steps) {
        const held = await take(duties[who], does, { clock, ms });
        expect(duties.filter((duty) => duty.isHeld).length).toBeLessThanOrEqual(1);
        const term = duties[who]?.term ?? 0;
        if (held !== true) continue;
        if (who !== last.who) expect(term).toBeGreaterThan(last.term);
        else expect(term).toBeGreaterThanOrEqual(last.term);
        last = { who, term };
      }
    }),
    { numRuns: 200 },
  );
});

async function take(
  duty: Duty | undefined,
  does: Step["does"],
  time: { readonly clock: VirtualClock; readonly ms: number },
): Promise<boolean | undefined> {
  if (does === "hold") return await duty?.hold();
  if (does === "release") await duty?.release();
  else await time.clock.advance(time.ms);
  return undefined;
}
