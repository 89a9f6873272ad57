// Reads what an author wrote as options: checks each value, collects every fault with its path, and never
// puts a default in the place of an invalid value. Knows kinds of values, not which options exist.

import { parseDuration } from "../../std/duration.ts";
import { findNearest } from "../../std/nearest.ts";
import { quoteList } from "../../std/text.ts";
import type { DefinitionFault } from "../definition.ts";
import { DURATION_MS_MAX } from "../limits.ts";

/** Bounds of a number. */
export interface NumberBounds {
  readonly min: number;
  readonly max: number;
  /** Default: true. */
  readonly whole?: boolean;
}

/** One record of options under a path. Reading an absent option gives undefined and no fault. */
export class OptionReader {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #faults: DefinitionFault[];

  constructor(values: Readonly<Record<string, unknown>>, path: string, faults: DefinitionFault[]) {
    this.#values = values;
    this.#path = path;
    this.#faults = faults;
  }

  /** Adds a fault at `key` of this record. */
  fault(key: string, message: string, hint?: string): undefined {
    const path = key === "" ? this.#path : `${this.#path}.${key}`;
    this.#faults.push(hint === undefined ? { path, message } : { path, message, hint });
    return undefined;
  }

  /** Refuses keys that are not known; those that start with `x-` are free. */
  refuseUnknown(known: readonly string[]): void {
    for (const key of Object.keys(this.#values)) {
      if (known.includes(key) || key.startsWith("x-")) continue;
      const near = findNearest(key, known);
      this.fault(
        key,
        `"${key}" is not an option here`,
        near === undefined ? `known: ${known.join(", ")}` : `did you mean "${near}"?`,
      );
    }
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined;
  }

  /** Where `key` of this record stands, for faults of what another reader reads. */
  pathOf(key: string): string {
    return `${this.#path}.${key}`;
  }

  raw(key: string): unknown {
    return this.#values[key];
  }

  durationMs(key: string, minMs: number = 1): number | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    const parsed = parseDuration(value);
    if (!parsed.ok) return this.fault(key, parsed.error);
    if (parsed.value < minMs || parsed.value > DURATION_MS_MAX) {
      return this.fault(key, `expected ${minMs} ms to 366 days; got ${describeValue(value)}`);
    }
    return parsed.value;
  }

  number(key: string, bounds: NumberBounds): number | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    const whole = bounds.whole ?? true;
    const fits =
      typeof value === "number" &&
      (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
      value >= bounds.min &&
      value <= bounds.max;
    if (fits) return value;
    const kind = whole ? "a whole number" : "a number";
    return this.fault(
      key,
      `expected ${kind} from ${bounds.min} to ${bounds.max}; got ${describeValue(value)}`,
    );
  }

  boolean(key: string): boolean | undefined {
    const value = this.#values[key];
    if (value === undefined || typeof value === "boolean") return value;
    return this.fault(key, `expected true or false; got ${describeValue(value)}`);
  }

  text(key: string, charsMax: number): string | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    if (typeof value === "string" && value.length >= 1 && value.length <= charsMax) return value;
    return this.fault(
      key,
      `expected text of 1 to ${charsMax} characters; got ${describeValue(value)}`,
    );
  }

  oneOf<const T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    const near = typeof value === "string" ? findNearest(value, choices) : undefined;
    return this.fault(
      key,
      `expected ${quoteList(choices)}; got ${describeValue(value)}`,
      near === undefined ? undefined : `did you mean "${near}"?`,
    );
  }

  function<T extends (...args: never[]) => unknown>(key: string): T | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    // The compiler has checked its parameters; at run time a function is all that can be told.
    if (typeof value === "function") return value as T;
    return this.fault(key, `expected a function; got ${describeValue(value)}`);
  }

  texts(key: string, countMax: number): readonly string[] | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    if (
      Array.isArray(value) &&
      value.length <= countMax &&
      value.every((entry): entry is string => typeof entry === "string")
    ) {
      return [...value];
    }
    return this.fault(
      key,
      `expected a list of at most ${countMax} texts; got ${describeValue(value)}`,
    );
  }

  /** A record under `key`, to be read the same way. */
  nested(key: string): OptionReader | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    if (isPlainRecord(value)) return new OptionReader(value, `${this.#path}.${key}`, this.#faults);
    return this.fault(key, `expected a record of options; got ${describeValue(value)}`);
  }
}

/** True for `{...}`: no list, no class instance. */
export function isPlainRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A value in an error message: short, quoted, never throwing. */
export function describeValue(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "function") return "a function";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
