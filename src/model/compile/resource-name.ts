// What a resource and its keys may be called.

import { NAME_CHARS_MAX, RESOURCE_KEY_BYTES_MAX } from "../limits.ts";
import type { ResourceUse } from "../resource/resource.ts";

// Control characters would break the lines of every list that names one.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;

/** True for what a resource may be called: its name stands before a "/" and a key. */
export function isResourceName(name: unknown): name is string {
  return (
    typeof name === "string" &&
    name.length >= 1 &&
    name.length <= NAME_CHARS_MAX &&
    !name.includes("/") &&
    !CONTROL.test(name)
  );
}

/** True for what a key of a resource may be. */
export function isResourceKey(key: unknown): key is string {
  return (
    typeof key === "string" &&
    key !== "" &&
    !CONTROL.test(key) &&
    // A UTF-16 unit is at most three bytes: short keys, and most are, need not be measured.
    (key.length * 3 <= RESOURCE_KEY_BYTES_MAX || Buffer.byteLength(key) <= RESOURCE_KEY_BYTES_MAX)
  );
}

/** A resource, with its key where it has one, as people write it. */
export function nameResource({ resource, key }: Pick<ResourceUse, "resource" | "key">): string {
  return key === null || key === "" ? resource : `${resource}/${key}`;
}
