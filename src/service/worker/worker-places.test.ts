import { expect, test } from "vitest";
import { WorkerPlaces, type PlacedRun } from "./worker-places.ts";

/** Runs that rest when they are told to, and of which some can be sent away. */
function makePlaces(count: number) {
  const changes = { count: 0 };
  const hurried: string[] = [];
  const places = new WorkerPlaces<PlacedRun>(count, () => (changes.count += 1));
  const add = (id: string, { isResting = false, stays = false } = {}): PlacedRun => {
    const core: PlacedRun["core"] = { onRest: () => {} };
    const hurry = (): boolean => {
      hurried.push(id);
      if (!stays) run.core.onRest(false);
      return !stays;
    };
    const run = { id, isResting, hurry, core };
    places.take(run);
    return run;
  };
  return { places, add, changes, hurried };
}

test("a run at rest takes no place, and takes it again when it goes on", () => {
  const { places, add, changes } = makePlaces(2);
  const first = add("first");
  add("second");
  expect(places.free).toBe(0);
  first.core.onRest(true);
  expect([places.free, changes.count, places.size]).toEqual([1, 1, 2]);
  add("third");
  expect(places.free).toBe(0);
  first.core.onRest(false);
  expect(places.free).toBe(-1);
  places.leave(first);
  expect([places.free, places.size]).toEqual([0, 2]);
});

test("one that rests before it is taken counts as resting, and one that left is not heard any more", () => {
  const { places, add, changes } = makePlaces(1);
  const run = add("run", { isResting: true });
  expect([places.free, changes.count]).toEqual([1, 1]);
  places.leave(run);
  run.core.onRest(true);
  expect([places.free, changes.count]).toEqual([1, 1]);
});

test("twice as many as there are places rest here; beyond that the one that has rested longest goes", () => {
  const { places, add, hurried } = makePlaces(2);
  const runs = ["a", "b", "c", "d"].map((id) => add(id));
  for (const run of runs) run.core.onRest(true);
  places.relieve();
  expect(hurried).toEqual([]);
  expect(places.free).toBe(2);
  // It rests on, and has rested longest all the same.
  runs[0]?.core.onRest(true);
  add("e").core.onRest(true);
  add("f").core.onRest(true);
  expect(places.free).toBe(0);
  places.relieve();
  expect(hurried).toEqual(["a", "b"]);
});

test("what may go on soon stays, and nothing more is claimed than can be kept", () => {
  const { places, add, hurried } = makePlaces(1);
  for (const id of ["a", "b"]) add(id, { stays: true }).core.onRest(true);
  expect(places.free).toBe(1);
  add("c", { stays: true }).core.onRest(true);
  places.relieve();
  expect(hurried).toEqual(["a", "b", "c"]);
  expect(places.free).toBe(0);
});
