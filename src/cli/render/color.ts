// Whether colour is used, and how. The question is answered once, before anything is painted: flag, then
// NO_COLOR, then FORCE_COLOR, then the terminal. Only the sixteen colours that every theme chooses for itself
// are used, because the background is not known; and a state is always a shape or a word as well.

import { styleText } from "node:util";
import type { Mark } from "./marks.ts";

/** What decides about colour. */
export interface ColorWish {
  /** `--color`. */
  readonly flag: "auto" | "always" | "never";
  /** Of these NO_COLOR, FORCE_COLOR and TERM are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True if the stream is a terminal. */
  readonly isTerminal: boolean;
}

/** True if the stream may be coloured. An empty NO_COLOR or FORCE_COLOR counts as not set. */
export function resolveColor(wish: ColorWish): boolean {
  if (wish.flag !== "auto") return wish.flag === "always";
  const { NO_COLOR, FORCE_COLOR, TERM } = wish.env;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") {
    return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  }
  return wish.isTerminal && TERM !== "dumb";
}

type Format = Parameters<typeof styleText>[0];

/** What text can be, besides a state. */
export type Tone = "strong" | "faint" | "error" | "warning";

/** Paints text, or leaves it as it is. */
export interface Paint {
  /** In the colour of a state. */
  mark(mark: Mark, text: string): string;
  tone(tone: Tone, text: string): string;
}

const MARK_FORMATS: Readonly<Record<Mark, Format>> = {
  pending: "gray",
  waiting: "magenta",
  retry: "yellow",
  running: "cyan",
  succeeded: "green",
  skipped: "gray",
  failed: ["red", "bold"],
  upstream_failed: "red",
  cancelled: "bold",
};

const TONE_FORMATS: Readonly<Record<Tone, Format>> = {
  strong: "bold",
  faint: "gray",
  error: ["red", "bold"],
  warning: "yellow",
};

const PLAIN: Paint = {
  mark: (_mark, text) => text,
  tone: (_tone, text) => text,
};

// The stream was asked already; asked again, styleText would let FORCE_COLOR beat NO_COLOR.
const ALWAYS = { validateStream: false } as const;

const COLORED: Paint = {
  mark: (mark, text) => styleText(MARK_FORMATS[mark], text, ALWAYS),
  tone: (tone, text) => styleText(TONE_FORMATS[tone], text, ALWAYS),
};

/** The paint for a stream that was found to take colour, or not. */
export function makePaint(isColored: boolean): Paint {
  return isColored ? COLORED : PLAIN;
}
