// WCAG 2 contrast: the ratio of two colours, and what it is enough for.
import { wcagContrast } from "culori";

/** Ratios that text must reach, by level and size. */
export const CONTRAST_MIN = {
  aa: { normal: 4.5, large: 3.0 },
  aaa: { normal: 7.0, large: 4.5 },
} as const;

/** Text from this size on counts as large. Bold text would from 18.66 px; weight is not measured here. */
const LARGE_TEXT_PX_MIN = 24;

/** What a ratio is enough for. */
export interface ContrastVerdict {
  /** 1 to 21. Judged unrounded: 4.4999 does not pass, though it prints as 4.50. */
  readonly ratio: number;
  readonly large: boolean;
  readonly aa: boolean;
  readonly aaa: boolean;
}

/** Judges text of one colour on another. The order of the two makes no difference. */
export function judgeContrast(ink: string, ground: string, sizePx: number): ContrastVerdict {
  const ratio = wcagContrast(ink, ground);
  const large = sizePx >= LARGE_TEXT_PX_MIN;
  const size = large ? "large" : "normal";
  return {
    ratio,
    large,
    aa: ratio >= CONTRAST_MIN.aa[size],
    aaa: ratio >= CONTRAST_MIN.aaa[size],
  };
}
