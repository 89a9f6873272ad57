// A secret: text that is used and never shown. However it is printed, it says `[secret name]`; its value leaves it by
// one method alone, and text of user code that holds the value is redacted wherever it leaves (`std/redact.ts`).

import { noteSecret, secretMark } from "../std/redact.ts";
import { MillraceError } from "./errors.ts";
import { NAME_CHARS_MAX, SECRET_CHARS_MAX, SECRET_CHARS_MIN } from "./limits.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** A value that must not be shown. Cannot be stored: neither as an input nor as a result. */
export class Secret {
  readonly #value: string;
  /** `[secret name]`: what is left of it in a spread or a structured clone. */
  readonly shown: string;

  /** OPTION_INVALID for a value of fewer than 6 or more than 16,384 characters, or a name that is not one word. */
  constructor(name: string, value: string) {
    checkName(name);
    checkValue(name, value);
    this.#value = value;
    this.shown = secretMark(name);
    Object.freeze(this);
    noteSecret(name, value);
  }

  /** The value itself. The only way to it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return this.shown;
  }

  toJSON(): string {
    return this.shown;
  }

  [Symbol.toPrimitive](): string {
    return this.shown;
  }

  static {
    // What `console.log` asks for, by the symbol that needs no module of Node.
    const inspect = Symbol.for("nodejs.util.inspect.custom");
    Object.defineProperty(this.prototype, inspect, {
      value(this: Secret): string {
        return this.shown;
      },
    });
  }
}

/**
 * Makes a secret: `secret("api-key", process.env.API_KEY)`. From then on its value is replaced by `[secret api-key]` in
 * errors, log lines, events, output of commands and answers of this process. OPTION_INVALID where the value is missing,
 * shorter than 6 characters or longer than 16,384.
 */
export function secret(name: string, value: string | undefined): Secret {
  checkName(name);
  if (value !== undefined) return new Secret(name, value);
  throw new MillraceError("OPTION_INVALID", `The secret "${name}" has no value.`, {
    hint: "set the variable it is read from",
  });
}

function checkName(name: string): void {
  if (typeof name === "string" && name.length <= NAME_CHARS_MAX && NAME.test(name)) return;
  // The two are easily swapped, so what was given is not repeated.
  throw new MillraceError(
    "OPTION_INVALID",
    "The name of a secret is one word of letters, digits and . _ -.",
    { hint: 'the name comes first: secret("api-key", value)' },
  );
}

function checkValue(name: string, value: string): void {
  if (typeof value !== "string") {
    throw new MillraceError(
      "OPTION_INVALID",
      `The secret "${name}" must be text, got ${typeof value}.`,
    );
  }
  if (value.length >= SECRET_CHARS_MIN && value.length <= SECRET_CHARS_MAX) return;
  throw new MillraceError(
    "OPTION_INVALID",
    `The secret "${name}" has ${value.length} characters; expected ${SECRET_CHARS_MIN} to ${SECRET_CHARS_MAX}.`,
    { hint: "a shorter one stands in ordinary text by chance and cannot be kept out of it" },
  );
}
