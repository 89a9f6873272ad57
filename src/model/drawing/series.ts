// A graph as chains and forks: stages one after the other, and branches that part and meet again. Graphs that
// are not made so (a ladder, two forks that cross) have no such form, and the answer says so.

import type { Graph } from "../graph.ts";

/** One stage, or branches between the same two points. An empty branch is a direct dependency. */
export type Part =
  | { readonly kind: "stage"; readonly position: number }
  | { readonly kind: "branches"; readonly branches: readonly Series[] };

/** Parts one after the other. */
export type Series = readonly Part[];

/** Beyond this a drawing is no longer read, and taking the graph apart costs stages times edges. */
const STAGES_MAX = 200;

/** Two points and what lies between them. */
interface Link {
  readonly from: number;
  readonly to: number;
  readonly series: Series;
}

/** The graph as one series; undefined if it has no such form, or more than 200 stages. */
export function findSeries(graph: Graph): Series | undefined {
  const count = graph.needs.length;
  if (count === 0 || count > STAGES_MAX) return undefined;
  let links = listLinks(graph);
  const left = new Set(graph.needs.keys());
  let before = -1;
  // Each round joins equal ends, then takes one stage out; without either the graph has no such form.
  while (links.length !== before) {
    before = links.length;
    links = joinParallel(links);
    links = joinSerial(links, left);
  }
  const [only] = links;
  return links.length === 1 ? only?.series : undefined;
}

/** Every dependency, and one point before all entries and one after all ends. */
function listLinks(graph: Graph): Link[] {
  const end = graph.needs.length;
  const links: Link[] = [];
  for (const [to, needs] of graph.needs.entries()) {
    if (needs.length === 0) links.push({ from: -1, to, series: [] });
    for (const from of needs) links.push({ from, to, series: [] });
    if ((graph.readers[to] ?? []).length === 0) links.push({ from: to, to: end, series: [] });
  }
  return links;
}

function joinParallel(links: readonly Link[]): Link[] {
  const groups = new Map<string, Link[]>();
  for (const link of links) {
    const key = `${link.from}>${link.to}`;
    groups.set(key, [...(groups.get(key) ?? []), link]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined || group.length === 1) return group;
    const branches = group.flatMap(({ series }) => flatten(series)).toSorted(byFirstStage);
    return [{ from: first.from, to: first.to, series: [{ kind: "branches", branches }] }];
  });
}

/** Branches within branches between the same points are branches of one fork. */
function flatten(series: Series): readonly Series[] {
  const [only, ...more] = series;
  return only?.kind === "branches" && more.length === 0 ? only.branches : [series];
}

/** In the order of writing; the direct dependency last. */
function byFirstStage(left: Series, right: Series): number {
  return firstStage(left) - firstStage(right);
}

function firstStage(series: Series): number {
  const [first] = series;
  if (first === undefined) return Infinity;
  return first.kind === "stage" ? first.position : Math.min(...first.branches.map(firstStage));
}

/** Takes out every stage with one way in and one way out. */
function joinSerial(links: readonly Link[], left: Set<number>): Link[] {
  let joined = [...links];
  for (const position of left) {
    const before = joined.filter((link) => link.to === position);
    const after = joined.filter((link) => link.from === position);
    const [into] = before;
    const [out] = after;
    if (into === undefined || out === undefined || before.length + after.length !== 2) continue;
    left.delete(position);
    joined = joined.filter((link) => link !== into && link !== out);
    const series: Series = [...into.series, { kind: "stage", position }, ...out.series];
    joined.push({ from: into.from, to: out.to, series });
  }
  return joined;
}
