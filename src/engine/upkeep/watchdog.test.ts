import { expect, test } from "vitest";
import type { Seen, Sighting } from "../../policy/watchdog/finding.ts";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import { Watchdog } from "./watchdog.ts";

const OLD: Sighting = { rule: "queue-old", subject: "crawl", message: "It is old." };

interface Scene {
  readonly watchdog: Watchdog;
  /** Rules of what was told. */
  readonly told: string[];
  /** Seen by the next looks. */
  sightings: readonly Sighting[];
  /** Tells that fail from now on. */
  failures: number;
}

function makeScene(): Scene {
  const clock = makeVirtualClock();
  const scene: Scene = {
    told: [],
    sightings: [OLD],
    failures: 0,
    watchdog: new Watchdog({
      clock,
      nowMs: () => clock.wallMs(),
      everyMs: 1_000,
      findingsMax: 10,
      surveys: [{ name: "queues", isShared: false, look: async () => scene.sightings }],
      duty: { hold: async () => false, release: async () => {} },
      board: { read: async () => [], write: async () => {} },
      opened: async ({ sighting }: Seen) => {
        if (scene.failures-- > 0) throw new Error("the store is busy");
        scene.told.push(sighting.rule);
      },
      failed: () => {},
    }),
  };
  return scene;
}

test("a finding that could not be told is told by a later look, once, while it is still so", async () => {
  const scene = makeScene();
  scene.failures = 2;
  for (let look = 0; look < 5; look++) await scene.watchdog.look();
  expect(scene.told).toEqual(["queue-old"]);
  expect(scene.watchdog.errors).toBe(2);
});

test("a finding that could not be told and is gone is not told any more", async () => {
  const scene = makeScene();
  scene.failures = 1;
  await scene.watchdog.look();
  scene.sightings = [];
  await scene.watchdog.look();
  expect(scene.told).toEqual([]);
  scene.sightings = [OLD];
  await scene.watchdog.look();
  expect(scene.told).toEqual(["queue-old"]);
});
