// Limits of calls, armed once the present turn of the event loop is over: a call that has ended by then, as most do
// that are answered from memory, never sets a timer, which would cost more than the call. Time counts from the start
// of the call all the same.

import { Ring, type RingLinks } from "../../policy/fair-lines/ring.ts";
import type { Clock } from "../../std/clock.ts";

/** Something that wants a timer unless it ends before. */
export interface Armable extends RingLinks<Armable> {
  /** Called once, after the turn in which it was added. */
  arm(): void;
}

/** All that began in this turn on one clock. */
export class TurnTimers {
  readonly #clock: Clock;
  readonly #begun: Ring<Armable> = new Ring();
  #isDeferred: boolean = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has it armed after this turn. */
  add(one: Armable): void {
    this.#begun.push(one);
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#clock.defer(this.#armAll);
  }

  /** It needs no timer any more. Safe to repeat, and after it was armed. */
  drop(one: Armable): void {
    this.#begun.drop(one);
  }

  readonly #armAll = (): void => {
    this.#isDeferred = false;
    for (let one = this.#begun.first; one !== null; one = this.#begun.first) {
      this.#begun.drop(one);
      one.arm();
    }
  };
}

const byClock = new WeakMap<Clock, TurnTimers>();

/** The timers of a clock; one for all its calls. */
export function turnTimers(clock: Clock): TurnTimers {
  const known = byClock.get(clock);
  if (known !== undefined) return known;
  const made = new TurnTimers(clock);
  byClock.set(clock, made);
  return made;
}
