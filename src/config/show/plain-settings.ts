// The values of settings as one process hands them to another, to be compared and taken over: plain JSON, unmasked, with
// a word in the place of code.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { canonicalJson, isJson, type Json } from "../../std/json.ts";
import type { Settings } from "../resolve.ts";
import { listSettingNames, type SettingName } from "../setting-keys.ts";

/** Values by name; a name is absent where its value holds code. */
export type PlainSettings = Readonly<Partial<Record<SettingName, Json>>>;

/** The values that are data. */
export function toPlainSettings(settings: Settings): PlainSettings {
  const plain: Partial<Record<SettingName, Json>> = {};
  for (const name of listSettingNames()) {
    const value: unknown = dropAbsent(settings[name].value);
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

/** An option that is undefined is one that is absent. */
function dropAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropAbsent);
  if (!isPlainRecord(value)) return value;
  const kept = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(kept.map(([key, one]) => [key, dropAbsent(one)]));
}
