// Connected components: pixels that touch and carry the same key. One pass with a union-find over the
// pixels, one to measure. The shape extractor asks for areas of one colour, the type extractor for marks.

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
  const parents = joinPixels(search);
  return measureComponents(search, parents);
}

function joinPixels({ keys, width, skip, diagonal = false }: ComponentSearch): Int32Array {
  const parents = new Int32Array(keys.length);
  for (let at = 0; at < keys.length; at++) {
    parents[at] = at;
    const key = keys[at];
    if (key === skip) continue;
    const x = at % width;
    const isLeftSame = x > 0 && keys[at - 1] === key;
    if (isLeftSame) parents[at] = parents[at - 1] ?? at;
    // Inside an even area the pixel above was joined with its left neighbour already.
    const isAboveSame = keys[at - width] === key;
    if (isAboveSame && !(isLeftSame && keys[at - width - 1] === key)) join(parents, at - width, at);
    if (!diagonal) continue;
    if (x > 0 && keys[at - width - 1] === key) join(parents, at - width - 1, at);
    if (x + 1 < width && keys[at - width + 1] === key) join(parents, at - width + 1, at);
  }
  return parents;
}

function findRoot(parents: Int32Array, at: number): number {
  let root = at;
  while (parents[root] !== root) {
    const above = parents[root] ?? 0;
    parents[root] = parents[above] ?? 0;
    root = parents[root] ?? 0;
  }
  return root;
}

/** The earlier root wins, so that a component is named by its first pixel. */
function join(parents: Int32Array, one: number, other: number): void {
  const [first, second] = [findRoot(parents, one), findRoot(parents, other)];
  if (first < second) parents[second] = first;
  else parents[first] = second;
}

type Draft = { -readonly [Field in keyof Component]: Component[Field] };

function measureComponents(search: ComponentSearch, parents: Int32Array): ComponentMap {
  const { keys, width, skip } = search;
  const indexes = new Int32Array(keys.length).fill(-1);
  const components: Draft[] = [];
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] ?? skip;
    if (key === skip) continue;
    const root = findRoot(parents, at);
    const [x, y] = [at % width, Math.floor(at / width)];
    if (root === at) {
      indexes[at] = components.length;
      components.push({ key, area: 0, left: x, top: y, right: x, bottom: y });
    }
    const index = indexes[root] ?? -1;
    indexes[at] = index;
    const component = components[index];
    if (component !== undefined) grow(component, x, y);
  }
  return { components, indexes };
}

function grow(component: Draft, x: number, y: number): void {
  component.area++;
  if (x < component.left) component.left = x;
  if (x > component.right) component.right = x;
  component.bottom = y;
}
