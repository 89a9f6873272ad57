// Reads the items of a map from a stream, one at a time and only when asked: an endless stream is as good as a
// short one. Whatever the author's iterator does (throw, answer nonsense, never answer) stays in here.

/** Items read ahead of a stream where only the limit of the process holds. */
export const STREAM_AHEAD = 64;

/** What a stream tells. Nothing is told after `close`. */
export interface StreamListener {
  took(item: unknown): void;
  ended(): void;
  failed(error: unknown): void;
}

/** A stream of items that is read on demand. */
export class ItemStream {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  readonly #listener: StreamListener;
  #isReading: boolean = false;
  #isDone: boolean = false;

  constructor(iterator: AsyncIterator<unknown> | Iterator<unknown>, listener: StreamListener) {
    this.#iterator = iterator;
    this.#listener = listener;
  }

  /** True while an item was asked for that did not come yet. */
  get isReading(): boolean {
    return this.#isReading && !this.#isDone;
  }

  /** Asks for one more item, unless one is on its way or there are none. */
  read(): void {
    if (this.#isReading || this.#isDone) return;
    this.#isReading = true;
    askNext(this.#iterator).then(
      (step) => this.#took(step),
      (error: unknown) => this.#failed(error),
    );
  }

  #took(step: IteratorResult<unknown>): void {
    this.#isReading = false;
    if (this.#isDone) return;
    if (step.done !== true) {
      this.#listener.took(step.value);
      return;
    }
    this.#isDone = true;
    this.#listener.ended();
  }

  #failed(error: unknown): void {
    this.#isReading = false;
    if (this.#isDone) return;
    this.#isDone = true;
    this.#listener.failed(error);
  }

  /** No further item is wanted: a generator gets to its `finally`. A stream that ended is left alone. True if an
   *  item was on its way. */
  close(): boolean {
    if (this.#isDone) return false;
    this.#isDone = true;
    // The stage has what it needs: how the author's clean-up ends changes nothing for it.
    askReturn(this.#iterator).catch(() => undefined);
    return this.#isReading;
  }
}

// Both are async functions so that a throw at once and a promise that rejects look the same from outside.

async function askNext(
  iterator: AsyncIterator<unknown> | Iterator<unknown>,
): Promise<IteratorResult<unknown>> {
  const step: unknown = await iterator.next();
  if (typeof step !== "object" || step === null) {
    throw new TypeError(`next() of the stream gave ${String(step)} instead of { done, value }`);
  }
  // What an iterator gives is its author's word; a missing `done` means there is more.
  return step as IteratorResult<unknown>;
}

async function askReturn(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  await iterator.return?.();
}
