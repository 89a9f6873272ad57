// From a time to a number, for rows whose times rise with their numbers: some twenty looks at a primary key find it among
// millions, and no index on times has to be kept.

import { readNumber } from "../codec.ts";
import type { Statement } from "./statement.ts";

/** Over rows with a `number` and an `at_ms`. */
export interface TimedRows {
  /** The highest number, in one row; 0: there are none. */
  readonly newest: Statement;
  /** The first row with the number it is given, or a higher one. */
  readonly from: Statement;
}

/** The lowest number from which on rows are of this time or later, UTC ms. */
export function findSince({ newest, from }: TimedRows, atMs: number): number {
  const last = newest.get();
  let low = 1;
  let high = last === undefined ? 1 : readNumber(last, "number") + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = from.get(middle);
    if (row === undefined || readNumber(row, "at_ms") >= atMs) high = middle;
    else low = readNumber(row, "number") + 1;
  }
  return low;
}
