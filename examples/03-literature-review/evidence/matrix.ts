// The sufficiency matrix: how much evidence by how good it is. It shows at a glance which requirements need
// more papers and which need better ones.
import type { PillarGap, RequirementGap } from "./gaps.ts";

/** Approved claims: none, 1 to 2, 3 to 5, 6 and more. */
export const QUANTITIES = ["none", "few", "some", "many"] as const;
/** Mean composite of the approved claims: under 3.2, under 3.3, above. No claim below 3 is approved. */
export const QUALITIES = ["fair", "good", "high"] as const;

/** One of the quantities. */
export type Quantity = (typeof QUANTITIES)[number];
/** One of the qualities. */
export type Quality = (typeof QUALITIES)[number];

/** One cell. Of no evidence the quality is null. */
export interface MatrixCell {
  readonly quantity: Quantity;
  readonly quality: Quality | null;
  /** Ids, in the order of the tree. */
  readonly requirements: readonly string[];
}

/** Puts every requirement into one cell; cells without any are there, too. */
export function toMatrix(gaps: readonly PillarGap[]): MatrixCell[] {
  const all = gaps.flatMap(({ requirements }) => requirements);
  return QUANTITIES.flatMap((quantity) => {
    const qualities = quantity === "none" ? [null] : QUALITIES;
    return qualities.map((quality) => ({
      quantity,
      quality,
      requirements: all
        .filter((gap) => quantityOf(gap.approved) === quantity && qualityOf(gap) === quality)
        .map(({ id }) => id),
    }));
  });
}

/** The quantity of so many approved claims. */
export function quantityOf(approved: number): Quantity {
  if (approved === 0) return "none";
  if (approved <= 2) return "few";
  return approved <= 5 ? "some" : "many";
}

/** The quality of what was approved; null when nothing was. */
export function qualityOf({ quality }: Pick<RequirementGap, "quality">): Quality | null {
  if (quality === null) return null;
  if (quality < 3.2) return "fair";
  return quality < 3.3 ? "good" : "high";
}
