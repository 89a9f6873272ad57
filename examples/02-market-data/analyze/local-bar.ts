// The bars of a translated file, prices in ticks.
import { parse } from "csv-parse/sync";
import { toTicks, type Instrument } from "../instrument.ts";

/** One minute in the exchange's time. Prices in ticks. */
export interface LocalBar {
  /** "2019-11-03T01:30:00-05:00" */
  readonly stamp: string;
  /** "01:30" */
  readonly time: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

/** Reads what the pipeline itself wrote and checked. */
export function readLocalBars(text: string, instrument: Instrument): LocalBar[] {
  const rows: Record<string, string>[] = parse(text, { columns: true });
  const ticksOf = (price: string | undefined): number => toTicks(Number(price), instrument);
  return rows.map((row) => {
    const stamp = row["timestamp"] ?? "";
    return {
      stamp,
      time: stamp.slice(11, 16),
      open: ticksOf(row["open"]),
      high: ticksOf(row["high"]),
      low: ticksOf(row["low"]),
      close: ticksOf(row["close"]),
    };
  });
}
