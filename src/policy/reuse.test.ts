import fc from "fast-check";
import { expect, test } from "vitest";
import { makeGraph } from "../model/graph.ts";
import { STAGE_STATES, type StageState } from "../model/outcome.ts";
import { encodeValue, type EncodedValue } from "../std/value.ts";
import { assert } from "../std/error/assert.ts";
import {
  decideReset,
  type ResetAction,
  type ResetDefinition,
  type ResetRecord,
  type ResetRequest,
} from "./reuse.ts";

/** `{ b: ["a"] }`: b needs a. Needs stand before their readers. */
function definitionOf(
  needs: Readonly<Record<string, readonly string[]>>,
  unstored: readonly string[] = [],
): ResetDefinition {
  const names = Object.keys(needs);
  return {
    stages: names.map((name) => ({ name, persist: !unstored.includes(name), stageVersion: "v1" })),
    graph: makeGraph(names.map((name) => (needs[name] ?? []).map((need) => names.indexOf(need)))),
    positions: new Map(names.map((name, position) => [name, position])),
  };
}

function storedText(): EncodedValue {
  const encoded = encodeValue(1);
  assert(encoded.ok, "A number can be stored.");
  return encoded.value;
}

function recordOf(stage: string, state: StageState, parts: Partial<ResetRecord> = {}): ResetRecord {
  const output = state === "succeeded" ? ({ kind: "inline", text: storedText() } as const) : null;
  return { stage, state, reason: null, output, stageVersion: "v1", ...parts };
}

function actions(
  definition: ResetDefinition,
  records: readonly ResetRecord[],
  request: ResetRequest = { verb: "resume" },
): Record<string, ResetAction> {
  const { stages } = decideReset(definition, records, request);
  return Object.fromEntries(stages.map(({ stage, action }) => [stage, action]));
}

const LINE = definitionOf({ a: [], b: ["a"], c: ["b"] });
const DONE = ["a", "b", "c"].map((name) => recordOf(name, "succeeded"));

test("a map that bore failed items is opened again, and what reads it is compared", () => {
  const unfinished = new Set(["b"]);
  const open = { a: "keep", b: "open", c: "recheck" };
  expect(actions(LINE, DONE, { verb: "resume", unfinished })).toEqual(open);
  expect(actions(LINE, DONE, { verb: "rerun-failed", unfinished })).toEqual(open);
  expect(decideReset(LINE, DONE, { verb: "resume", unfinished }).stages[1]?.reason).toBe(
    "some of its items failed",
  );
});

test("what reads an input that its schema changed is compared, and so is what reads that", () => {
  expect(actions(LINE, DONE, { verb: "resume", stale: [1] })).toEqual({
    a: "keep",
    b: "recheck",
    c: "recheck",
  });
  const skipped = recordOf("a", "skipped", { reason: "operator" });
  const failed = recordOf("b", "failed");
  expect(actions(LINE, [skipped, failed], { verb: "resume", stale: [0, 1] })).toEqual({
    a: "keep",
    b: "open",
    c: "open",
  });
  const { stages } = decideReset(LINE, DONE, { verb: "resume", stale: [0] });
  expect(stages[0]?.reason).toBe("its input is another one after the schema");
});

test("a rerun from a stage takes over what lies beside it as it is, failed items and all", () => {
  const unfinished = new Set(["a"]);
  const wanted = { a: "keep", b: "keep", c: "drop" };
  expect(actions(LINE, DONE, { verb: "rerun", from: [2], unfinished })).toEqual(wanted);
});

test("what succeeded or was skipped stays as it is", () => {
  const records = [recordOf("a", "succeeded"), recordOf("b", "skipped"), recordOf("c", "skipped")];
  expect(decideReset(LINE, records, { verb: "resume" })).toEqual({
    stages: [
      { position: 0, stage: "a", action: "keep", reason: null },
      { position: 1, stage: "b", action: "keep", reason: null },
      { position: 2, stage: "c", action: "keep", reason: null },
    ],
    vanished: [],
  });
});

test.each<[StageState, string | null]>([
  ["failed", "it failed"],
  ["cancelled", "it was cancelled"],
  ["upstream_failed", "a stage it needs failed"],
  ["pending", null],
  ["running", null],
  ["waiting", null],
])("what is %s is opened again", (state, reason) => {
  const plan = decideReset(LINE, [recordOf("a", "succeeded"), recordOf("b", state)], {
    verb: "resume",
  });
  expect(plan.stages.slice(1)).toEqual([
    { position: 1, stage: "b", action: "open", reason },
    { position: 2, stage: "c", action: "open", reason: null },
  ]);
});

