// The events of a store for a reader of the library: the bus, with gaps told apart from events.

import type { MillraceEvent } from "../../model/event.ts";
import { MillraceError } from "../../model/errors.ts";
import type { BusEntry, SubscribeOptions } from "../feed/event-bus.ts";
import { busOf } from "../feed/open-bus.ts";
import type { MillContext } from "../mill-context.ts";
import { findRun } from "../queries/find-run.ts";

/** Which events. */
export interface ReadEventsOptions extends Omit<SubscribeOptions, "run"> {
  /** Only of this run: short name, id or "last". */
  readonly run?: string;
  /** Told when this reader was too slow and lost events: how many, and the number of the last one before. They are in
   *  the store still, after that number. */
  readonly onGap?: (gap: { readonly missed: number; readonly afterSeq: number }) => void;
}

/** Subscribes. RUN_NOT_FOUND, SUBSCRIBERS_FULL, OPTION_INVALID. */
export async function readEvents(
  mill: MillContext,
  options: ReadEventsOptions & { readonly after: number },
): Promise<AsyncIterableIterator<MillraceEvent>> {
  const { run, onGap, ...rest } = options;
  checkNumbers(options);
  const record = run === undefined ? undefined : await findRun(mill.store, run);
  const entries = busOf(mill).subscribe({
    ...rest,
    ...(record === undefined ? {} : { run: record.id }),
  });
  return new EventsOnly(entries, onGap);
}

function checkNumbers({ after, queueMax = 1 }: SubscribeOptions): void {
  for (const [name, value, min] of [
    ["after", after ?? 0, 0],
    ["queueMax", queueMax, 1],
  ] as const) {
    if (Number.isSafeInteger(value) && value >= min) continue;
    throw new MillraceError(
      "OPTION_INVALID",
      `events: "${name}" is a whole number from ${min}; got ${value}.`,
    );
  }
}

class EventsOnly implements AsyncIterableIterator<MillraceEvent> {
  readonly #entries: AsyncIterableIterator<BusEntry>;
  readonly #onGap: ReadEventsOptions["onGap"];

  constructor(entries: AsyncIterableIterator<BusEntry>, onGap: ReadEventsOptions["onGap"]) {
    this.#entries = entries;
    this.#onGap = onGap;
  }

  async next(): Promise<IteratorResult<MillraceEvent>> {
    for (;;) {
      const step = await this.#entries.next();
      if (step.done === true) return { done: true, value: undefined };
      if (step.value.kind === "event") return { done: false, value: step.value.event };
      const { missed, afterSeq } = step.value;
      this.#onGap?.({ missed, afterSeq });
    }
  }

  async return(): Promise<IteratorResult<MillraceEvent>> {
    await this.#entries.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
