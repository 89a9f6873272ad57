// Every setting in force, by its key and in the words of a configuration, with where it comes from.

import type { RetryPolicy } from "../../model/retry.ts";
import { formatDuration, parseDuration } from "../../std/duration.ts";
import type { Json } from "../../std/json.ts";
import type { Origin, Settings } from "../resolve.ts";
import { listSettingNames, SETTING_KEYS, type SettingName } from "../setting-keys.ts";
import { MASK, toShown } from "./mask.ts";

/** One setting as it is shown. */
export interface ShownSetting {
  /** `worker.lease`. */
  readonly key: string;
  /** Durations with their unit; null: none. */
  readonly value: Json;
  readonly origin: Origin;
}

/** All of them, in one order, secrets masked; pipelines by name. */
export function listSettings(settings: Settings): readonly ShownSetting[] {
  const shown = listSettingNames().map((name) => ({
    key: SETTING_KEYS[name],
    value: showValue(name, settings),
    origin: settings[name].origin,
  }));
  return [...shown, ...listCode(settings)];
}

function listCode({ file, pipelines, provide }: Settings): readonly ShownSetting[] {
  const origin = (key: string): Origin =>
    file === null ? { kind: "default" } : { kind: "file", path: file, key };
  const provided = Object.keys(provide).map((name) => [name, MASK] as const);
  const names = pipelines.map((one) =>
    typeof one === "object" && one !== null && "name" in one ? String(one.name) : "(code)",
  );
  return [
    {
      key: "pipelines",
      value: names,
      origin: names.length === 0 ? { kind: "default" } : origin("pipelines"),
    },
    {
      key: "provide",
      value: Object.fromEntries(provided),
      origin: provided.length === 0 ? { kind: "default" } : origin("provide"),
    },
  ];
}

function showValue(name: SettingName, settings: Settings): Json {
  if (name === "retry") return showRetry(settings.retry.value);
  if (name === "uses") return settings.uses.value?.map(({ resource }) => resource) ?? null;
  const { value } = settings[name];
  if (typeof value === "number" && name.endsWith("Ms")) return showDuration(value);
  // Empty text stands for none where it is the default; written, it would be refused.
  return value === "" ? null : toShown(SETTING_KEYS[name], value);
}

/** As the file says it, where that is exact. */
function showDuration(ms: number): Json {
  const text = formatDuration(ms);
  const read = parseDuration(text);
  return read.ok && read.value === ms ? text : ms;
}

function showRetry(policy: RetryPolicy | null): Json {
  if (policy === null) return null;
  const { initialDelayMs, delayMsMax, retryOn, rules, ...rest } = policy;
  return {
    ...rest,
    initialDelay: showDuration(initialDelayMs),
    maxDelay: delayMsMax === null ? "none" : showDuration(delayMsMax),
    retryOn: toShown("retryOn", retryOn),
    rules: toShown("rules", rules),
  };
}

/** The settings as one record, as a file would hold them; an address and its options are one section. */
export function toConfigRecord(shown: readonly ShownSetting[]): Record<string, Json> {
  const made: Record<string, Json> = {};
  const sections = new Map<string, Record<string, Json>>();
  for (const { key, value } of shown) {
    const [section = key, name] = (key === "store" ? "store.url" : key).split(".");
    if (name === undefined) {
      made[section] = value;
      continue;
    }
    const inside = sections.get(section) ?? {};
    inside[name] = value;
    sections.set(section, inside);
    made[section] = inside;
  }
  return made;
}
