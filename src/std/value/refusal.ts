// Names what cannot be stored, and says what to do instead.

import { types } from "node:util";

/** What stands in the way, and what to do about it. */
export interface Refusal {
  readonly found: string;
  readonly hint: string;
}

/** Describes a value that no tag exists for. */
export function refusalOf(value: unknown): Refusal {
  if (typeof value === "function") {
    return { found: `a function${nameOf(value)}`, hint: "Store its result, or leave it out." };
  }
  if (typeof value === "symbol") {
    return { found: `a symbol: ${String(value)}`, hint: "Store its description as text." };
  }
  if (types.isPromise(value)) return { found: "a Promise", hint: "Did you forget await?" };
  if (types.isRegExp(value)) {
    return { found: `a regular expression: ${String(value)}`, hint: "Store its source as text." };
  }
  if (types.isWeakMap(value) || types.isWeakSet(value)) {
    return {
      found: "a weak collection",
      hint: "Its members cannot be listed: use a Map or a Set.",
    };
  }
  return refuseInstance(value);
}

function refuseInstance(value: unknown): Refusal {
  const prototype: unknown = Object.getPrototypeOf(value);
  const maker: unknown = Object(prototype).constructor;
  const name = typeof maker === "function" ? nameOf(maker) : "";
  return {
    found:
      name === "" ? "an object with a prototype of its own" : `an instance of the class${name}`,
    hint: "Store its plain fields, for example { ...value }, and build the instance again where it is used.",
  };
}

function nameOf(value: { readonly name: string }): string {
  return value.name === "" ? "" : ` "${value.name}"`;
}
