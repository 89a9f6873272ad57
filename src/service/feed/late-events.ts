// Events for a reader of the library. The bus is loaded with the first reader; so that none is lost between the call
// and then, the number is taken in the call itself from which on events are told.

import type { MillraceEvent } from "../../model/event.ts";
import type { ReadEventsOptions } from "../events/read-events.ts";
import type { MillContext } from "../mill-context.ts";

/** An iterator whose source is loaded. */
export class LateEvents implements AsyncIterableIterator<MillraceEvent> {
  readonly #source: Promise<AsyncIterableIterator<MillraceEvent>>;

  constructor(mill: MillContext, options: ReadEventsOptions) {
    this.#source = open(mill, options);
    // Whoever asks for the first event hears what is wrong; who never asks has nothing to hear.
    this.#source.catch(() => undefined);
  }

  async next(): Promise<IteratorResult<MillraceEvent>> {
    return (await this.#source).next();
  }

  async return(): Promise<IteratorResult<MillraceEvent>> {
    const source = await this.#source.catch(() => undefined);
    await source?.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

async function open(
  mill: MillContext,
  options: ReadEventsOptions,
): Promise<AsyncIterableIterator<MillraceEvent>> {
  const newest =
    options.after === undefined
      ? mill.store.listEvents({ after: 0, newestFirst: true, limit: 1 })
      : Promise.resolve([{ seq: options.after }]);
  const [{ readEvents }, [last]] = await Promise.all([import("../events/read-events.ts"), newest]);
  return await readEvents(mill, { ...options, after: last?.seq ?? 0 });
}
