// A bar of how much has ended: what succeeded, then what failed, then what is left. What is there at all is
// never drawn as nothing: one failure among a million takes a column.

import type { Look } from "../look.ts";

/** Shares of a whole, each from 0 to 1, together at most 1. */
export interface BarShares {
  readonly succeeded: number;
  readonly failed: number;
}

/** A bar of exactly `columns` columns; empty for none. */
export function renderBar(shares: BarShares, columns: number, look: Look): string {
  if (columns < 1) return "";
  const { alphabet, paint } = look;
  const failed = shares.failed <= 0 ? 0 : Math.max(1, Math.floor(shares.failed * columns));
  const room = columns - Math.min(failed, columns);
  const isOver = shares.succeeded + shares.failed >= 1;
  const filled = isOver ? room : Math.min(room, shares.succeeded * columns);
  const whole = Math.floor(filled);
  const full = alphabet.bar.at(-1) ?? "";
  const steps = alphabet.bar.length;
  // The broken column belongs to the end of what succeeded, so it is drawn only where nothing follows.
  const step = failed > 0 ? 0 : Math.floor((filled - whole) * steps);
  const broken = step > 0 && whole < room ? (alphabet.bar[step - 1] ?? "") : "";
  const rest = alphabet.barRest.repeat(Math.max(0, room - whole - (broken === "" ? 0 : 1)));
  return (
    paint.mark("succeeded", full.repeat(whole) + broken) +
    paint.mark("failed", full.repeat(columns - room)) +
    paint.tone("faint", rest)
  );
}
