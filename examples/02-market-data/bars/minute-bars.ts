// Minute bars of a day of which only open, high, low and close are known: a random walk that begins and ends where the
// day did, touches its high and its low, and never leaves them. The same day gives the same bars, always.
import { toUtcMs } from "../chicago.ts";
import type { DailyPrice } from "./daily-price.ts";

/** One minute. Prices in ticks. */
export interface Bar {
  /** Its first instant, UTC ms. */
  readonly startMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

const MINUTE_MS = 60_000;

/** The start value of all days; each adds its name. */
const SEED = 20_191_103;

/** Numbers from 0 to 1, each text its own: mulberry32 from a start value made by FNV-1a. */
function makeDice(text: string): () => number {
  let state = SEED;
  for (const char of text) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 16_777_619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The bars from 00:00 to 16:00 in Chicago: 960, an hour more or less on days on which the clocks change. */
export function makeBars(daily: DailyPrice): Bar[] {
  const startMs = toUtcMs(daily.day, "00:00");
  const minutes = (toUtcMs(daily.day, "16:00") - startMs) / MINUTE_MS;
  const dice = makeDice(`${daily.instrument.name} ${daily.day}`);
  const path = makePath(daily, minutes, dice);
  const wick = (): number => Math.floor(dice() * 2.2);
  return Array.from({ length: minutes }, (_, minute) => {
    const [open = daily.open, close = daily.close] = path.slice(minute, minute + 2);
    return {
      startMs: startMs + minute * MINUTE_MS,
      open,
      high: Math.min(daily.high, Math.max(open, close) + wick()),
      low: Math.max(daily.low, Math.min(open, close) - wick()),
      close,
      volume: shareVolume(daily.volume, minute, minutes),
    };
  });
}

/** The minute's share of a day's volume; together they are all of it. */
function shareVolume(volume: number, minute: number, minutes: number): number {
  return Math.floor((volume * (minute + 1)) / minutes) - Math.floor((volume * minute) / minutes);
}

/** A price for every boundary between two minutes. */
function makePath(daily: DailyPrice, minutes: number, dice: () => number): number[] {
  const early = 1 + Math.floor(dice() * (minutes / 2 - 1));
  const late = Math.floor(minutes / 2) + Math.floor(dice() * (minutes / 2 - 1));
  const isHighFirst = dice() < 0.5;
  const anchors = [
    { at: 0, price: daily.open },
    { at: early, price: isHighFirst ? daily.high : daily.low },
    { at: late, price: isHighFirst ? daily.low : daily.high },
    { at: minutes, price: daily.close },
  ];
  const path = [daily.open];
  for (const [index, to] of anchors.entries()) {
    const from = anchors[index - 1];
    if (from !== undefined) path.push(...walk(from, to, { daily, dice }));
  }
  return path;
}

interface Anchor {
  readonly at: number;
  readonly price: number;
}

/** Prices after `from` up to `to`: each step goes part of the way that is left, and strays. */
function walk(
  from: Anchor,
  to: Anchor,
  { daily, dice }: { readonly daily: DailyPrice; readonly dice: () => number },
): number[] {
  const stray = (daily.high - daily.low) / 20;
  const prices: number[] = [];
  let price = from.price;
  for (let at = from.at + 1; at < to.at; at += 1) {
    const drift = (to.price - price) / (to.at - at + 1);
    const next = Math.round(price + drift + (dice() + dice() - 1) * stray);
    price = Math.min(daily.high, Math.max(daily.low, next));
    prices.push(price);
  }
  return [...prices, to.price];
}
