// The trade after a range: a price one tick outside it is the entry, the other end's is the stop. Of what happens within
// one minute only its extremes are known, so the worse is taken to come first.
import type { LocalBar } from "./local-bar.ts";
import type { Range } from "./slot.ts";

/** `time`: still open when the bars end. `break_even`: stopped at the entry, where the stop was moved. */
export const RESULTS = ["win", "loss", "break_even", "time", "no_trade"] as const;

/** How a trade ended. */
export type Result = (typeof RESULTS)[number];

/** A trade. Prices in ticks; null where nothing was entered. */
export interface Trade {
  readonly entry: number | null;
  readonly stop: number | null;
  readonly target: number | null;
  /** The furthest it went its way before it ended, at most as far as the target. */
  readonly excursion: number | null;
  readonly result: Result;
}

/** Part of the way to the target after which the stop moves to the entry. */
const SAFE_SHARE = 0.65;

const NO_TRADE: Trade = {
  entry: null,
  stop: null,
  target: null,
  excursion: null,
  result: "no_trade",
};

/** The trade that a range leads to. `after`: the bars after it, in order. */
export function findTrade(range: Range, after: readonly LocalBar[], targetTicks: number): Trade {
  const above = range.high + 1;
  const below = range.low - 1;
  const at = after.findIndex(({ high, low }) => high >= above || low <= below);
  const bar = after[at];
  if (bar === undefined) return NO_TRADE;
  const isLong = goesUp(bar, above, below);
  const side = isLong ? 1 : -1;
  const entry = isLong ? above : below;
  const stop = isLong ? below : above;
  const moves = after.slice(at).map(({ high, low }) => ({
    best: isLong ? high - entry : entry - low,
    worst: isLong ? low - entry : entry - high,
  }));
  const riskTicks = above - below;
  const ended = follow(moves, { riskTicks, targetTicks });
  return { entry, stop, target: entry + side * targetTicks, ...ended };
}

/** Which end was crossed; of both, the one nearer to where the minute began, and the upper one of equals. */
function goesUp({ open, high, low }: LocalBar, above: number, below: number): boolean {
  if (low > below) return true;
  if (high < above) return false;
  return above - open <= open - below;
}

interface Move {
  /** Ticks in the trade's favour, at its best and its worst. */
  readonly best: number;
  readonly worst: number;
}

/** Follows a trade from the bar of its entry on. Of that bar only the best counts: the rest lies before the entry. */
function follow(
  moves: readonly Move[],
  { riskTicks, targetTicks }: { readonly riskTicks: number; readonly targetTicks: number },
): Pick<Trade, "excursion" | "result"> {
  let excursion = 0;
  for (const [index, { best, worst }] of moves.entries()) {
    const isSafe = excursion >= targetTicks * SAFE_SHARE;
    if (index > 0 && worst <= (isSafe ? 0 : -riskTicks)) {
      return { excursion, result: isSafe ? "break_even" : "loss" };
    }
    excursion = Math.min(targetTicks, Math.max(excursion, best));
    if (excursion === targetTicks) return { excursion, result: "win" };
  }
  return { excursion, result: "time" };
}
