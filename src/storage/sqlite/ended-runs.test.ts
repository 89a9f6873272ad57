import { expect, test } from "vitest";
import type { RunRecord } from "../../model/run.ts";
import { createRun } from "../../testing/store-suite/fixture.ts";
import { makeRun } from "../run-rules.ts";
import { EndedRuns } from "./ended-runs.ts";

/** A run that has ended, and its row. */
function makeEnded(number: number, run: Partial<RunRecord> = {}): [RunRecord, readonly unknown[]] {
  const made = makeRun(createRun({ tags: { a: "b" } }), number, 5);
  return [{ ...made, state: "succeeded", epoch: 1, ...run }, [number, "a".repeat(9)]];
}

test("a record is found by the state of the run that it was read in, and by no other", () => {
  const runs = new EndedRuns();
  const [record, row] = makeEnded(7);
  runs.keep(record, row);
  expect(runs.find([7, 1, 5])).toBe(record);
  expect(runs.find([8, 1, 5])).toBeUndefined();
  expect(runs.find([7, 1, 5])).toBe(record);
  for (const changed of [
    [7, 2, 5],
    [7, 1, 6],
  ]) {
    runs.keep(record, row);
    expect(runs.find(changed)).toBeUndefined();
    // What has changed once never comes back.
    expect(runs.find([7, 1, 5])).toBeUndefined();
  }
});

test("what many are given nobody can change", () => {
  const [record, row] = makeEnded(7);
  new EndedRuns().keep(record, row);
  expect(Object.isFrozen(record.tags)).toBe(true);
});

test("a run that may go on, and one with long texts, is not kept", () => {
  const runs = new EndedRuns();
  for (const state of ["queued", "running", "waiting"] as const)
    runs.keep(...makeEnded(1, { state }));
  const [long] = makeEnded(1);
  runs.keep(long, [1, "a".repeat(5_000), "b".repeat(5_000)]);
  expect(runs.find([1, 1, 5])).toBeUndefined();
});

test("of more than 2,000 those that were asked for longest ago go", () => {
  const runs = new EndedRuns();
  for (let number = 1; number <= 2_000; number++) runs.keep(...makeEnded(number));
  expect(runs.find([1, 1, 5])).toBeDefined();
  runs.keep(...makeEnded(2_001));
  expect(runs.find([2, 1, 5])).toBeUndefined();
  expect([1, 3, 2_001].every((number) => runs.find([number, 1, 5]) !== undefined)).toBe(true);
});
