// The graph of a pipeline by positions: who reads whom, how many needs each has, how deep each lies. Cycle
// search and waves (a view for people; nothing ever waits for a wave).

/** Edges by position in the list of stages. */
export interface Graph {
  /** Direct needs of each stage, without duplicates. */
  readonly needs: readonly (readonly number[])[];
  /** Who reads each stage, in declaration order, without duplicates. */
  readonly readers: readonly (readonly number[])[];
  /** Longest path from an entry: stages of equal depth share a wave. */
  readonly depths: readonly number[];
}

/** Makes the graph. The needs must be free of cycles (`findCycle`). */
export function makeGraph(needs: readonly (readonly number[])[]): Graph {
  const distinct = needs.map((list) => [...new Set(list)]);
  const readers: number[][] = distinct.map(() => []);
  for (const [reader, list] of distinct.entries()) {
    for (const need of list) readers[need]?.push(reader);
  }
  return { needs: distinct, readers, depths: measureDepths(distinct, readers) };
}

/** A cycle as the positions along it, the first repeated at the end; undefined if there is none. */
export function findCycle(needs: readonly (readonly number[])[]): readonly number[] | undefined {
  const left = needs.map((list) => new Set(list).size);
  const readers: number[][] = needs.map(() => []);
  for (const [reader, list] of needs.entries()) {
    for (const need of new Set(list)) readers[need]?.push(reader);
  }
  const free = left.flatMap((count, position) => (count === 0 ? [position] : []));
  for (const position of free) {
    for (const reader of readers[position] ?? []) {
      left[reader] = (left[reader] ?? 0) - 1;
      if (left[reader] === 0) free.push(reader);
    }
  }
  const stuck = left.findIndex((count) => count > 0);
  return stuck === -1 ? undefined : walkCycle(needs, left, stuck);
}

/** From a stage that never gets free, following needs that never get free must come back to itself. */
function walkCycle(
  needs: readonly (readonly number[])[],
  left: readonly number[],
  start: number,
): readonly number[] {
  const path: number[] = [];
  const seen = new Map<number, number>();
  let at = start;
  while (!seen.has(at)) {
    seen.set(at, path.length);
    path.push(at);
    at = (needs[at] ?? []).find((need) => (left[need] ?? 0) > 0) ?? at;
  }
  return [...path.slice(seen.get(at) ?? 0), at];
}

function measureDepths(
  needs: readonly (readonly number[])[],
  readers: readonly (readonly number[])[],
): readonly number[] {
  const depths = needs.map(() => 0);
  const left = needs.map((list) => list.length);
  const free = left.flatMap((count, position) => (count === 0 ? [position] : []));
  for (const position of free) {
    for (const reader of readers[position] ?? []) {
      depths[reader] = Math.max(depths[reader] ?? 0, (depths[position] ?? 0) + 1);
      left[reader] = (left[reader] ?? 0) - 1;
      if (left[reader] === 0) free.push(reader);
    }
  }
  return depths;
}

/** Positions by depth, each wave in declaration order. */
export function listWaves(graph: Graph): readonly (readonly number[])[] {
  const waves: number[][] = [];
  for (const [position, depth] of graph.depths.entries()) {
    while (waves.length <= depth) waves.push([]);
    waves[depth]?.push(position);
  }
  return waves;
}

/** These positions and everything that reads them, directly or not. */
export function listDownstream(graph: Graph, start: Iterable<number>): ReadonlySet<number> {
  return follow(graph.readers, start);
}

/** These positions and everything they need, directly or not. */
export function listUpstream(graph: Graph, start: Iterable<number>): ReadonlySet<number> {
  return follow(graph.needs, start);
}

function follow(
  edges: readonly (readonly number[])[],
  start: Iterable<number>,
): ReadonlySet<number> {
  const found = new Set<number>(start);
  for (const position of found) {
    for (const next of edges[position] ?? []) found.add(next);
  }
  return found;
}
