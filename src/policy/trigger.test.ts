import { expect, test } from "vitest";
import type { StageEndState } from "../model/outcome.ts";
import { TRIGGER_RULES, type TriggerRule } from "../model/stage/trigger.ts";
import { decideTrigger, type NeedEnding } from "./trigger.ts";

const STATES: readonly StageEndState[] = [
  "succeeded",
  "failed",
  "skipped",
  "cancelled",
  "upstream_failed",
];

const NEEDS: readonly NeedEnding[] = STATES.flatMap((state) => [
  { state, soft: false, name: `hard ${state}` },
  { state, soft: true, name: `soft ${state}` },
]);

/** Every list of up to three needs. */
function* everyList(): Generator<readonly NeedEnding[]> {
  yield [];
  for (const one of NEEDS) {
    yield [one];
    for (const two of NEEDS) {
      yield [one, two];
      for (const three of NEEDS) yield [one, two, three];
    }
  }
}

/** The page's table read aloud, with counts instead of searches. */
function oracle(rule: TriggerRule, needs: readonly NeedEnding[]): string {
  const count = (list: readonly NeedEnding[], ...states: readonly StageEndState[]): number =>
    list.filter((need) => states.includes(need.state)).length;
  const failures = count(needs, "failed", "upstream_failed");
  const successes = count(needs, "succeeded");
  const hard = needs.filter((need) => !need.soft);
  switch (rule) {
    case "all_success":
      if (count(hard, "succeeded") === hard.length) return "run";
      if (count(hard, "failed", "upstream_failed") > 0) return "upstream_failed";
      return count(hard, "cancelled") > 0 ? "cancel" : "skip";
    case "all_done":
      return "run";
    case "all_failed":
      return needs.length > 0 && failures === needs.length ? "run" : "skip";
    case "one_failed":
      return failures >= 1 ? "run" : "skip";
    case "none_failed":
      return failures === 0 ? "run" : "upstream_failed";
    case "none_failed_min_one_success":
      if (failures > 0) return "upstream_failed";
      return successes >= 1 ? "run" : "skip";
  }
}

test.each(TRIGGER_RULES)("%s agrees with the table for every list of up to three needs", (rule) => {
  let lists = 0;
  for (const needs of everyList()) {
    lists += 1;
    expect(decideTrigger(rule, needs).kind).toBe(oracle(rule, needs));
  }
  expect(lists).toBe(1_111);
});

test("softness matters to all_success alone", () => {
  for (const needs of everyList()) {
    const hardened = needs.map((need) => ({ ...need, soft: false }));
    for (const rule of TRIGGER_RULES.filter((name) => name !== "all_success")) {
      expect(decideTrigger(rule, hardened)).toEqual(decideTrigger(rule, needs));
    }
  }
});

test("the need that failed itself is named before one that stands behind a failure", () => {
  const needs: readonly NeedEnding[] = [
    { state: "upstream_failed", soft: false, name: "behind" },
    { state: "failed", soft: false, name: "culprit" },
  ];
  expect(decideTrigger("all_success", needs)).toEqual({
    kind: "upstream_failed",
    because: "culprit",
  });
  expect(decideTrigger("none_failed", needs.slice(0, 1))).toEqual({
    kind: "upstream_failed",
    because: "behind",
  });
});

test("a skip or cancel names the need that decided", () => {
  const ok: NeedEnding = { state: "succeeded", soft: false, name: "ok" };
  const skipped: NeedEnding = { state: "skipped", soft: false, name: "skipped" };
  const cancelled: NeedEnding = { state: "cancelled", soft: false, name: "cancelled" };
  expect(decideTrigger("all_success", [ok, skipped])).toEqual({
    kind: "skip",
    reason: "upstream_skipped",
    because: "skipped",
  });
  expect(decideTrigger("all_success", [ok, skipped, cancelled])).toEqual({
    kind: "cancel",
    because: "cancelled",
  });
  expect(decideTrigger("all_failed", [{ ...ok, state: "failed" }, skipped])).toMatchObject({
    because: "skipped",
  });
  expect(decideTrigger("one_failed", [])).toMatchObject({ kind: "skip", because: "" });
});
