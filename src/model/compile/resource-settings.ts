// The resources of a configuration: names and every number checked, all faults at once, and given to a declaration as
// the values it is read from. Here a limit of one key stands beside the limit of all, and nothing is code.

import type { DefinitionFault } from "../definition.ts";
import { CONCURRENCY_MAX, NAME_CHARS_MAX, RESOURCE_KEYS_LISTED_MAX } from "../limits.ts";
import type { ResourceSetting } from "../resource/resource.ts";
import { describeValue, isPlainRecord, OptionReader } from "./option-reader.ts";
import { parseResource } from "./parse-resource.ts";
import { isResourceName } from "./resource-name.ts";

/** Settings by the name of their resource. */
export type ResourceSettings = Readonly<Record<string, ResourceSetting>>;

const SETTING_KEYS = ["limit", "limits", "quota", "breaker", "retryBudget"];
const LIMIT_BOUNDS = { min: 1, max: CONCURRENCY_MAX };

/** True for settings that can hold; every fault goes to `faults`, under the path `resources`. */
export function checkResourceSettings(
  raw: unknown,
  faults: DefinitionFault[],
): raw is ResourceSettings {
  const before = faults.length;
  if (isPlainRecord(raw)) {
    for (const [name, setting] of Object.entries(raw)) checkOne(name, setting, faults);
  } else {
    const message = `expected a record of resources by name; got ${describeValue(raw)}`;
    faults.push({ path: "resources", message });
  }
  return faults.length === before;
}

function checkOne(name: string, setting: unknown, faults: DefinitionFault[]): void {
  const path = `resources.${name}`;
  if (!isResourceName(name)) {
    const message = `expected a name of 1 to ${NAME_CHARS_MAX} characters without "/"`;
    faults.push({ path, message, hint: `limits of keys stand under "limits"` });
  }
  if (!isPlainRecord(setting)) {
    faults.push({ path, message: `expected a record of options; got ${describeValue(setting)}` });
    return;
  }
  const reader = new OptionReader(setting, path, faults);
  reader.refuseUnknown(SETTING_KEYS);
  checkLimits(reader);
  for (const quota of [setting["quota"]].flat()) {
    if (isPlainRecord(quota) && quota["cost"] !== undefined)
      reader.fault("quota.cost", "what a use costs is code", "declare it with resource(...)");
  }
  const { quota, breaker, retryBudget } = setting;
  parseResource({ name, values: { quota, breaker, retryBudget }, faults, base: null });
}

function checkLimits(reader: OptionReader): void {
  reader.number("limit", LIMIT_BOUNDS);
  const byKey = reader.nested("limits");
  if (byKey === undefined) return;
  const keys = Object.keys(reader.raw("limits") ?? {});
  for (const key of keys.slice(0, RESOURCE_KEYS_LISTED_MAX)) byKey.number(key, LIMIT_BOUNDS);
  if (keys.length > RESOURCE_KEYS_LISTED_MAX)
    byKey.fault("", `expected at most ${RESOURCE_KEYS_LISTED_MAX} keys; got ${keys.length}`);
}

/** The values as `parseResource` reads them. */
export function toResourceValues(
  settings: ResourceSettings,
): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, { limit, limits, ...others }]) => [
      name,
      { ...others, limit: limits === undefined ? limit : toKeyed(limit, limits) },
    ]),
  );
}

function toKeyed(
  limit: number | undefined,
  keys: Readonly<Record<string, number>>,
): Readonly<Record<string, unknown>> {
  return limit === undefined ? { keys } : { default: limit, keys };
}
