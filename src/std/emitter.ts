// Listeners of one kind of event. One that throws harms neither the emitter nor the other listeners.

/** What an emitter may be given. */
export interface EmitterOptions {
  /** Told of whatever a listener throws. Default: nobody. What it throws itself is dropped. */
  readonly onListenerError?: (error: unknown) => void;
}

/** Calls its listeners in the order they came. Emitting without listeners costs nothing. */
export class Emitter<Event> {
  readonly #onListenerError: ((error: unknown) => void) | undefined;
  // Never changed in place, so that an emit under way keeps the list it began with.
  #listeners: readonly ((event: Event) => void)[] = [];

  constructor(options: EmitterOptions = {}) {
    this.#onListenerError = options.onListenerError;
  }

  /** How many listeners there are. */
  get size(): number {
    return this.#listeners.length;
  }

  /**
   * Adds a listener and returns the function that removes it, safe to repeat. Changes take effect with
   * the next emit. A listener added twice is called twice.
   */
  on(listener: (event: Event) => void): () => void {
    this.#listeners = [...this.#listeners, listener];
    let isListening = true;
    return () => {
      if (isListening) this.#remove(listener);
      isListening = false;
    };
  }

  /** Calls every listener, now. Waits for nothing and never throws. */
  emit(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #remove(listener: (event: Event) => void): void {
    const at = this.#listeners.indexOf(listener);
    this.#listeners = this.#listeners.filter((_, index) => index !== at);
  }

  #report(error: unknown): void {
    try {
      this.#onListenerError?.(error);
    } catch {
      // Nobody is left to tell, and the event must still reach the other listeners.
    }
  }
}
