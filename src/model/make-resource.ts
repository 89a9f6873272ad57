// resource: declares an outside thing. Its numbers are checked at once; what it does comes with the engine's
// part, and until then a pipeline that uses one refuses to run.

import { OptionReader } from "./compile/option-reader.ts";
import { definitionInvalid } from "./compile/compile.ts";
import type { DefinitionFault } from "./definition.ts";
import { CONCURRENCY_MAX } from "./limits.ts";
import type { Resource, ResourceOptions } from "./resource.ts";

/** Declares a resource. DEFINITION_INVALID names every impossible number at once. */
export function resource<K = never>(name: string, options: ResourceOptions<K> = {}): Resource<K> {
  const faults: DefinitionFault[] = [];
  const reader = new OptionReader({ ...options }, `resources.${name}`, faults);
  reader.refuseUnknown(["limit", "quota", "breaker", "retryBudget", "key", "onChange"]);
  if (typeof options.limit === "number") reader.number("limit", { min: 1, max: CONCURRENCY_MAX });
  if (!Array.isArray(options.quota)) checkQuota(reader.nested("quota"));
  checkBreaker(reader.nested("breaker"));
  if (faults.length > 0) throw definitionInvalid(name, faults);
  const { key } = options;
  return Object.freeze({
    kind: "resource-use" as const,
    resource: name,
    key: null,
    options,
    for: (input: K) =>
      Object.freeze({
        kind: "resource-use" as const,
        resource: name,
        key: key === undefined ? String(input) : key(input),
      }),
  });
}

function checkQuota(reader: OptionReader | undefined): void {
  if (reader === undefined) return;
  reader.refuseUnknown(["rate", "per", "burst", "cost", "maxWait"]);
  reader.number("rate", { min: 1, max: 1_000_000_000, whole: false });
  reader.number("burst", { min: 1, max: 1_000_000_000, whole: false });
  reader.durationMs("per");
  reader.durationMs("maxWait");
}

function checkBreaker(reader: OptionReader | undefined): void {
  if (reader === undefined) return;
  reader.refuseUnknown([
    "threshold",
    "recovery",
    "ratio",
    "probes",
    "successes",
    "exclude",
    "whenOpen",
  ]);
  reader.number("threshold", { min: 1, max: 1_000_000 });
  reader.durationMs("recovery");
  reader.number("probes", { min: 1, max: 3 });
  reader.number("successes", { min: 1, max: 1_000_000 });
  reader.oneOf("whenOpen", ["wait", "fail"]);
}
