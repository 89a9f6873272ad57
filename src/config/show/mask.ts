// What is secret in settings, told by where it stands: shown, compared and logged are only its place and that it is set.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { isJson, type Json } from "../../std/json.ts";

/** Shown in the place of a secret. */
export const MASK = "****";

const SECRET_NAME =
  /pass(?:word|phrase)?$|secret|token$|api[-_]?key|authorization|credential|cookie/i;

/** Addresses that are all it takes to write there. */
const SECRET_PATH = /^notify\.targets\.[^.]+\.url$/;

const USER_IN_URL = /^([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]*@/i;

/** True where a value at this key is masked as a whole. Names of files are none. */
export function isSecretPath(path: string): boolean {
  const name = path.slice(path.lastIndexOf(".") + 1);
  return SECRET_PATH.test(path) || SECRET_NAME.test(name);
}

/** The value as it may be shown: secrets masked, code named as code. */
export function toShown(path: string, value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (isSecretPath(path)) return MASK;
  if (typeof value === "string") return value.replace(USER_IN_URL, `$1:${MASK}@`);
  if (typeof value === "function") return "(code)";
  if (value instanceof RegExp) return String(value);
  if (Array.isArray(value)) return value.map((one: unknown) => toShown(`${path}.0`, one));
  if (isPlainRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, toShown(`${path}.${key}`, one)]),
    );
  }
  return isJson(value) ? value : "(code)";
}
