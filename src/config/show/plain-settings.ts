// The values of settings as one process hands them to another, to be compared and taken over: plain JSON, unmasked,
// without what holds code. It is never shown or stored.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { Secret } from "../../model/secret.ts";
import { canonicalJson, isJson, type Json } from "../../std/json.ts";
import type { Settings } from "../resolve.ts";
import { listSettingNames, type SettingName } from "../setting-keys.ts";

/** Key of a secret, as it travels. */
const SECRET_KEY = "$millrace.secret";

/** Values by name; a name is absent where its value holds code. */
export type PlainSettings = Readonly<Partial<Record<SettingName, Json>>>;

/** The values that are data. */
export function toPlainSettings(settings: Settings): PlainSettings {
  const plain: Partial<Record<SettingName, Json>> = {};
  for (const name of listSettingNames()) {
    const value: unknown = toPlain(settings[name].value);
    if (isJson(value)) plain[name] = value;
  }
  return plain;
}

/** Reads what `toPlainSettings` made in another process. */
export function parsePlainSettings(raw: unknown): PlainSettings | undefined {
  if (!isPlainRecord(raw)) return undefined;
  const plain: Partial<Record<SettingName, Json>> = {};
  for (const name of listSettingNames()) {
    const value = raw[name];
    if (value !== undefined && isJson(value)) plain[name] = value;
  }
  return plain;
}

/** Names whose values differ; what is code on both sides cannot be compared, and is taken as equal. */
export function listChanged(before: PlainSettings, after: PlainSettings): readonly SettingName[] {
  return listSettingNames().filter(
    (name) => canonicalJson(before[name] ?? null) !== canonicalJson(after[name] ?? null),
  );
}

/** A value as it was, with its secrets. */
export function fromPlain(value: Json): unknown {
  if (Array.isArray(value)) return value.map(fromPlain);
  if (!isPlainRecord(value)) return value;
  const { [SECRET_KEY]: shown, value: text } = value;
  if (typeof shown === "string" && typeof text === "string")
    return new Secret(shown.replace(/^\[secret (.*)\]$/, "$1"), text);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fromPlain(one)]));
}

/** An option that is undefined is one that is absent. */
function toPlain(value: unknown): unknown {
  if (value instanceof Secret) return { [SECRET_KEY]: value.shown, value: value.reveal() };
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isPlainRecord(value)) return value;
  const kept = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(kept.map(([key, one]) => [key, toPlain(one)]));
}
