// Weighted k-means over points in three dimensions, with centres that are pinned and centres that move.
// The same points and seed always give the same answer: the start is drawn from a small generator of our
// own, and every tie goes to the lower index.

/** Points with weights, and where to begin. */
export interface KMeansProblem {
  /** Three numbers per point. */
  readonly points: Float64Array;
  readonly weights: Float64Array;
  /** Three numbers per centre that takes part but never moves. */
  readonly pinned: Float64Array;
  /** How many centres are searched besides. Fewer when there are fewer different points. */
  readonly free: number;
  readonly seed: number;
}

/** Centres, the pinned ones first, and for each point the index of its centre. */
export interface KMeansAnswer {
  readonly centers: Float64Array;
  readonly labels: Uint16Array;
}

const ROUNDS_MAX = 24;

/** Groups the points. Without points or centres the answer is empty. */
export function groupPoints(problem: KMeansProblem): KMeansAnswer {
  const centers = chooseCenters(problem);
  const labels = new Uint16Array(problem.weights.length);
  if (centers.length === 0) return { centers: new Float64Array(0), labels };
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const changed = assignPoints(problem.points, centers, labels);
    if (!changed && round > 0) break;
    moveCenters(problem, centers, labels);
  }
  assignPoints(problem.points, centers, labels);
  return { centers: Float64Array.from(centers), labels };
}

/** k-means++: each next centre is drawn with a chance that grows with its distance to the others. */
function chooseCenters(problem: KMeansProblem): number[] {
  const { points, weights } = problem;
  const centers = [...problem.pinned];
  const roll = makeDice(problem.seed);
  for (let drawn = 0; drawn < problem.free; drawn++) {
    const chances = weights.map((weight, index) => {
      const nearest = centers.length === 0 ? 1 : findNearest(points, index, centers).distance;
      return weight * nearest;
    });
    const index = drawIndex(chances, roll());
    if (index === undefined) break;
    centers.push(...points.subarray(index * 3, index * 3 + 3));
  }
  return centers;
}

function drawIndex(chances: Float64Array, roll: number): number | undefined {
  const total = chances.reduce((sum, chance) => sum + chance, 0);
  if (total <= 0) return undefined;
  let left = roll * total;
  return chances.findIndex((chance) => (left -= chance) < 0);
}

/** xorshift32: enough to scatter a handful of starting points. */
function makeDice(seed: number): () => number {
  // Small seeds would begin with small numbers, and so with the first points.
  let state = Math.imul(seed, 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function findNearest(
  points: Float64Array,
  index: number,
  centers: readonly number[],
): { readonly center: number; readonly distance: number } {
  const [x, y, z] = [
    points[index * 3] ?? 0,
    points[index * 3 + 1] ?? 0,
    points[index * 3 + 2] ?? 0,
  ];
  let best = 0;
  let distance = Number.POSITIVE_INFINITY;
  for (let at = 0; at < centers.length; at += 3) {
    const [dx, dy, dz] = [
      x - (centers[at] ?? 0),
      y - (centers[at + 1] ?? 0),
      z - (centers[at + 2] ?? 0),
    ];
    const here = dx * dx + dy * dy + dz * dz;
    if (here < distance) [best, distance] = [at / 3, here];
  }
  return { center: best, distance };
}

function assignPoints(
  points: Float64Array,
  centers: readonly number[],
  labels: Uint16Array,
): boolean {
  let changed = false;
  for (let index = 0; index < labels.length; index++) {
    const { center } = findNearest(points, index, centers);
    changed ||= labels[index] !== center;
    labels[index] = center;
  }
  return changed;
}

function moveCenters(problem: KMeansProblem, centers: number[], labels: Uint16Array): void {
  const sums = new Float64Array((centers.length / 3) * 4);
  for (const [index, label] of labels.entries()) {
    const weight = problem.weights[index] ?? 0;
    for (let axis = 0; axis < 3; axis++) {
      const at = label * 4 + axis;
      sums[at] = (sums[at] ?? 0) + (problem.points[index * 3 + axis] ?? 0) * weight;
    }
    sums[label * 4 + 3] = (sums[label * 4 + 3] ?? 0) + weight;
  }
  for (let at = problem.pinned.length; at < centers.length; at++) {
    const weight = sums[Math.floor(at / 3) * 4 + 3] ?? 0;
    if (weight > 0) centers[at] = (sums[Math.floor(at / 3) * 4 + (at % 3)] ?? 0) / weight;
  }
}
