// A line made of parts of unequal worth: when they do not all fit, the least worth goes first, and what stays
// keeps its order.

import { textWidth } from "../width.ts";

/** A part of a line. */
export interface LinePart {
  /** As printed; may hold colour. */
  readonly text: string;
  /** The higher, the longer it stays. */
  readonly worth: number;
}

const GAP = "  ";

/** The parts that fit into `columns`, two blanks apart; empty parts are left out. */
export function fitLine(parts: readonly LinePart[], columns: number): string {
  let kept = parts.filter(({ text }) => text !== "");
  while (kept.length > 0 && measure(kept) > columns) {
    const least = kept.reduce((low, part) => (part.worth < low.worth ? part : low));
    kept = kept.filter((part) => part !== least);
  }
  return kept.map(({ text }) => text).join(GAP);
}

function measure(parts: readonly LinePart[]): number {
  return parts.reduce((sum, { text }) => sum + textWidth(text), GAP.length * (parts.length - 1));
}
