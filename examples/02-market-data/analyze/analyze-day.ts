// Seven rows of a day: for each slot its range, and what a trade that left it would have come to.
import { getInstrument, toPrice } from "../instrument.ts";
import { readLocalBars } from "./local-bar.ts";
import { findRange, SLOTS } from "./slot.ts";
import { findTrade } from "./trade.ts";

/** The columns of a row, in order. */
export const ANALYSIS_COLUMNS = [
  "Date",
  "Time",
  "Session",
  "Instrument",
  "Stream",
  "RangeStart",
  "RangeHigh",
  "RangeLow",
  "RangeClose",
  "Entry",
  "Stop",
  "Target",
  "Excursion",
  "Result",
] as const;

/** One row, as it is written: prices with two places, empty where nothing was entered. */
export type AnalysisRow = Readonly<Record<(typeof ANALYSIS_COLUMNS)[number], string>>;

/** The rows of a translated file; none where it has no bars. */
export function analyzeDay(
  { instrument: name, day }: { readonly instrument: string; readonly day: string },
  text: string,
): AnalysisRow[] {
  const instrument = getInstrument(name);
  const bars = readLocalBars(text, instrument);
  const show = (ticks: number | null): string => (ticks === null ? "" : toPrice(ticks, instrument));
  return SLOTS.flatMap((slot) => {
    const range = findRange(bars, slot);
    if (range === undefined) return [];
    const trade = findTrade(range, bars.slice(range.next), instrument.targetTicks);
    return {
      Date: day,
      Time: slot.end,
      Session: slot.session,
      Instrument: name,
      Stream: `${name}${slot.session.slice(1)}`,
      RangeStart: range.start,
      RangeHigh: show(range.high),
      RangeLow: show(range.low),
      RangeClose: show(range.close),
      Entry: show(trade.entry),
      Stop: show(trade.stop),
      Target: show(trade.target),
      Excursion: show(trade.excursion),
      Result: trade.result,
    };
  });
}