test("whoever read the old ending of something reset is judged again, all the way down", () => {
  const records = [recordOf("a", "failed"), recordOf("b", "succeeded"), recordOf("c", "skipped")];
  expect(decideReset(LINE, records, { verb: "resume" }).stages).toMatchObject([
    { action: "open" },
    { action: "recheck", reason: 'it needs "a", which is judged again' },
    { action: "recheck", reason: 'it needs "b", which is judged again' },
  ]);
});

test("a skip by an operator stays, and shields what stands behind it", () => {
  const records = [
    recordOf("a", "failed"),
    recordOf("b", "skipped", { reason: "operator", stageVersion: "v0" }),
    recordOf("c", "succeeded"),
  ];
  expect(actions(LINE, records)).toEqual({ a: "open", b: "keep", c: "keep" });
  const from: ResetRequest = { verb: "resume", from: [0] };
  expect(actions(LINE, records, from)).toEqual({ a: "drop", b: "keep", c: "drop" });
  expect(actions(LINE, records, { verb: "resume", from: [1] })).toMatchObject({
    b: "drop",
    c: "drop",
  });
});

test("a stage whose definition changed is done again, with its readers checked", () => {
  const records = [recordOf("a", "succeeded", { stageVersion: "v0" }), ...DONE.slice(1)];
  expect(decideReset(LINE, records, { verb: "resume" }).stages).toMatchObject([
    { action: "drop", reason: "its version, needs or options changed" },
    { action: "recheck" },
    { action: "recheck" },
  ]);
  const failed = [recordOf("a", "failed", { stageVersion: "v0" })];
  expect(actions(LINE, failed)).toMatchObject({ a: "drop" });
});

test("stages that are no longer defined are named", () => {
  const plan = decideReset(LINE, [...DONE, recordOf("old", "succeeded")], { verb: "resume" });
  expect(plan.vanished).toEqual(["old"]);
  expect(plan.stages.map(({ action }) => action)).toEqual(["keep", "keep", "keep"]);
});

test("from a stage on, it and all behind it are done again; the rest is kept", () => {
  const fork = definitionOf({ a: [], b: ["a"], c: ["b"], d: ["a"] });
  const records = [...DONE, recordOf("d", "succeeded")];
  for (const verb of ["resume", "rerun"] as const) {
    const { stages } = decideReset(fork, records, { verb, from: [1] });
    expect(stages.map(({ action, reason }) => [action, reason])).toEqual([
      ["keep", null],
      ["drop", "asked by --from"],
      ["drop", 'it comes after "b"'],
      ["keep", null],
    ]);
  }
  const both = decideReset(LINE, DONE, { verb: "resume", from: [1, 0] });
  expect(both.stages.map(({ reason }) => reason)).toEqual([
    "asked by --from",
    "asked by --from",
    'it comes after "a"',
  ]);
});

test("a rerun takes nothing over; one of failures alone takes what a resume keeps", () => {
  const records = [
    recordOf("a", "succeeded"),
    recordOf("b", "failed"),
    recordOf("c", "upstream_failed"),
  ];
  expect(actions(LINE, records, { verb: "rerun" })).toEqual({ a: "drop", b: "drop", c: "drop" });
  expect(actions(LINE, records, { verb: "rerun-failed" })).toEqual({
    a: "keep",
    b: "open",
    c: "open",
  });
});

test("an output that was not stored is made again when a reader needs it, and so on upwards", () => {
  const definition = definitionOf({ a: [], b: ["a"], c: ["b"], d: ["a"] }, ["a", "b"]);
  const lost = { output: null };
  const records = [
    recordOf("a", "succeeded", lost),
    recordOf("b", "succeeded", lost),
    recordOf("c", "failed"),
    recordOf("d", "succeeded"),
  ];
  expect(decideReset(definition, records, { verb: "resume" }).stages).toMatchObject([
    { action: "drop", reason: '"b" needs its output, which was not stored' },
    { action: "drop", reason: '"c" needs its output, which was not stored' },
    { action: "open" },
    { action: "recheck" },
  ]);
});

