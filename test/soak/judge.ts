// Whether what a long-lived process uses has stayed the same. The first quarter of the time is left out, in which it
// warms up; of the rest, the median of the first third is compared with that of the last.

/** What was seen at one moment. */
export interface SoakSample {
  /** Since the beginning, s. */
  readonly atS: number;
  /** Of one core, since the sample before. */
  readonly cpuPercent: number;
  readonly rssMb: number;
  /** Heap in use after the last full collection: what is kept. */
  readonly heapMb: number;
  /** Timers, sockets, files that the event loop knows of. */
  readonly handles: number;
  /** Open file descriptors. */
  readonly files: number;
  readonly walMb: number;
  readonly storeMb: number;
  /** Runs that wait or run. */
  readonly depth: number;
}

/** What must stay the same, and by how much it may grow. */
export interface SoakBound {
  readonly key: keyof SoakSample;
  readonly name: string;
  readonly grownMax: number;
  /** At any moment after the first quarter. */
  readonly atMost: number;
}

/** How one of them did. */
export interface SoakVerdict {
  readonly name: string;
  /** Medians of the first and of the last third. */
  readonly before: number;
  readonly after: number;
  readonly most: number;
  readonly isFlat: boolean;
}

/** Fewer samples after the first quarter say nothing about growth. */
const SAMPLES_MIN = 9;

/** Judges; null: there are too few samples. */
export function judgeSoak(
  samples: readonly SoakSample[],
  bounds: readonly SoakBound[],
): readonly SoakVerdict[] | null {
  const warm = samples.slice(Math.ceil(samples.length / 4));
  if (warm.length < SAMPLES_MIN) return null;
  const third = Math.floor(warm.length / 3);
  return bounds.map(({ key, name, grownMax, atMost }) => {
    const values = warm.map((sample) => sample[key]);
    const before = median(values.slice(0, third));
    const after = median(values.slice(-third));
    const most = Math.max(...values);
    return { name, before, after, most, isFlat: after - before <= grownMax && most <= atMost };
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
