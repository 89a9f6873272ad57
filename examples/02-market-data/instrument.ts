// What is traded: the smallest move of its price, and how far a trade wants to go. Prices are counted in ticks, whole
// numbers, wherever they are compared or added.

/** One instrument. */
export interface Instrument {
  readonly name: string;
  /** Ticks in a price of 1. */
  readonly ticksPerPoint: number;
  /** From entry to target, in ticks. */
  readonly targetTicks: number;
}

/** All instruments, by name. */
export const INSTRUMENTS: ReadonlyMap<string, Instrument> = new Map([
  ["ES", { name: "ES", ticksPerPoint: 4, targetTicks: 40 }],
  ["MSFT", { name: "MSFT", ticksPerPoint: 100, targetTicks: 10 }],
]);

/** The instrument of that name; throws where there is none. */
export function getInstrument(name: string): Instrument {
  const found = INSTRUMENTS.get(name);
  if (found !== undefined) return found;
  const known = [...INSTRUMENTS.keys()].join(", ");
  throw new Error(`there is no instrument "${name}", expected one of ${known}`);
}

/** A price in ticks, rounded to the nearest. */
export function toTicks(price: number, { ticksPerPoint }: Instrument): number {
  return Math.round(price * ticksPerPoint);
}

/** Ticks as a price, with two places: both instruments need no more. */
export function toPrice(ticks: number, { ticksPerPoint }: Instrument): string {
  return (ticks / ticksPerPoint).toFixed(2);
}
