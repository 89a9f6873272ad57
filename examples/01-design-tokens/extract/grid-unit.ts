// Which number all the distances are multiples of. For each candidate: the share of distances that it
// divides, less the share that chance would give; the largest candidate that explains about as much as the
// best one wins, so that a layout on 8 is not called a layout on 4 or 2.
import type { LengthCount } from "./reading.ts";

/** A unit and how well it explains the distances. */
export interface GridUnit {
  readonly px: number;
  /** Share of the distances beyond chance that are multiples of the unit, 0 to 1. */
  readonly fit: number;
}

const UNIT_MIN = 3;
const UNIT_MAX = 20;
/** Fewer distances, or a weaker fit, say nothing. */
const GAPS_MIN = 8;
const FIT_MIN = 0.25;
/** A larger unit is preferred when it explains at least this share of what the best one does. */
const NEARLY = 0.85;

/** The unit of a layout, or undefined when the distances follow none. */
export function findGridUnit(gaps: readonly LengthCount[]): GridUnit | undefined {
  // Sorted, so that sums of fractions do not depend on the order of the pictures.
  const weights = gaps
    .toSorted((one, other) => one.px - other.px)
    .map(({ px, count }) => ({ px, weight: Math.sqrt(count) }));
  const total = weights.reduce((sum, gap) => sum + gap.weight, 0);
  if (gaps.reduce((sum, gap) => sum + gap.count, 0) < GAPS_MIN) return undefined;
  const units = Array.from({ length: UNIT_MAX - UNIT_MIN + 1 }, (_, index) => {
    const px = UNIT_MIN + index;
    const hits = weights.filter((gap) => gap.px % px === 0);
    const share = hits.reduce((sum, gap) => sum + gap.weight, 0) / total;
    return { px, fit: (share - 1 / px) / (1 - 1 / px) };
  });
  const best = Math.max(...units.map((unit) => unit.fit));
  return best < FIT_MIN ? undefined : units.findLast((unit) => unit.fit >= best * NEARLY);
}
