// Connected components: pixels that touch and carry the same key. Rows are cut into runs of equal keys first,
// and runs are joined with those above them: an even area costs a few runs, not a million pixels.

/** One connected component. The box includes all four edges. */
export interface Component {
  /** The key its pixels share. */
  readonly key: number;
  readonly area: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Which pixels belong together. */
export interface ComponentSearch {
  /** One key per pixel. */
  readonly keys: Uint32Array;
  readonly width: number;
  /** Pixels with this key belong to no component. */
  readonly skip: number;
  /** Whether touching by a corner is enough. Default false. */
  readonly diagonal?: boolean;
}

/** Components in the order of their first pixel, and for each pixel the index of its own, or -1. */
export interface ComponentMap {
  readonly components: readonly Component[];
  readonly indexes: Int32Array;
}

/** Finds all connected components. */
export function findComponents(search: ComponentSearch): ComponentMap {
  const runs = cutRuns(search);
  const parents = joinRuns(runs, search);
  return measureRuns(runs, parents, search);
}

/** Runs in the order of their pixels; `from` and `to` are their first pixel and the one after their last. */
interface Runs {
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Index of the first run of each row, and the number of runs at the end. */
  readonly rows: readonly number[];
}

function cutRuns({ keys, width, skip }: ComponentSearch): Runs {
  const [from, to, rows]: [number[], number[], number[]] = [[], [], []];
  for (let start = 0; start < keys.length; start += width) {
    rows.push(from.length);
    let at = start;
    while (at < start + width) {
      const key = keys[at];
      const first = at;
      while (at < start + width && keys[at] === key) at++;
      if (key === skip) continue;
      from.push(first);
      to.push(at);
    }
  }
  rows.push(from.length);
  return { from, to, rows };
}

function joinRuns(runs: Runs, search: ComponentSearch): Int32Array {
  const parents = Int32Array.from(runs.from, (_, run) => run);
  for (let row = 1; row + 1 < runs.rows.length; row++) {
    joinRows(parents, runs, { ...search, row });
  }
  return parents;
}

/** Joins the runs of one row with those of the row above that they touch. */
function joinRows(
  parents: Int32Array,
  runs: Runs,
  { keys, width, diagonal = false, row }: ComponentSearch & { readonly row: number },
): void {
  const reach = diagonal ? 1 : 0;
  const [start, end] = [runs.rows[row] ?? 0, runs.rows[row + 1] ?? 0];
  let above = runs.rows[row - 1] ?? 0;
  for (let run = start; run < end; run++) {
    // As if the run lay one row higher, so that both can be compared by pixel numbers.
    const [from, to] = [(runs.from[run] ?? 0) - width, (runs.to[run] ?? 0) - width];
    while (above < start && (runs.to[above] ?? 0) + reach <= from) above++;
    for (let near = above; near < start && (runs.from[near] ?? 0) < to + reach; near++) {
      if (keys[runs.from[near] ?? 0] === keys[from + width]) join(parents, near, run);
    }
  }
}

function findRoot(parents: Int32Array, run: number): number {
  let root = run;
  while (parents[root] !== root) {
    parents[root] = parents[parents[root] ?? 0] ?? 0;
    root = parents[root] ?? 0;
  }
  return root;
}

/** The earlier root wins, so that a component is named by its first run. */
function join(parents: Int32Array, one: number, other: number): void {
  const [first, second] = [findRoot(parents, one), findRoot(parents, other)];
  if (first < second) parents[second] = first;
  else parents[first] = second;
}

type Draft = { -readonly [Field in keyof Component]: Component[Field] };

function measureRuns(runs: Runs, parents: Int32Array, search: ComponentSearch): ComponentMap {
  const { keys, width } = search;
  const indexes = new Int32Array(keys.length).fill(-1);
  const components: Draft[] = [];
  const indexOf = new Int32Array(parents.length);
  for (const [run, from] of runs.from.entries()) {
    const to = runs.to[run] ?? from;
    const root = findRoot(parents, run);
    const [left, top] = [from % width, Math.floor(from / width)];
    if (root === run) {
      indexOf[run] = components.length;
      const key = keys[from] ?? search.skip;
      components.push({ key, area: 0, left, top, right: left, bottom: top });
    }
    const index = indexOf[root] ?? 0;
    indexes.fill(index, from, to);
    const component = components[index];
    if (component === undefined) continue;
    component.area += to - from;
    component.left = Math.min(component.left, left);
    component.right = Math.max(component.right, left + to - from - 1);
    component.bottom = top;
  }
  return { components, indexes };
}
