// How often each colour occurs, and whether its pixels lie together. Counting sorts a copy of the picture, so
// that a photograph with a million colours costs as little memory as a page with ten.
import { UNSEEN } from "../image/picture.ts";
import type { Picture } from "../image/picture.ts";

/** One colour and the number of its pixels. */
export interface ColorCount {
  readonly color: number;
  readonly count: number;
}

/** A colour with the shares of its pixels whose neighbour has the same colour. */
export interface SpreadCount extends ColorCount {
  readonly across: number;
  readonly down: number;
}

/** All colours that can be seen, most frequent first; equal counts by colour. */
export function countColors({ colors }: Picture): ColorCount[] {
  const sorted = colors.toSorted();
  const counts: ColorCount[] = [];
  for (let at = 0; at < sorted.length;) {
    const color = sorted[at] ?? UNSEEN;
    const first = at;
    while (at < sorted.length && sorted[at] === color) at++;
    if (color !== UNSEEN) counts.push({ color, count: at - first });
  }
  return counts.sort((one, other) => other.count - one.count || one.color - other.color);
}

/** Looks at the neighbours, right and below, of every pixel of the given colours. */
export function measureSpread(
  { colors, width }: Picture,
  counts: readonly ColorCount[],
): SpreadCount[] {
  const indexes = new Map(counts.map(({ color }, index) => [color, index]));
  const [across, down] = [new Float64Array(counts.length), new Float64Array(counts.length)];
  let [color, index]: [number, number | undefined] = [UNSEEN, undefined];
  for (let at = 0; at < colors.length; at++) {
    const own = colors[at] ?? UNSEEN;
    if (own !== color) index = indexes.get(own);
    color = own;
    if (index === undefined) continue;
    if ((at + 1) % width !== 0 && colors[at + 1] === own) across[index] = (across[index] ?? 0) + 1;
    if (colors[at + width] === own) down[index] = (down[index] ?? 0) + 1;
  }
  return counts.map((entry, at) => ({
    ...entry,
    across: (across[at] ?? 0) / entry.count,
    down: (down[at] ?? 0) / entry.count,
  }));
}
