// Colours that look different to most people and alike to some: each pair is compared once as it is and once
// as seen without one of the three kinds of cones.
import {
  differenceCiede2000,
  filterDeficiencyDeuter,
  filterDeficiencyProt,
  filterDeficiencyTrit,
} from "culori";

/** Complete lack of one kind of cones: red, green, blue. */
export const VISIONS = ["protanopia", "deuteranopia", "tritanopia"] as const;

/** One way of seeing. */
export type Vision = (typeof VISIONS)[number];

/** Two colours that somebody cannot tell apart. */
export interface VisionConflict {
  readonly one: string;
  readonly other: string;
  readonly vision: Vision;
  /** CIEDE2000 distances, as most people and as these people see them. */
  readonly normal: number;
  readonly seen: number;
}

/** Pairs this different are meant to be told apart. */
const DISTINCT_MIN = 12;
/** Pairs this alike are not. */
const ALIKE_MAX = 5;

const FILTERS = {
  protanopia: filterDeficiencyProt(1),
  deuteranopia: filterDeficiencyDeuter(1),
  tritanopia: filterDeficiencyTrit(1),
};

/** All conflicts between the given colours, the most confusing first. */
export function findVisionConflicts(
  colors: readonly { readonly name: string; readonly value: string }[],
): VisionConflict[] {
  const measure = differenceCiede2000();
  const pairs = colors.flatMap((one, index) =>
    colors.slice(index + 1).map((other) => ({ one, other })),
  );
  return pairs
    .filter(({ one, other }) => measure(one.value, other.value) >= DISTINCT_MIN)
    .flatMap(({ one, other }) =>
      VISIONS.map((vision) => ({
        one: one.name,
        other: other.name,
        vision,
        normal: measure(one.value, other.value),
        seen: measure(FILTERS[vision](one.value), FILTERS[vision](other.value)),
      })),
    )
    .filter((conflict) => conflict.seen < ALIKE_MAX)
    .sort((one, other) => one.seen - other.seen);
}
