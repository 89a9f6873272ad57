// The nine marks in which every state is drawn, in two alphabets, and the map from the model's states to
// them. Exhaustive over the model's tuples: a new state does not compile until it has a mark. Colour belongs
// to `color.ts`; the word shown beside a mark is always the model's own.

import type { BlockerKind } from "../../model/blocker.ts";
import type { StageState } from "../../model/outcome.ts";
import type { RunState } from "../../model/run.ts";

/** Every mark. `waiting` of the model is drawn as `retry` when its first blocker is a retry. */
export const MARKS = [
  "pending",
  "waiting",
  "retry",
  "running",
  "succeeded",
  "skipped",
  "failed",
  "upstream_failed",
  "cancelled",
] as const;

/** Name of a mark. */
export type Mark = (typeof MARKS)[number];

/** Which signs may be printed. `ascii`: nothing above 0x7e. */
export type AlphabetName = "unicode" | "ascii";

/** Every sign that is not a letter or digit of the text itself. All are one column wide. */
export interface Alphabet {
  readonly name: AlphabetName;
  readonly marks: Readonly<Record<Mark, string>>;
  /** Repeated to draw a line across. */
  readonly rule: string;
  /** Between a name and the text that belongs to it. */
  readonly pipe: string;
  /** Between two facts on one line. */
  readonly dot: string;
  readonly times: string;
  readonly warning: string;
  /** Fills of one column of a bar, from the least to full. */
  readonly bar: readonly string[];
  /** One column of a bar that is still empty. */
  readonly barRest: string;
  /** In place of what was cut out of a text; may be two columns wide. */
  readonly ellipsis: string;
  /** In place of a value that is not there. */
  readonly none: string;
}

const UNICODE: Alphabet = {
  name: "unicode",
  marks: {
    pending: "◌",
    waiting: "⧗",
    retry: "↻",
    running: "◐",
    succeeded: "✓",
    skipped: "⊘",
    failed: "◆",
    upstream_failed: "◇",
    cancelled: "■",
  },
  rule: "─",
  pipe: "│",
  dot: "·",
  times: "×",
  warning: "▲",
  bar: ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
  barRest: "·",
  ellipsis: "…",
  none: "–",
};

const ASCII: Alphabet = {
  name: "ascii",
  marks: {
    pending: ".",
    waiting: "=",
    retry: "~",
    running: ">",
    succeeded: "+",
    skipped: "-",
    failed: "X",
    upstream_failed: "x",
    cancelled: "#",
  },
  rule: "-",
  pipe: "|",
  dot: "-",
  times: "x",
  warning: "!",
  bar: ["#"],
  barRest: ".",
  ellipsis: "..",
  none: "-",
};

/** The signs of an alphabet. */
export function alphabetOf(name: AlphabetName): Alphabet {
  return name === "ascii" ? ASCII : UNICODE;
}

/** Mark of a state of a run, stage or item; `blocker` is the kind of its first blocker, where it waits. */
export function markOf(state: RunState | StageState, blocker?: BlockerKind): Mark {
  if (state === "waiting") return blocker === "retry" ? "retry" : "waiting";
  return MARK_BY_STATE[state];
}

const MARK_BY_STATE: Readonly<Record<Exclude<RunState | StageState, "waiting">, Mark>> = {
  queued: "pending",
  pending: "pending",
  running: "running",
  succeeded: "succeeded",
  skipped: "skipped",
  failed: "failed",
  upstream_failed: "upstream_failed",
  cancelled: "cancelled",
};

/** What decides the alphabet. */
export interface AlphabetWish {
  /** `--ascii`. */
  readonly ascii: boolean;
  /** Of these LC_ALL, LC_CTYPE and LANG are read, the first that is not empty. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The alphabet to print in: ASCII when asked for, or when the locale names another encoding than UTF-8. */
export function resolveAlphabet(wish: AlphabetWish): Alphabet {
  if (wish.ascii) return ASCII;
  const { LC_ALL, LC_CTYPE, LANG } = wish.env;
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== "");
  // No locale at all is what services and containers have; their terminals speak UTF-8 all the same.
  if (locale === undefined || /utf-?8/i.test(locale)) return UNICODE;
  return ASCII;
}
