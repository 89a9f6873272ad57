// For the tests: what the rows of a day must be, found again in another way. Prices are whole cents, every minute is
// asked whether it is the entry or the end, and nothing is carried from one minute to the next.

/** A row of a translated file. */
export interface CentBar {
  readonly stamp: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

/** Reads a translated file by cutting at commas. */
export function readCentBars(text: string): CentBar[] {
  const lines = text.trim().split("\n").slice(1);
  const toCents = (price: string | undefined): number => Math.round(Number(price) * 100);
  return lines.map((line) => {
    const [stamp = "", open, high, low, close] = line.split(",");
    return {
      stamp,
      open: toCents(open),
      high: toCents(high),
      low: toCents(low),
      close: toCents(close),
    };
  });
}

/** What is traded, in cents. */
export interface CentTerms {
  readonly tick: number;
  readonly target: number;
}

/** What a row says, prices in cents. */
export interface Expected {
  readonly start: string;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly entry: number | null;
  readonly stop: number | null;
  readonly target: number | null;
  readonly excursion: number | null;
  readonly result: string;
}

function isAt(bar: CentBar, time: string): boolean {
  return bar.stamp.slice(11, 16) >= time;
}

/** The row of the range from `start` up to `end`. */
export function searchRow(
  bars: readonly CentBar[],
  [start, end]: readonly [start: string, end: string],
  terms: CentTerms,
): Expected {
  const inside = bars.filter((bar) => isAt(bar, start) && !isAt(bar, end));
  const after = bars.filter((bar) => isAt(bar, end));
  const high = Math.max(...inside.map((bar) => bar.high));
  const low = Math.min(...inside.map((bar) => bar.low));
  const range = { start: inside[0]?.stamp ?? "", high, low, close: inside.at(-1)?.close ?? 0 };
  return { ...range, ...searchTrade(range, after, terms) };
}

type TradeOf = Pick<Expected, "entry" | "stop" | "target" | "excursion" | "result">;

function searchTrade(
  { high, low }: { readonly high: number; readonly low: number },
  after: readonly CentBar[],
  { tick, target }: CentTerms,
): TradeOf {
  const [above, below] = [high + tick, low - tick];
  const touches = (bar: CentBar): boolean => bar.high >= above || bar.low <= below;
  const from = after.find(touches);
  if (from === undefined) {
    return { entry: null, stop: null, target: null, excursion: null, result: "no_trade" };
  }
  const upward = from.high >= above && (from.low > below || above - from.open <= from.open - below);
  const [entry, stop] = upward ? [above, below] : [below, above];
  const held = after.slice(after.indexOf(from));
  const gain = (bar: CentBar): number => (upward ? bar.high - entry : entry - bar.low);
  const pain = (bar: CentBar): number => (upward ? entry - bar.low : bar.high - entry);
  /** The best of the first `count` minutes. */
  const bestOf = (count: number): number => Math.max(0, ...held.slice(0, count).map(gain));
  const isSafe = (count: number): boolean => bestOf(count) >= target * 0.65;
  const stops = (bar: CentBar, at: number): boolean =>
    at > 0 && pain(bar) >= (isSafe(at) ? 0 : above - below);
  const stoppedAt = held.findIndex(stops);
  const wonAt = held.findIndex((bar) => gain(bar) >= target);
  const levels = { entry, stop, target: upward ? entry + target : entry - target };
  if (wonAt !== -1 && (stoppedAt === -1 || wonAt < stoppedAt)) {
    return { ...levels, excursion: target, result: "win" };
  }
  if (stoppedAt === -1) return { ...levels, excursion: bestOf(held.length), result: "time" };
  const result = isSafe(stoppedAt) ? "break_even" : "loss";
  return { ...levels, excursion: bestOf(stoppedAt), result };
}
