// The keyboard while a run is watched: single keys, without echo. In this mode the terminal sends Ctrl-C,
// Ctrl-Z and Ctrl-\ as bytes, so they are turned back into what they mean everywhere else.
//
// Modes: `idle` and `listening`. Leaving gives the terminal back as it was found, on every way out.

import type { InStream } from "../../cli-context.ts";

/** What a key asks for. */
export type KeyAction = "failures" | "logs" | "why" | "lines" | "keys" | "back";

/** Whom the keyboard tells. */
export interface KeyboardOptions {
  readonly stdin: InStream;
  readonly onAction: (action: KeyAction) => void;
  /** Ctrl-C: as SIGINT. Ctrl-Z: as SIGTSTP. Ctrl-\: as SIGQUIT. */
  readonly onSignal: (signal: "SIGINT" | "SIGTSTP" | "SIGQUIT") => void;
}

const ACTIONS: ReadonlyMap<string, KeyAction> = new Map([
  ["f", "failures"],
  ["l", "logs"],
  ["w", "why"],
  ["s", "lines"],
  ["?", "keys"],
  ["h", "keys"],
  ["\x1b", "back"],
  ["q", "back"],
]);

const SIGNALS: ReadonlyMap<string, "SIGINT" | "SIGTSTP" | "SIGQUIT"> = new Map([
  ["\x03", "SIGINT"],
  ["\x1a", "SIGTSTP"],
  ["\x1c", "SIGQUIT"],
]);

/** True if single keys can be read from this stream. */
export function hasKeyboard(stdin: InStream): boolean {
  return stdin.isTTY === true && stdin.setRawMode !== undefined;
}

/** Listens to single keys until it is stopped. */
export class Keyboard {
  readonly #options: KeyboardOptions;
  #isListening = false;

  constructor(options: KeyboardOptions) {
    this.#options = options;
  }

  /** Ignored while listening, and where there is no keyboard. */
  start(): void {
    const { stdin } = this.#options;
    if (this.#isListening || !hasKeyboard(stdin)) return;
    this.#isListening = true;
    stdin.setRawMode?.(true);
    stdin.on("data", this.#onData);
    stdin.resume();
  }

  /** Safe to repeat. */
  stop(): void {
    if (!this.#isListening) return;
    this.#isListening = false;
    const { stdin } = this.#options;
    stdin.off("data", this.#onData);
    // A paused stdin lets the process end.
    stdin.pause();
    stdin.setRawMode?.(false);
  }

  readonly #onData = (chunk: Buffer | string): void => {
    const text = chunk.toString();
    // An arrow key comes as several bytes that begin with an escape; it is no key of ours.
    if (text.startsWith("\x1b") && text.length > 1) return;
    for (const key of text) {
      const signal = SIGNALS.get(key);
      if (signal !== undefined) this.#options.onSignal(signal);
      const action = ACTIONS.get(key);
      if (action !== undefined) this.#options.onAction(action);
    }
  };
}
