import { expect, test } from "vitest";
import type { CrashRecord } from "../model/checkpoint.ts";
import type { NeedShape } from "../model/definition.ts";
import {
  canLeaveProcess,
  countCrash,
  decideIsolation,
  findCrash,
  isPoison,
  poisonFailure,
  type Suspect,
} from "./crashes.ts";

const a: Suspect = { stage: "a", item: null, isolated: false };
const aAlone: Suspect = { ...a, isolated: true };
const item: Suspect = { stage: "a", item: "k", isolated: false };
const reason = "its process is gone";

function count(suspects: readonly Suspect[][], lostBefore = 9): readonly CrashRecord[] {
  let known: readonly CrashRecord[] = [];
  for (const each of suspects) known = countCrash(known, { suspects: each, reason, lostBefore });
  return known;
}

test("every suspect of a crash gets one, the stage and its items apart", () => {
  const known = count([[a, item], [a]]);
  expect(findCrash(known, a)).toMatchObject({ crashes: 2, isolated: 0, reason });
  expect(findCrash(known, item)).toMatchObject({ crashes: 1, isolated: 0 });
  expect(findCrash(known, { stage: "b", item: null })).toBeUndefined();
  expect(findCrash(known, null)).toBeUndefined();
});

test("a crash that names nobody counts against who dies alone next, unless there was progress", () => {
  const unnamed = count([[], []]);
  expect(findCrash(unnamed, null)).toMatchObject({ stage: null, crashes: 2 });
  const found = countCrash(unnamed, { suspects: [aAlone], reason: "killed", lostBefore: 2 });
  expect(found).toEqual([{ stage: "a", item: null, crashes: 3, isolated: 1, reason: "killed" }]);
  const later = countCrash(unnamed, { suspects: [aAlone], reason, lostBefore: 0 });
  expect(findCrash(later, a)).toMatchObject({ crashes: 1, isolated: 1 });
  // Who only may have done it does not answer for others.
  const vague = countCrash(unnamed, { suspects: [a], reason, lostBefore: 2 });
  expect(findCrash(vague, a)).toMatchObject({ crashes: 1 });
  expect(findCrash(vague, null)).toMatchObject({ crashes: 2 });
});

test("poison crashed three times, at least once alone", () => {
  expect(isPoison(undefined)).toBe(false);
  expect(isPoison(findCrash(count([[a], [a], [a]]), a))).toBe(false);
  expect(isPoison(findCrash(count([[a], [aAlone]]), a))).toBe(false);
  const poison = findCrash(count([[a], [a], [aAlone]]), a);
  expect(isPoison(poison)).toBe(true);
  if (poison === undefined) return;
  expect(poisonFailure(poison)).toMatchObject({
    class: "poison",
    attempts: 3,
    message: '"a" is not started again after 3 crashes: its process is gone',
  });
  expect(poisonFailure({ ...poison, item: "k" }).message).toContain('item "k" of "a"');
});

function checkpoints(
  crashes: readonly CrashRecord[],
  ended: { readonly stages?: readonly string[]; readonly items?: readonly string[] } = {},
): Parameters<typeof decideIsolation>[1] {
  const state = "succeeded";
  const stages = (ended.stages ?? []).map((stage) => ({ stage, state }) as const);
  const items = (ended.items ?? []).map((key) => ({ key, state }) as const);
  return { stages, items: new Map([["a", items]]), crashes };
}

test("after its second crash a run's open suspects are isolated, else everything, else nothing", () => {
  const known = count([[a, item], []]);
  expect(decideIsolation({ crashes: 1 }, checkpoints(known))).toBeNull();
  const both = decideIsolation({ crashes: 2 }, checkpoints(known));
  expect(both?.kind === "suspects" && both.suspects.map((one) => one.item)).toEqual([null, "k"]);
  const one = decideIsolation({ crashes: 2 }, checkpoints(known, { items: ["k"] }));
  expect(one?.kind === "suspects" && one.suspects.map(({ item: key }) => key)).toEqual([null]);
  const none = checkpoints(known, { stages: ["a"] });
  expect(decideIsolation({ crashes: 2 }, none)).toEqual({ kind: "everything" });
  const named = checkpoints(count([[a], [a]]), { stages: ["a"] });
  expect(decideIsolation({ crashes: 2 }, named)).toBeNull();
});

test("a stage leaves its process when its module is known and all that goes in and out can be stored", () => {
  const definition = { module: "file:///made.ts", stages: [{ persist: true }, { persist: false }] };
  const read = (stage: number): NeedShape => ({ kind: "stage", stage, required: false });
  const canLeave = (...shapes: readonly NeedShape[]): boolean => {
    const needs = shapes.map((shape, index) => ({ name: `n${index}`, shape }));
    return canLeaveProcess(definition, { command: null, persist: true, needs });
  };
  expect(canLeave()).toBe(true);
  expect(canLeave({ kind: "input" }, read(0), { kind: "list", parts: [read(0)] })).toBe(true);
  expect(canLeave(read(0), read(1))).toBe(false);
  expect(canLeave({ kind: "list", parts: [read(0), read(1)] })).toBe(false);
  expect(canLeave({ kind: "provided", name: "key" })).toBe(false);
  const bare = { command: null, persist: true, needs: [] };
  expect(canLeaveProcess({ ...definition, module: null }, bare)).toBe(false);
  expect(canLeaveProcess(definition, { ...bare, persist: false })).toBe(false);
});
