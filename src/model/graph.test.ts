import fc from "fast-check";
import { expect, test } from "vitest";
import { findCycle, listDownstream, listUpstream, listWaves, makeGraph } from "./graph.ts";

const DIAMOND = [[], [0], [0], [1, 2], []];

test("readers are those who need a stage, each once, in declaration order", () => {
  expect(makeGraph([[], [0, 0], [0], [2, 1]]).readers).toEqual([[1, 2], [3], [3], []]);
  expect(makeGraph([[], [0, 0]]).needs).toEqual([[], [0]]);
});

test("R11: waves are stages of equal depth, entries first", () => {
  expect(listWaves(makeGraph(DIAMOND))).toEqual([[0, 4], [1, 2], [3]]);
  // The longest way counts.
  expect(listWaves(makeGraph([[], [0], [0, 1]]))).toEqual([[0], [1], [2]]);
});

test("upstream and downstream include where they start", () => {
  const graph = makeGraph(DIAMOND);
  expect(listDownstream(graph, [1])).toEqual(new Set([1, 3]));
  expect(listUpstream(graph, [3])).toEqual(new Set([0, 1, 2, 3]));
  expect([...listUpstream(graph, [4])]).toEqual([4]);
});

test("R6: a cycle is given as the way round, the first stage again at the end", () => {
  expect(findCycle(DIAMOND)).toBeUndefined();
  expect(findCycle([[0]])).toEqual([0, 0]);
  expect(findCycle([[1], [0]])).toEqual([0, 1, 0]);
  // Behind a cycle is not in it.
  const cycle = findCycle([[], [3], [1], [2], [3]]);
  expect(cycle?.at(0)).toBe(cycle?.at(-1));
  expect(new Set(cycle)).toEqual(new Set([1, 2, 3]));
});

const needs = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(fc.array(fc.nat({ max: size - 1 }), { maxLength: 4 }), {
    minLength: size,
    maxLength: size,
  }),
);

/** True if some walk along needs comes back: every walk is tried. */
function hasCycle(edges: readonly (readonly number[])[]): boolean {
  const reaches = (from: number, to: number, seen: ReadonlySet<number>): boolean =>
    (edges[from] ?? []).some(
      (next) => next === to || (!seen.has(next) && reaches(next, to, new Set([...seen, next]))),
    );
  return edges.some((_list, index) => reaches(index, index, new Set([index])));
}

test("a cycle is found if and only if there is one, and every step of it is a need", () => {
  fc.assert(
    fc.property(needs, (edges) => {
      const cycle = findCycle(edges);
      expect(cycle !== undefined).toBe(hasCycle(edges));
      if (cycle === undefined) return;
      expect(cycle.at(0)).toBe(cycle.at(-1));
      for (const [at, from] of cycle.slice(0, -1).entries()) {
        expect(edges[from]).toContain(cycle[at + 1]);
      }
    }),
    { numRuns: 300 },
  );
});

test("a chain of 10,000 is no deep call", () => {
  const chain = Array.from({ length: 10_000 }, (_, index) => (index === 0 ? [] : [index - 1]));
  expect(findCycle(chain)).toBeUndefined();
  const graph = makeGraph(chain);
  expect(graph.depths.at(-1)).toBe(9_999);
  expect(listUpstream(graph, [9_999]).size).toBe(10_000);
});