test("an output that was not stored stays away while nobody needs it", () => {
  const definition = definitionOf({ a: [], b: ["a"], c: [] }, ["a"]);
  const records = [
    recordOf("a", "succeeded", { output: null }),
    recordOf("b", "succeeded"),
    recordOf("c", "failed"),
  ];
  expect(actions(definition, records)).toEqual({ a: "keep", b: "keep", c: "open" });
});

test("a stage that is only checked again is done again once a reader needs what was not stored", () => {
  const definition = definitionOf({ a: [], b: ["a"], c: ["b"] }, ["b"]);
  const records = [
    recordOf("a", "failed"),
    recordOf("b", "succeeded", { output: null }),
    recordOf("c", "succeeded"),
  ];
  expect(actions(definition, records)).toEqual({ a: "open", b: "drop", c: "recheck" });
});

test("a graph that does not fit its stages is our own fault", () => {
  const broken = { ...LINE, graph: makeGraph([]) };
  expect(() => decideReset(broken, [], { verb: "resume" })).toThrow("No stage has the position 0.");
});

const plans = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(8), { maxLength: 3 }),
      state: fc.option(fc.constantFrom(...STAGE_STATES)),
      isOperator: fc.boolean(),
      isChanged: fc.boolean(),
      persist: fc.boolean(),
    }),
    { minLength: 1, maxLength: 9 },
  )
  .map((rows) => {
    const needs = rows.map((row, position) => row.needs.filter((need) => need < position));
    const definition: ResetDefinition = {
      stages: rows.map(({ persist }, at) => ({ name: `s${at}`, persist, stageVersion: "v1" })),
      graph: makeGraph(needs),
      positions: new Map(rows.map((_, at) => [`s${at}`, at])),
    };
    const records = rows.flatMap(({ state, isOperator, isChanged, persist }, at) => {
      if (state === null) return [];
      const reason = isOperator ? "operator" : "condition";
      const version = { reason, stageVersion: isChanged ? "v0" : "v1" };
      return [recordOf(`s${at}`, state, persist ? version : { ...version, output: null })];
    });
    return { definition, records };
  });

test("nothing kept stands on something reset, nothing reset lacks a value, and nothing is reset for nothing", () => {
  fc.assert(
    fc.property(plans, fc.option(fc.nat(8)), ({ definition, records }, from) => {
      const start = from !== null && from < definition.stages.length ? [from] : undefined;
      const request: ResetRequest =
        start === undefined ? { verb: "resume" } : { verb: "resume", from: start };
      const { stages } = decideReset(definition, records, request);
      const recordAt = definition.stages.map(({ name }) =>
        records.find(({ stage }) => stage === name),
      );
      const actionAt = (position: number): ResetAction | undefined => stages[position]?.action;
      const isReset = (position: number): boolean => actionAt(position) !== "keep";
      for (const { position, action } of stages) {
        const record = recordAt[position];
        const needs = definition.graph.needs[position] ?? [];
        const readers = definition.graph.readers[position] ?? [];
        const byHand = record?.state === "skipped" && record.reason === "operator";
        const settled = record?.state === "succeeded" || record?.state === "skipped";
        const sound = byHand || (settled && record.stageVersion === "v1");
        const lost = record?.state === "succeeded" && record.output === null;
        if (action === "keep") {
          expect(sound).toBe(true);
          expect(byHand || !needs.some(isReset)).toBe(true);
        }
        if (action === "keep" || action === "recheck") {
          expect(lost && readers.some(isReset)).toBe(false);
        }
        if (action === "recheck") expect(sound && needs.some(isReset)).toBe(true);
        if (action === "open") expect(sound).toBe(false);
        if (action === "drop" && sound && start === undefined) {
          expect(lost && readers.some(isReset)).toBe(true);
        }
      }
    }),
    { numRuns: 3_000 },
  );
});

test("R198: what a run was started without holds no reader back, and what was taken over from it stands", () => {
  const done = recordOf("b", "succeeded");
  expect(actions(LINE, [done], { verb: "resume", only: ["c"] })).toEqual({
    a: "keep",
    b: "keep",
    c: "open",
  });
  // Also where what it needs is done again in the same run.
  expect(actions(LINE, [done], { verb: "resume", only: ["a", "c"] })).toEqual({
    a: "open",
    b: "keep",
    c: "open",
  });
  expect(actions(LINE, [done])).toEqual({ a: "open", b: "recheck", c: "open" });
});
