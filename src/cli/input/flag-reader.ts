// Reads a verb's own flags from text to values, and collects every fault, so that one call of the command
// tells all of them. Knows kinds of values, not which flags exist.

import { parseDuration } from "../../std/duration.ts";
import { findNearest } from "../../std/nearest.ts";
import { MillraceError } from "../../model/errors.ts";
import { DURATION_MS_MAX } from "../../model/limits.ts";
import type { ParsedOptions } from "../cli-context.ts";

/** Something wrong with one flag. */
export interface FlagFault {
  /** As a person writes it: `--limit`. */
  readonly flag: string;
  readonly message: string;
}

/** The flags of one call. Reading an absent flag gives undefined and no fault; end with `finish`. */
export class FlagReader {
  readonly #options: ParsedOptions;
  readonly #faults: FlagFault[] = [];

  constructor(options: ParsedOptions) {
    this.#options = options;
  }

  /** Adds a fault of the flag with this camelCase name. */
  fault(name: string, message: string): undefined {
    this.#faults.push({ flag: toFlag(name), message });
    return undefined;
  }

  /** True when the switch was given. */
  has(name: string): boolean {
    const value = this.#options[name];
    return value !== undefined && value !== false;
  }

  text(name: string): string | undefined {
    const value = this.#options[name];
    return typeof value === "string" ? value : undefined;
  }

  /** Every value of a repeatable flag, in order. */
  texts(name: string): readonly string[] {
    const value = this.#options[name];
    if (typeof value === "string") return [value];
    return typeof value === "object" ? value : [];
  }

  /** Names separated by commas, also over several uses of the flag; undefined when there is none. */
  names(name: string): readonly string[] | undefined {
    if (!this.has(name)) return undefined;
    const names = this.texts(name)
      .flatMap((text) => text.split(","))
      .map((text) => text.trim());
    if (names.length > 0 && names.every((entry) => entry !== "")) return names;
    return this.fault(
      name,
      `expected names separated by commas; got "${this.texts(name).join(" ")}"`,
    );
  }

  /** A whole number between two bounds. */
  whole(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= bounds.min && value <= bounds.max) return value;
    return this.fault(
      name,
      `expected a whole number from ${bounds.min} to ${bounds.max}; got "${text}"`,
    );
  }

  /** A duration with a unit, in ms, at least 1 ms and at most 366 days. */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const parsed = parseDuration(text);
    if (!parsed.ok) return this.fault(name, parsed.error);
    if (parsed.value >= 1 && parsed.value <= DURATION_MS_MAX) return parsed.value;
    return this.fault(name, `expected 1 ms to 366 days; got "${text}"`);
  }

  oneOf<const T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    const near = findNearest(text, choices);
    const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
    return this.fault(name, `expected ${choices.join(", ")}; got "${text}"${hint}`);
  }

  /** Throws USAGE_INVALID with all faults together, if there are any. */
  finish(next?: string): void {
    if (this.#faults.length === 0) return;
    throw usageInvalid(this.#faults, next);
  }
}

/** The error for faults of a command line. */
export function usageInvalid(faults: readonly FlagFault[], next?: string): MillraceError {
  const [first] = faults;
  const message =
    faults.length === 1 && first !== undefined
      ? `${first.flag}: ${first.message}`
      : `${faults.length} faults on the command line:\n${faults
          .map((fault) => `  ${fault.flag}: ${fault.message}`)
          .join("\n")}`;
  return new MillraceError("USAGE_INVALID", message, {
    ...(next === undefined ? {} : { next }),
    details: { faults: faults.map((fault) => ({ ...fault })) },
  });
}

/** `onlyFailed` as `--only-failed`; one letter as `-j`. */
export function toFlag(name: string): string {
  if (name.length === 1) return `-${name}`;
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
